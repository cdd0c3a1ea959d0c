package certfacts_test

import "slices"

// node is an element of DER whose parts can be changed.
type node struct {
	tag    byte
	size   func(int) string // its length, if it is not written as usual
	prefix string           // what is before the elements in a BIT STRING
	body   string           // if there are no elements in it
	parts  []*node
}

// tree reads all elements of der, and those in strings of bytes as well; nil if it is none.
func tree(der string) []*node {
	var list []*node
	for len(der) > 0 {
		if len(der) < 2 || der[0]&0x1f == 0x1f {
			return nil
		}
		n, size, header := &node{tag: der[0]}, int(der[1]), 2
		if size > 0x80 && size <= 0x83 && len(der) >= 2+size-0x80 {
			header += size - 0x80
			size = 0
			for _, b := range []byte(der[2:header]) {
				size = size<<8 | int(b)
			}
		} else if size >= 0x80 {
			return nil
		}
		if len(der) < header+size {
			return nil
		}
		n.body, der = der[header:header+size], der[header+size:]
		switch {
		case n.tag&0x20 != 0 || n.tag == octetString:
			n.parts = tree(n.body)
		case n.tag == bitString && len(n.body) > 0:
			n.prefix = n.body[:1]
			n.parts = tree(n.body[1:])
		}
		list = append(list, n)
	}
	return list
}

func (n *node) der() string {
	body := n.body
	if n.parts != nil {
		body = n.prefix + derOf(n.parts)
	}
	size := length
	if n.size != nil {
		size = n.size
	}
	return string([]byte{n.tag}) + size(len(body)) + body
}

func derOf(list []*node) string {
	der := ""
	for _, n := range list {
		der += n.der()
	}
	return der
}

// flat lists the nodes of a tree, with where each is.
func flat(list *[]*node) (places []place) {
	for i, n := range *list {
		places = append(places, place{list, i})
		places = append(places, flat(&n.parts)...)
	}
	return places
}

type place struct {
	list *[]*node
	at   int
}

// edits are what can be done to an element.
var edits = []func(p place, n *node){
	func(p place, n *node) { *p.list = slices.Insert(*p.list, p.at, n) },
	func(p place, n *node) { *p.list = slices.Delete(*p.list, p.at, p.at+1) },
	func(p place, n *node) { // swapped with the one before it
		if p.at > 0 {
			(*p.list)[p.at-1], (*p.list)[p.at] = n, (*p.list)[p.at-1]
		}
	},
	func(p place, n *node) { *p.list = slices.Insert(*p.list, p.at+1, &node{tag: null}) },
	func(p place, n *node) { n.leaf(); n.body = n.body[:max(0, len(n.body)-1)] },
	func(p place, n *node) { n.leaf(); n.body = n.body[min(1, len(n.body)):] },
	func(p place, n *node) { n.leaf(); n.body += "\x00" },
	func(p place, n *node) { n.leaf(); n.body = "\x00" + n.body },
	func(p place, n *node) { n.leaf(); n.body = "\xff" + n.body },
	func(p place, n *node) { n.leaf(); n.body = "\x80" + n.body },
	func(p place, n *node) { n.leaf(); n.body = "" },
	func(p place, n *node) { n.flip(0, 0x80) },
	func(p place, n *node) { n.flip(0, 0x01) },
	func(p place, n *node) { n.flip(-1, 0x80) },
	func(p place, n *node) { n.flip(-1, 0x01) },
	func(p place, n *node) { n.flip(len(n.body)/2, 0x80) },
	func(p place, n *node) { n.flip(len(n.body)/2, 0x20) },
	func(p place, n *node) { n.tag ^= 0x20 },
	func(p place, n *node) { n.tag ^= 0x80 },
	func(p place, n *node) { n.tag ^= 0x01 },
	func(p place, n *node) { n.tag |= 0x1f },
	func(p place, n *node) { n.size = func(s int) string { return string([]byte{0x81, byte(s)}) } },
	func(p place, n *node) {
		n.size = func(s int) string { return string([]byte{0x82, byte(s >> 8), byte(s)}) }
	},
	func(p place, n *node) {
		n.size = func(s int) string { return string([]byte{0x83, 0, byte(s >> 8), byte(s)}) }
	},
	func(p place, n *node) { n.size = func(s int) string { return "\x80" } },
	func(p place, n *node) { n.size = func(s int) string { return string([]byte{0x83, byte(s)}) } },
	func(p place, n *node) { n.size = func(s int) string { return length(s + 1) } },
	func(p place, n *node) { n.size = func(s int) string { return length(max(0, s-1)) } },
	func(p place, n *node) { n.size = func(s int) string { return length(s + 128) } },
	func(p place, n *node) { n.size = func(s int) string { return "\x84\x40\x00\x00\x00" } },
	func(p place, n *node) { n.size = func(s int) string { return "\x82" } },
	func(p place, n *node) { n.size = func(s int) string { return "\x81" } },
	func(p place, n *node) { n.leaf(); n.body = n.body + n.body + n.body },
}

// leaf makes n an element whose contents are bytes.
func (n *node) leaf() {
	if n.parts != nil {
		n.body, n.parts = n.prefix+derOf(n.parts), nil
	}
}

// flip changes a byte of the contents, from the end if at is negative.
func (n *node) flip(at int, with byte) {
	n.leaf()
	if n.body == "" {
		return
	}
	b := []byte(n.body)
	b[(at+len(b))%len(b)] ^= with
	n.body = string(b)
}

// edited returns der with an edit done to one of its elements; false if there is no such element.
func edited(der []byte, element, edit int) ([]byte, bool) {
	list := tree(string(der))
	places := flat(&list)
	if element >= len(places) {
		return der, false
	}
	p := places[element]
	edits[edit%len(edits)](p, (*p.list)[p.at])
	return []byte(derOf(list)), true
}
