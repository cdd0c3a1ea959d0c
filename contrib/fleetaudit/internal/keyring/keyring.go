// Package keyring reads the access keys with which clients may enter.
package keyring

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/ini.v1"
)

// Key is the access key of one profile.
type Key struct {
	Profile         string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // empty: there is none
}

// The keys of a profile.
const (
	idKey     = "aws_access_key_id"
	secretKey = "aws_secret_access_key"
	tokenKey  = "aws_session_token"
)

// accessKeyID is what fits into the Authorization header of a request.
var accessKeyID = regexp.MustCompile(`\A[0-9A-Za-z_]{1,128}\z`)

// Parse reads data in the format of AWS's shared credentials file. Each of its profiles must have an access key, and no
// access key two secrets; what profiles say beside it is passed over. Errors name the profile and the key or the line,
// and never a value.
func Parse(data []byte) ([]Key, error) {
	file, err := ini.LoadSources(ini.LoadOptions{
		// As AWS's own programs read it: a value goes to the end of its line, whatever is in it.
		IgnoreContinuation: true, IgnoreInlineComment: true, PreserveSurroundedQuote: true, InsensitiveKeys: true,
		// So that what is there twice can be told.
		AllowShadows: true, AllowDuplicateShadowValues: true,
	}, data)
	if err != nil {
		return nil, syntax(data, err)
	}
	var all []Key
	var problems []error
	first := make(map[string]Key)
	for _, section := range file.Sections() {
		// This one is there in any case. A parent's keys are not a child's: Section.Key would say so.
		if section.Name() == ini.DefaultSection && len(section.Keys()) == 0 {
			continue
		}
		if section.Name() == ini.DefaultSection {
			problems = append(problems, fmt.Errorf("%.40q is before the first [profile]", section.Keys()[0].Name()))
			continue
		}
		key, err := profile(section)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		other, there := first[key.AccessKeyID]
		if there && (other.SecretAccessKey != key.SecretAccessKey || other.SessionToken != key.SessionToken) {
			problems = append(problems, fmt.Errorf("%s: the access key of %s, with another secret or token", name(key.Profile), name(other.Profile)))
			continue
		}
		first[key.AccessKeyID] = key
		all = append(all, key)
	}
	if len(all)+len(problems) == 0 {
		return nil, errors.New("has no [profile]")
	}
	return all, errors.Join(problems...)
}

// profile reads the access key of a section, or says all that is wrong with it.
func profile(section *ini.Section) (Key, error) {
	k := Key{Profile: section.Name()}
	var problems []error
	problem := func(key, what string) {
		problems = append(problems, fmt.Errorf("%s %s %s", name(k.Profile), key, what))
	}
	for _, key := range section.Keys() {
		var value *string
		switch key.Name() {
		case idKey:
			value = &k.AccessKeyID
		case secretKey:
			value = &k.SecretAccessKey
		case tokenKey:
			value = &k.SessionToken
		case "aws_account_id":
			continue
		default:
			// A token that is spelled wrongly must not let everybody in who has none.
			if strings.HasPrefix(key.Name(), "aws_") {
				problem(fmt.Sprintf("%.40q", key.Name()), "is unknown; the keys are "+idKey+", "+secretKey+" and "+tokenKey)
			}
			continue
		}
		// Of a key without shadows this is empty if the value is; Value is not transformed, as String would.
		if values := key.ValueWithShadows(); len(values) > 1 {
			problem(key.Name(), "is there twice")
			*value = values[0]
		} else if *value = key.Value(); *value == "" {
			problem(key.Name(), "is empty")
			*value = "?" // it is not missing too
		} else if strings.ContainsFunc(*value, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			problem(key.Name(), "must not have white space in it")
		} else if key.Name() == idKey && !accessKeyID.MatchString(*value) {
			problem(key.Name(), "must be 1 to 128 letters, digits and underscores")
		}
	}
	if k.AccessKeyID == "" {
		problem(idKey, "is missing")
	}
	if k.SecretAccessKey == "" {
		problem(secretKey, "is missing")
	}
	return k, errors.Join(problems...)
}

// name is how messages name a profile.
func name(profile string) string { return fmt.Sprintf("[%.40s]", profile) }

// syntax is the error of data that err says is no file of profiles. What err itself says may hold a secret.
func syntax(data []byte, err error) error {
	const want = "want [profile], a comment, or key = value"
	var bad string
	if e, ok := errors.AsType[ini.ErrDelimiterNotFound](err); ok {
		bad = e.Line
	}
	if e, ok := errors.AsType[ini.ErrEmptyKeyName](err); ok {
		bad = e.Line
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if bad != "" && strings.TrimSpace(line) == strings.TrimSpace(bad) {
			return fmt.Errorf("line %d: %s", n, want)
		}
	}
	return errors.New("is not in the format of AWS's shared credentials file: " + want + " in each line")
}
