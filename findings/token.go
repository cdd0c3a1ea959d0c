package findings

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Tokens makes and reads the opaque tokens that lead from one page of a listing to the next. A token
// carries its payload in the clear, bound to one query and protected against change; whoever lists
// keeps no state for it. It is safe for concurrent use. Make one with [NewTokens].
type Tokens struct {
	key [sha256.Size]byte
}

// NewTokens returns Tokens with a random key of their own: they read no token of any others, and none
// of those made before a restart.
func NewTokens() *Tokens {
	t := new(Tokens)
	rand.Read(t.key[:]) // never fails: the runtime ends the program instead
	return t
}

// A token is, in base64url without padding: the query's digest, the payload, the seal over both.
const (
	digestSize = 8
	sealSize   = 16
)

// Seal returns a token that carries payload and that [Tokens.Open] takes only together with query,
// the canonical bytes of what is listed. It keeps neither slice.
func (t *Tokens) Seal(query, payload []byte) string {
	raw := append(t.mac('q', query)[:digestSize], payload...)
	raw = append(raw, t.mac('s', raw)[:sealSize]...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Open returns the payload of a token that Seal made for the same query. Otherwise the error is
// [ErrOtherQuery] for a token of these Tokens but of another query, and [ErrForeignToken] for
// everything else: forged, cut short, changed, or made by other Tokens.
func (t *Tokens) Open(query []byte, token string) (payload []byte, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// Decoding ignores line breaks and unused bits; a token has one spelling only.
	if err != nil || len(raw) < digestSize+sealSize || base64.RawURLEncoding.EncodeToString(raw) != token {
		return nil, ErrForeignToken
	}
	body, seal := raw[:len(raw)-sealSize], raw[len(raw)-sealSize:]
	if !hmac.Equal(seal, t.mac('s', body)[:sealSize]) {
		return nil, ErrForeignToken
	}
	if !hmac.Equal(body[:digestSize], t.mac('q', query)[:digestSize]) {
		return nil, ErrOtherQuery
	}
	return body[digestSize:], nil
}

// mac keeps its two uses apart by their domain, so that a digest never passes for a seal.
func (t *Tokens) mac(domain byte, data []byte) []byte {
	h := hmac.New(sha256.New, t.key[:])
	h.Write([]byte{domain})
	h.Write(data)
	return h.Sum(nil)
}
