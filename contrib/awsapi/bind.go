package awsapi

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// bind returns the input of op that r and its body spell. The error is an *model.InvalidRequestException that names all
// members that are wrong, as far as their types tell; whether the values are right is for the operation to say.
func bind(op *engine.Operation, r *http.Request, body []byte) (any, error) {
	in := op.NewInput()
	v := reflect.ValueOf(in).Elem()
	var problems model.Problems
	var query url.Values
	inBody := make(map[string]int, len(op.Members))
	for i, m := range op.Members {
		switch m.Location {
		case "uri":
			bindText(&problems, m.Name, v.Field(i), []string{r.PathValue(m.Name)})
		case "query":
			if query == nil {
				var err error
				if query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
					problems.Add("query string", nil, "cannot be read: "+err.Error())
				}
			}
			if texts, ok := query[m.Name]; ok {
				bindText(&problems, m.Name, v.Field(i), texts)
			}
		default:
			inBody[m.Name] = i
		}
	}
	if len(inBody) > 0 {
		bindBody(&problems, inBody, v, body)
	}
	return in, problems.Err()
}

// bindText sets v, the member of that name, to what a path or a query says of it.
func bindText(p *model.Problems, name string, v reflect.Value, texts []string) {
	if v.Kind() == reflect.Slice {
		for i, text := range texts {
			element := reflect.New(v.Type().Elem()).Elem()
			bindText(p, fmt.Sprintf("%s[%d]", name, i), element, []string{text})
			v.Set(reflect.Append(v, element))
		}
		return
	}
	if len(texts) > 1 {
		p.Add(name, nil, fmt.Sprintf("must not be given %d times", len(texts)))
		return
	}
	text := texts[0]
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		bindTime(p, name, v, text)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			p.Add(name, text, "must be true or false")
		}
		v.SetBool(text == "true")
	case reflect.Int32:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || strings.HasPrefix(text, "+") {
			p.Add(name, text, wantInteger)
		}
		v.SetInt(n)
	default:
		panic(fmt.Sprintf("awsapi: no path and no query has a %s, as %s is", v.Type(), name))
	}
}

const wantInteger = "must be an integer of 32 bits"

// bindTime sets v, a model.Timestamp.
func bindTime(p *model.Problems, path string, v reflect.Value, text string) {
	t, err := model.ParseTimestamp(text)
	if err != nil {
		p.Add(path, text, strings.TrimPrefix(err.Error(), model.Quote(text)+" "))
		return
	}
	v.Set(reflect.ValueOf(t))
}
