package awsapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

var pathMember = regexp.MustCompile(`\{(\w+)\}`)

// TestBind takes the rows of testdata/bind.txt.
func TestBind(t *testing.T) {
	text, err := os.ReadFile("testdata/bind.txt")
	require.NoError(t, err)
	operations := make(map[string]engine.Operation)
	for _, op := range engine.Operations() {
		operations[op.Name] = op
	}
	var op engine.Operation
	row := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		name, begins := strings.CutPrefix(line, "== ")
		want, expects := strings.CutPrefix(line, "  ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case begins:
			require.Contains(t, operations, name)
			op = operations[name]
		case expects:
			if diff := cmp.Diff(want, bound(t, op, row)); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", op.Name, row, diff)
			}
		default:
			row = line
		}
	}
}

// bound is what becomes of a row: the input as JSON, or the message.
func bound(t *testing.T, op engine.Operation, row string) string {
	query, body := "", ""
	if strings.HasPrefix(row, "?") {
		query = row
	} else if text, err := strconv.Unquote(row); err == nil {
		body = text
	} else {
		body = row
	}
	r := httptest.NewRequest(op.Method, pathMember.ReplaceAllString(op.Path, "x")+query, nil)
	in, err := awsapi.Bind(&op, r, []byte(body))
	if err != nil {
		require.IsType(t, &model.InvalidRequestException{}, err)
		return err.(*model.InvalidRequestException).Message
	}
	out, err := json.Marshal(in)
	require.NoError(t, err)
	return string(out)
}

// TestBindLimits: no more problems are looked for than a message names, and each is cut when it is long. Lists end.
func TestBindLimits(t *testing.T) {
	var start engine.Operation
	for _, op := range engine.Operations() {
		if op.Name == "StartOnDemandAuditTask" {
			start = op
		}
	}
	message := bound(t, start, `{"targetCheckNames":[`+strings.Repeat(strings.Repeat("7", 1000)+",", 1000)+`0]}`)
	require.Equal(t, 99, strings.Count(message, "; "))
	require.Less(t, len(message), 20_000)

	list := func(n int) string { return strings.Repeat(`"",`, n-1) + `""` }
	require.Equal(t, `{"targetCheckNames":[`+list(10_000)+`]}`, bound(t, start, `{"targetCheckNames":[`+list(10_000)+`]}`))
	require.Equal(t, "body must not have more than 10000 elements in its lists and maps", bound(t, start, `{"targetCheckNames":[`+list(10_001)+`]}`))
	require.Equal(t, "{}", bound(t, start, `{"x":[`+list(300_000)+`]}`), "what nobody reads costs nothing")
}

// TestBindQueryList: a list in a query is a name that is given more than once. AWS has operations with such members.
func TestBindQueryList(t *testing.T) {
	type input struct {
		Names []string          `json:"names" aws:"Names,query"`
		Until []model.Timestamp `json:"until" aws:"Timestamps,query"`
		Exact *bool             `json:"exact" aws:"Exact,query"`
	}
	op := engine.Operation{Method: "GET", Path: "/lists", NewInput: func() any { return new(input) }}
	for i := range reflect.TypeFor[input]().NumField() {
		op.Members = append(op.Members, model.MemberOf(reflect.TypeFor[input]().Field(i)))
	}
	require.Equal(t, `{"names":["b","","a"],"until":[1,86400],"exact":false}`, bound(t, op, "?names=b&until=1&names=&until=1970-01-02&names=a&exact=false"))
	require.Equal(t, `until[1] "x" is not a time: want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999; exact "0" must be true or false`,
		bound(t, op, "?until=1&until=x&exact=0"))
}

