package inventory

// NameBytes returns how many bytes of names count against MaxConnections: as they are counted all along, and counted
// anew.
func (r *Recorder) NameBytes() (counted, anew int) {
	for n := range r.history.clients.numbers() {
		anew += max(0, len(r.history.clients.at(n).id)-64)
	}
	for _, name := range r.history.names {
		anew += max(0, len(name)-64)
	}
	return r.history.beyond, anew
}

// Restarts returns how many restarts are remembered.
func (r *Recorder) Restarts() int { return len(r.history.restarts) }

// Principals returns how many principals are remembered.
func (r *Recorder) Principals() int { return r.history.principals.len() }
