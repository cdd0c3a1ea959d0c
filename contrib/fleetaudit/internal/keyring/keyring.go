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
// access key two secrets; what profiles say beside it is passed over. Errors name the line, or the profile and the key,
// and never a value.
func Parse(data []byte) ([]Key, error) {
	named, problems, err := scan(string(data))
	if err != nil {
		return nil, err
	}
	if len(named) == 0 {
		return nil, errors.New("has no [profile]")
	}
	file, err := ini.LoadSources(ini.LoadOptions{
		// As AWS's own programs read it: a value goes to the end of its line, whatever is in it. scan sees to the rest.
		IgnoreContinuation: true, IgnoreInlineComment: true, PreserveSurroundedQuote: true, InsensitiveKeys: true,
		// So that what is there twice can be told.
		AllowShadows: true, AllowDuplicateShadowValues: true,
	}, data)
	if err != nil {
		return nil, errors.New("is not in the format of AWS's shared credentials file") // what err says may hold a secret
	}
	var all []Key
	first := make(map[string]Key)
	// A parent's keys are not a child's: Section.Key would say so.
	for _, section := range file.Sections() {
		if !named[section.Name()] { // ini.DefaultSection is there in any case
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
		default:
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
			problem(key.Name(), "must not have white space or control characters in it")
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

// scan returns the names of the profiles of a text, and what keys it has that no profile may. It fails at a line that
// ini would not take as it stands, or of which nobody can tell whether it is a secret.
func scan(text string) (named map[string]bool, unknown []error, err error) {
	const want = "want [profile], a comment, or key = value"
	named = make(map[string]bool)
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if strings.ContainsRune(line, '\r') { // whoever ends lines so means several
			return nil, nil, fmt.Errorf("line %d: has a carriage return in it: lines must end with a line feed", n)
		}
		if line[0] == '[' {
			end := strings.IndexByte(line, ']')
			if end < 2 || end != len(line)-1 {
				return nil, nil, fmt.Errorf("line %d: %s", n, want)
			}
			named[line[1:end]] = true
			continue
		}
		if len(named) == 0 {
			return nil, nil, fmt.Errorf("line %d: is before the first [profile]", n)
		}
		// ini takes the quotes off a key.
		end := strings.IndexAny(line, "=:")
		if end < 1 || line[0] == '"' || line[0] == '`' {
			return nil, nil, fmt.Errorf("line %d: %s", n, want)
		}
		// It takes these off a value, which may go on in the next line.
		if value := strings.TrimSpace(line[end+1:]); strings.HasPrefix(value, "`") || strings.HasPrefix(value, `"""`) {
			return nil, nil, fmt.Errorf("line %d: a value must not begin with ` or \"\"\"", n)
		}
		switch key := strings.ToLower(strings.TrimSpace(line[:end])); key {
		case idKey, secretKey, tokenKey, "aws_account_id":
		default:
			// A token that is spelled wrongly must not let everybody in who has none. The end of a secret may be =, and what is
			// before it no key.
			if strings.HasPrefix(key, "aws_") {
				unknown = append(unknown, fmt.Errorf("line %d: the key is unknown; those of a profile are %s, %s and %s", n, idKey, secretKey, tokenKey))
			}
		}
	}
	return named, unknown, nil
}
