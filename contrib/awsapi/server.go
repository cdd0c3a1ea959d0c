package awsapi

import (
	"net/http"
	"time"
)

// Server returns a server of h whose limits are such that no client can hold what is everybody's. The caller gives it an
// address, or a listener, and owns it.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h,
		// A header that comes byte by byte is cut off.
		ReadHeaderTimeout: 10 * time.Second,
		// From the first byte of the header to the last of the body, which has Config.BodyTimeout unless something hides the
		// connection from the handler. It ends no call: a server lifts it when the body has been read.
		ReadTimeout: time.Minute,
		// From the end of the header: the body, the call, and a client that takes its answer byte by byte.
		WriteTimeout: time.Minute,
		// Longer than AWS's clients keep a connection that they do not use.
		IdleTimeout: 2 * time.Minute,
		// Signatures and session tokens take a few kilobytes.
		MaxHeaderBytes: 64 << 10,
		// OPTIONS * is answered as everything else is that is no operation.
		DisableGeneralOptionsHandler: true,
	}
}
