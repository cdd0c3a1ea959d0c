package certaudit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Answer is what an audit has found: that of a Task of [Works].
type Answer struct {
	Counts map[string]int // of findings, by check and reason code
	Digest string         // of check, certificate and reason code of each finding, in any order
}

// verdict is one finding.
type verdict struct{ check, certificate, code string }

func newAnswer(all []verdict) Answer {
	a := Answer{Counts: make(map[string]int)}
	slices.SortFunc(all, func(a, b verdict) int {
		if c := strings.Compare(a.check, b.check); c != 0 {
			return c
		}
		if c := strings.Compare(a.certificate, b.certificate); c != 0 {
			return c
		}
		return strings.Compare(a.code, b.code)
	})
	h := sha256.New()
	for _, v := range all {
		a.Counts[v.check+" "+v.code]++
		h.Write([]byte(v.check + " " + v.certificate + " " + v.code + "\n"))
	}
	a.Digest = hex.EncodeToString(h.Sum(nil))
	return a
}
