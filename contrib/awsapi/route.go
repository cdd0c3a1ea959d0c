package awsapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// routes finds the operation that a request asks for.
type routes struct {
	mux     *http.ServeMux
	methods []string // of all operations
}

func newRoutes(operations []engine.Operation) *routes {
	r := &routes{mux: http.NewServeMux()}
	for i := range operations {
		op := &operations[i]
		r.mux.Handle(op.Method+" "+op.Path, route{op})
		if !slices.Contains(r.methods, op.Method) {
			r.methods = append(r.methods, op.Method)
		}
	}
	slices.Sort(r.methods)
	return r
}

// route is what the mux holds for an operation. It is never asked to answer: having been matched is all.
type route struct{ op *engine.Operation }

func (route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// find returns the operation of r, and sets r's path values. The error is an *apiError; header is told which methods
// the path has, if it has any. A mux would redirect an unclean path and serve HEAD as GET; AWS's clients understand
// neither.
func (rs *routes) find(header http.Header, r *http.Request) (*engine.Operation, error) {
	if op := rs.match(r, r.Method); op != nil {
		rs.mux.ServeHTTP(nil, r)
		return op, nil
	}
	var allowed []string
	for _, method := range rs.methods {
		if rs.match(r, method) != nil {
			allowed = append(allowed, method)
		}
	}
	path := model.Quote(r.URL.EscapedPath())
	if allowed == nil {
		return nil, &apiError{"UnknownOperationException", http.StatusNotFound, "no operation has the path " + path}
	}
	header.Set("Allow", strings.Join(allowed, ", "))
	return nil, &apiError{"MethodNotAllowedException", http.StatusMethodNotAllowed,
		"method " + model.Quote(r.Method) + " is not one of " + strings.Join(allowed, ", ") + " that the path " + path + " has"}
}

func (rs *routes) match(r *http.Request, method string) *engine.Operation {
	with := *r
	with.Method = method
	h, _ := rs.mux.Handler(&with)
	if found, ok := h.(route); ok && found.op.Method == method {
		return found.op
	}
	return nil
}
