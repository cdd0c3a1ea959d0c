package awsapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// bodyLimit reads the body of one request, and no more of it than the Config allows.
type bodyLimit struct {
	w    http.ResponseWriter
	r    *http.Request
	max  int64
	time time.Duration

	hidden bool // the connection is, and so its deadline is the server's

	slots chan struct{} // of large bodies; full when there are as many as may be
	held  bool          // one of the slots is this body's
}

// A body of more than smallBody bytes, as it came or unpacked, is large, and of those a handler has at most maxLarge in
// memory. Requests of AWS's clients have a few hundred bytes, but for those that name thousands of checks.
const (
	smallBody = 64 << 10
	maxLarge  = 32
)

// newBodyLimit begins to count the time that r's body may take to arrive. This holds for one that nobody reads, too:
// the server passes over what is left of it before it answers.
func newBodyLimit(w http.ResponseWriter, r *http.Request, c Config, slots chan struct{}) *bodyLimit {
	l := &bodyLimit{w: w, r: r, max: c.MaxBody, time: c.BodyTimeout, slots: slots}
	if l.has() {
		l.deadline(time.Now().Add(l.time))
	}
	return l
}

// has tells whether there is a body. A server that gets none is told so by NoBody.
func (l *bodyLimit) has() bool { return l.r.Body != nil && l.r.Body != http.NoBody }

// deadline is that of reading from the connection. A request that came without one has none.
func (l *bodyLimit) deadline(t time.Time) {
	// Other errors are of a connection that is gone, as reading will tell.
	err := http.NewResponseController(l.w).SetReadDeadline(t)
	l.hidden = errors.Is(err, http.ErrNotSupported)
}

// read returns the body as it came over the wire.
func (l *bodyLimit) read() ([]byte, error) {
	if !l.has() {
		return nil, nil
	}
	if l.r.ContentLength > l.max {
		return nil, l.tooLarge(fmt.Sprintf("has %d bytes", l.r.ContentLength))
	}
	raw, err := l.all(http.MaxBytesReader(l.w, l.r.Body, l.max))
	if err == nil {
		// The server reads on, to see whether the client leaves while it waits for the answer. If the host has read the
		// body before, it does so already, and would take the deadline for that.
		l.deadline(time.Time{})
		return raw, nil
	}
	// The server closes the connection, and is not to read what is left before it does.
	l.deadline(time.Now())
	switch {
	case err == errBusy:
		l.w.Header().Set("Connection", "close") // of a body that breaks off the server knows that by itself
		return nil, err
	case isTooLarge(err):
		return nil, l.tooLarge("has more bytes")
	case errors.Is(err, os.ErrDeadlineExceeded):
		within := l.time.String()
		if l.hidden {
			within = "the server's time"
		}
		return nil, &apiError{"RequestTimeoutException", http.StatusRequestTimeout, "the body did not arrive within " + within}
	}
	return nil, malformed(err)
}

// errBusy is why a large body is not read on.
var errBusy error = &apiError{"ServiceUnavailableException", http.StatusServiceUnavailable,
	fmt.Sprintf("%d requests with bodies of more than %d bytes are being served: try again", maxLarge, smallBody)}

// all reads r to its end. What goes beyond a small body takes a slot, which is the body's until done is called.
func (l *bodyLimit) all(r io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(r, smallBody+1))
	if err != nil || len(head) <= smallBody {
		return head, err
	}
	if !l.held {
		select {
		case l.slots <- struct{}{}:
			l.held = true
		default:
			return nil, errBusy
		}
	}
	rest, err := io.ReadAll(r)
	return append(head, rest...), err
}

// done says that the body is needed no more.
func (l *bodyLimit) done() {
	if l.held {
		<-l.slots
	}
}

// unpack undoes the Content-Encoding of a body.
func (l *bodyLimit) unpack(raw []byte, header http.Header) ([]byte, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	encoding := strings.Join(header.Values("Content-Encoding"), ", ")
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return raw, nil
	case "gzip":
	default:
		return nil, &apiError{"UnsupportedMediaTypeException", http.StatusUnsupportedMediaType,
			fmt.Sprintf("Content-Encoding %.80q must be gzip, identity or absent", encoding)}
	}
	packed, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, malformed(err)
	}
	plain, err := l.all(http.MaxBytesReader(nil, packed, l.max))
	switch {
	case err == nil || err == errBusy:
		return plain, err
	case isTooLarge(err):
		return nil, l.tooLarge("has more bytes when it is unpacked")
	}
	return nil, malformed(err)
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

func (l *bodyLimit) tooLarge(how string) error {
	return &apiError{"RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
		fmt.Sprintf("the body may have %d bytes, and %s", l.max, how)}
}

func malformed(err error) error {
	return &apiError{"MalformedHttpRequestException", http.StatusBadRequest, "the body cannot be read: " + err.Error()}
}