// TestBindEverything: whatever input a client sends arrives as it was, each member from where it travels.
func TestBindEverything(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, op := range engine.Operations() {
		seen := make(map[string]bool)
		for range 100 {
			in := op.NewInput()
			fill(random, reflect.ValueOf(in).Elem(), 0)
			v := reflect.ValueOf(in).Elem()
			for i, m := range op.Members {
				if m.Location == "uri" {
					v.Field(i).SetString("x" + v.Field(i).String()) // a path has no empty segment
				}
				seen[m.Name] = seen[m.Name] || !v.Field(i).IsZero()
			}
			r, body := sentRequest(t, op, in)
			got, err := awsapi.Bind(&op, r, body)
			require.NoError(t, err, "%s %s %s", op.Name, r.URL, body)
			if diff := cmp.Diff(in, got); diff != "" {
				t.Fatalf("%s %s %s (-sent +bound):\n%s", op.Name, r.URL, body, diff)
			}
		}
		for _, m := range op.Members {
			require.True(t, seen[m.Name], "%s.%s was never sent", op.Name, m.Name)
		}
	}
}

// TestEveryOperationCanRefuse: binding has one error, which each operation with members has to have, and each member has
// a place where binding looks for it.
func TestEveryOperationCanRefuse(t *testing.T) {
	for _, op := range engine.Operations() {
		if len(op.Members) > 0 {
			require.Contains(t, op.Errors, "InvalidRequestException", op.Name)
		}
		for _, m := range op.Members {
			require.Contains(t, []string{"uri", "query", "body"}, m.Location)
			require.Equal(t, m.Location == "uri", strings.Contains(op.Path, "{"+m.Name+"}"), "%s %s", op.Name, m.Name)
		}
	}
}

// fill sets v, and all in it, at random.
func fill(random *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(random, v.Elem(), depth)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[model.Timestamp]() {
			if random.IntN(3) > 0 {
				v.Set(reflect.ValueOf(model.At(time.UnixMilli(random.Int64N(4e12) - 2e12))))
			}
			return
		}
		for i := range v.NumField() {
			fill(random, v.Field(i), depth+1)
		}
	case reflect.Slice:
		if n := random.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(random, v.Index(i), depth+1)
			}
		}
	case reflect.Map:
		if n := random.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(random, key, depth+1)
				fill(random, element, depth+1)
				v.SetMapIndex(key, element)
			}
		}
	case reflect.String:
		odd := []rune("abc 019+/=%&;#?.,:~_-\"'\\<>{}[]\x00\n\u2028é€💧\ufffd")
		text := make([]rune, random.IntN(12))
		for i := range text {
			text[i] = odd[random.IntN(len(odd))]
		}
		v.SetString(string(text))
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Int32:
		v.SetInt(int64(int32(random.Uint32())))
	default:
		panic(fmt.Sprint("no client sends a ", v.Type()))
	}
}

// sentRequest is the request that a client makes of an input.
func sentRequest(t testing.TB, op engine.Operation, in any) (*http.Request, []byte) {
	path, query, body := op.Path, url.Values{}, make(map[string]any)
	v := reflect.ValueOf(in).Elem()
	for i, m := range op.Members {
		sent, ok := sentValue(v.Field(i))
		switch {
		case !ok:
		case m.Location == "uri":
			path = strings.Replace(path, "{"+m.Name+"}", url.PathEscape(sent.(string)), 1)
		case m.Location == "query":
			if at, ok := sent.(model.Timestamp); ok {
				sent = at.Format(time.RFC3339Nano)
			}
			query.Set(m.Name, fmt.Sprint(sent))
		default:
			body[m.Name] = sent
		}
	}
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	return httptest.NewRequest(op.Method, path+"?"+strings.ReplaceAll(query.Encode(), "+", "%20"), nil), encoded
}

// sentValue is a value as clients put it into JSON; ok is false when it is absent.
func sentValue(v reflect.Value) (sent any, ok bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		sent, _ = sentValue(v.Elem())
		return sent, true
	case reflect.Struct:
		if at, ok := v.Interface().(model.Timestamp); ok {
			return at, !at.IsZero()
		}
		members := make(map[string]any)
		for i := range v.NumField() {
			if sent, ok := sentValue(v.Field(i)); ok {
				members[model.MemberOf(v.Type().Field(i)).Name] = sent
			}
		}
		return members, !v.IsZero()
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i], _ = sentValue(v.Index(i))
		}
		return list, !v.IsNil()
	case reflect.Map:
		members := make(map[string]any)
		for _, key := range v.MapKeys() {
			members[key.String()], _ = sentValue(v.MapIndex(key))
		}
		return members, !v.IsNil()
	}
	return v.Interface(), !v.IsZero()
}
