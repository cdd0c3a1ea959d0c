package inventory

// Ahead does work on n segments of a size, and takes them. It returns how many were worked on at once at most.
func Ahead(n, size int, work, take func(i int)) (most int) {
	var a ahead
	number := func(g *segment) { take(int(g.at)) }
	for i := range n {
		g := &segment{at: int64(i), text: make([]byte, size)}
		a.do(g, func() { work(i) }, number)
		most = max(most, len(a.begun))
	}
	a.wait(number)
	return most
}

// MaxBegun is how many bytes of segments are worked on at once.
const MaxBegun = maxBegun
