package policy

// Covers, Meets and After let tests ask patterns without variables.
func Covers(g, x string) bool {
	e := maxEffort
	return dialect{}.compile(g).covers(dialect{}.compile(x), &e)
}

func Meets(g, x string) bool {
	e := maxEffort
	return dialect{}.compile(g).meets(dialect{}.compile(x), &e)
}

// After tells whether something that is left of g after prefix matches s.
func After(g, prefix, s string) bool {
	for _, left := range (dialect{}).compile(g).after(prefix) {
		if e := maxEffort; left.covers(dialect{}.compile(s), &e) {
			return true
		}
	}
	return false
}

// Bans returns how many Denies of the set are looked at for each Allow.
func Bans(s Set) int { return len(s.analyse().bans("")) }
