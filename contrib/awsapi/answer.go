package awsapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// apiError is an error of the frontend itself, which no operation has.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// answer is what goes back to the client.
type answer struct {
	status int
	code   string // of the error; empty: none
	body   []byte
}

// ServeHTTP writes the answer.
func (a answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.code != "" {
		w.Header().Set("X-Amzn-Errortype", a.code)
	}
	w.WriteHeader(a.status)
	w.Write(a.body) // a client that has left is nobody to tell
}

// answerTo is the answer to a call of op with that outcome, written to b if it is an output. op is nil when there is none.
// fault is an error that is not the caller's, of which the Logger has to be told; the caller is told of it only what
// failure says.
func answerTo(b []byte, op *engine.Operation, out any, err error, requestID string) (a answer, fault error) {
	if err == nil {
		body, err := appendOutput(b, out)
		if err != nil {
			return failure(requestID), err
		}
		return answer{status: http.StatusOK, body: body}, nil
	}
	if errors.Is(err, engine.ErrClosed) {
		err = &apiError{"ServiceUnavailableException", http.StatusServiceUnavailable, "the service is shutting down"}
	}
	if own, ok := errors.AsType[*apiError](err); ok {
		return answer{own.status, own.code, message(own.message)}, nil
	}
	modelled, ok := errors.AsType[model.APIError](err)
	if !ok || !mayAnswer(op, modelled.ErrorCode()) {
		return failure(requestID), err
	}
	body, marshalErr := json.Marshal(modelled)
	if marshalErr != nil {
		return failure(requestID), errors.Join(err, marshalErr)
	}
	return answer{modelled.HTTPStatusCode(), modelled.ErrorCode(), body}, nil
}

// appendOutput appends the JSON of an output to b. Those of the Engine are all model.Outputs.
func appendOutput(b []byte, out any) ([]byte, error) {
	if o, ok := out.(model.Output); ok {
		return model.AppendJSON(b, o)
	}
	return json.Marshal(out)
}

// mayAnswer tells whether op may answer with an error of that code. An InternalFailureException goes without saying, but
// the engine has none: one would be a fault like others.
func mayAnswer(op *engine.Operation, code string) bool {
	return code == "ThrottlingException" || op != nil && slices.Contains(op.Errors, code)
}

// failure is the answer to what is no caller's fault. The request's id is how the host finds the error in its log.
func failure(requestID string) answer {
	e := &model.InternalFailureException{Message: "something went wrong here; the request is " + requestID}
	return answer{e.HTTPStatusCode(), e.ErrorCode(), message(e.Message)}
}

// message is the body of an error that has no more than a message.
func message(text string) []byte {
	body, _ := json.Marshal(map[string]string{"message": text}) // a string can always be written
	return body
}

// newRequestID returns a random UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
