package inventory

import (
	"context"
	"io"
)

// SegmentSize is how many bytes of a file are read at once.
const SegmentSize = segmentSize

// LoadPEM loads a file "f" as PEM, whatever it looks like.
func LoadPEM(r io.Reader) Loaded {
	l := new(Loader)
	(&reading{Loader: l, r: r}).pem(context.Background(), l.newSegment("f"))
	l.settle()
	return l.Loaded()
}

// What tests judge PEM by themselves with.
var (
	Strangers = strangers
	DERSize   = derSize
)
