package inventory

import (
	"hash/maphash"
	"math/bits"
	"unique"
)

// issuer is who issued a certificate.
type issuer struct {
	names *namesakes // nil: nothing goes by its name
	from  *authority // nil: it is not in the inventory
}

// issuers is a table of issuers by what certificates say about theirs: rows stand in the bucket that the hash says.
// It is what a map would be, if that could be told the hash. Handles are equal exactly where names are, so that no hash
// decides.
type issuers [][]issuerRow

type issuerRow struct {
	name, keyID unique.Handle[string]
	issuer
}

// issuerHash returns the hash of an issuer's name and key identifier.
func issuerHash(name, keyID []byte) uint16 {
	return uint16(maphash.Bytes(seed, name) + 3*maphash.Bytes(seed, keyID))
}

// handle returns what stands for b, the same for all that are equal; zero if there is nothing.
func handle(b []byte) (h unique.Handle[string]) {
	if len(b) > 0 {
		h = unique.Make(string(b))
	}
	return h
}

// find returns the issuer of a certificate that has handles, if it is in the table.
func (t issuers) find(c *Certificate) (issuer, bool) {
	bucket := t[int(c.issuerHash)&(len(t)-1)]
	for i := range bucket {
		if row := &bucket[i]; row.name == c.issuerName && row.keyID == c.issuerKeyID {
			return row.issuer, true
		}
	}
	return issuer{}, false
}

// prepareIssuers has the issuers ready that name and key identifier tell.
func (r *Revocations) prepareIssuers() {
	r.handles = make(map[unique.Handle[string]]*namesakes, len(r.names))
	size := 0
	for name, n := range r.names {
		r.handles[handle([]byte(name))] = n
		size += 1 + len(n.authorities)
	}
	r.issuers = make(issuers, 1<<min(bits.Len(uint(size)), 16))
	for name, n := range r.names {
		known := make(map[string]bool)
		for keyID := range n.keyIDs() {
			fit := n.candidates([]byte(keyID))
			if known[keyID] || len(fit) != 1 {
				continue
			}
			known[keyID] = true
			i := int(issuerHash([]byte(name), []byte(keyID))) & (len(r.issuers) - 1)
			r.issuers[i] = append(r.issuers[i], issuerRow{handle([]byte(name)), handle([]byte(keyID)), issuer{n, fit[0]}})
		}
	}
}

// issuer returns who issued c. An error says why that cannot be told.
func (r *Revocations) issuer(c *Certificate) (issuer, error) {
	if c.issuerName == (unique.Handle[string]{}) {
		return r.names[string(c.RawIssuer())].issuer(c)
	}
	if i, ok := r.issuers.find(c); ok {
		return i, nil
	}
	return r.handles[c.issuerName].issuer(c)
}
