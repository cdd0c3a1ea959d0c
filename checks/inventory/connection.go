package inventory

import (
	"encoding/hex"
	"time"
)

// Connection is one session of a client with the message broker.
type Connection struct {
	ClientID string
	// Principal is who connected: the id of the certificate (64 hexadecimal digits) or its ARN, or the id of another
	// identity. Empty: not known.
	Principal      string
	ConnectedAt    time.Time // zero: not known, and it had been connected before DisconnectedAt
	DisconnectedAt time.Time // zero: still connected
	// TakenOver says that the broker ended it because the same client id connected again, as AWS's
	// disconnectReason DUPLICATE_CLIENTID does.
	TakenOver bool
	// TakenOverBy is the Principal of the connection that took over. Empty: not known.
	TakenOverBy string
}

// CertificateID returns the id of the certificate that a Principal is, in lower case, or nothing if it is another
// identity.
func CertificateID(principal string) string {
	if id, ok := certificateKey(principal); ok {
		return hex.EncodeToString(id[:])
	}
	return ""
}

// CertificateID returns the id of the certificate that was connected with, as the function of that name has it.
func (c *Connection) CertificateID() string { return CertificateID(c.Principal) }

// begun is when the connection is known to have been open first.
func (c *Connection) begun() time.Time {
	if c.ConnectedAt.IsZero() {
		return c.DisconnectedAt.Add(-1)
	}
	return c.ConnectedAt
}

// Client is a client id and the connections that were made with it, newest first.
type Client struct {
	ID          string
	Connections []Connection
}

// Settling is how long before an audit the window of DEVICE_CERTIFICATE_SHARED_CHECK ends, as AWS's does, so that
// events which come late can still come: two hours. Until a [Recorder] has an event that is as old, that window is
// empty.
const Settling = 2 * time.Hour

// CertificateUse is a device certificate and the connections that were made with it, newest first.
type CertificateUse struct {
	CertificateID string
	Connections   []Connection
}
