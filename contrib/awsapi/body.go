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
}

// newBodyLimit begins to count the time that r's body may take to arrive. This holds for one that nobody reads, too:
// the server passes over what is left of it before it answers.
func newBodyLimit(w http.ResponseWriter, r *http.Request, c Config) *bodyLimit {
	l := &bodyLimit{w: w, r: r, max: c.MaxBody, time: c.BodyTimeout}
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
	raw, err := io.ReadAll(http.MaxBytesReader(l.w, l.r.Body, l.max))
	if err == nil {
		// The server reads on, to see whether the client leaves while it waits for the answer. If the host has read the
		// body before, it does so already, and would take the deadline for that.
		l.deadline(time.Time{})
		return raw, nil
	}
	// The server closes the connection, and is not to read what is left before it does.
	l.deadline(time.Now())
	switch {
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
	plain, err := io.ReadAll(http.MaxBytesReader(nil, packed, l.max))
	if isTooLarge(err) {
		return nil, l.tooLarge("has more bytes when it is unpacked")
	}
	if err != nil {
		return nil, malformed(err)
	}
	return plain, nil
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
