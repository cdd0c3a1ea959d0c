package connection_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// oracle is what should be reported, as labels are: it looks at every pair of connections.
func oracle(at, since time.Time, connections []inventory.Connection) (clients, certificates string) {
	c := contents(connections)
	var all [2][]string
	for _, x := range c.Clients {
		if slices.ContainsFunc(x.Connections, faulty) {
			all[0] = append(all[0], x.ID+"?")
		}
		if o := newSight(at, since, 0, x.Connections); o.takeover(o.all, "") {
			all[0] = append(all[0], x.ID)
		}
	}
	for _, x := range c.CertificateUses {
		name := notation(x.CertificateID)
		if slices.ContainsFunc(x.Connections, faulty) {
			all[1] = append(all[1], name+"?")
		}
		o := newSight(at, since, 2*hour, x.Connections)
		bad := o.concurrent()
		for _, k := range o.all {
			bad = bad || o.takeover(o.of(k.ClientID), x.CertificateID)
		}
		if bad {
			all[1] = append(all[1], name)
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return strings.Join(all[0], " "), strings.Join(all[1], " ")
}

func faulty(k inventory.Connection) bool {
	return k.DisconnectedAt.IsZero() && (k.ConnectedAt.IsZero() || k.TakenOver)
}

// sight is what an audit sees: times in nanoseconds after the audit, for a window of those that are greater than
// from and at most to.
type sight struct {
	from, to int64
	all      []seen
}

type seen struct {
	inventory.Connection
	known      bool // when it began
	start, end int64
}

func newSight(at, since time.Time, settling time.Duration, connections []inventory.Connection) (o sight) {
	o.from, o.to = -int64(31*day), -int64(settling)
	if !since.IsZero() {
		o.from = int64(since.Sub(at) - settling)
	}
	for _, k := range connections {
		s := seen{k, !k.ConnectedAt.IsZero(), int64(k.ConnectedAt.Sub(at)), int64(k.DisconnectedAt.Sub(at))}
		switch {
		case faulty(k):
			continue
		case k.DisconnectedAt.IsZero():
			s.end = int64(1000 * day)
		case !s.known:
			s.start = s.end - 1
		}
		s.end = max(s.end, s.start)
		o.all = append(o.all, s)
	}
	return o
}

func (o *sight) of(client string) (all []seen) {
	for _, k := range o.all {
		if k.ClientID == client {
			all = append(all, k)
		}
	}
	return all
}

func (o *sight) has(t int64) bool { return o.from < t && t <= o.to }

// during says whether b began while a was open.
func during(a, b seen) bool {
	return a.start <= b.start && b.start < a.end && (a.start < b.start || a.end <= b.end || b.start < b.end)
}

// concurrent says whether two client ids were connected together in the window: not before the window, not after
// it, and not one after the other.
func (o *sight) concurrent() bool {
	for _, a := range o.all {
		for _, b := range o.all {
			if a.ClientID == b.ClientID || !during(a, b) || o.to <= o.from {
				continue
			}
			first, last := b.start, min(a.end, b.end)
			if b.start == b.end || !b.known { // an instant
				if o.has(b.end) {
					return true
				}
			} else if !a.known {
				if o.has(a.end) {
					return true
				}
			} else if first <= o.to && last > o.from {
				return true
			}
		}
	}
	return false
}

// takeover says whether a connection of a client id took over another in the window; with the certificate, if it is
// about one.
func (o *sight) takeover(all []seen, certificate string) bool {
	const exact = int64(2 * time.Minute)
	all = slices.Clone(all)
	if certificate != "" {
		inOrder(all)
		for i := range all {
			a := &all[i]
			switch soon := false; {
			case !a.TakenOver || a.TakenOverBy == certificate:
			case a.TakenOverBy != "":
				a.TakenOver, a.end = false, max(a.start, a.end-exact)
			default:
				for _, b := range all[i+1:] {
					soon = soon || b.known && b.start <= a.end+exact
				}
				a.TakenOver = soon
			}
		}
	}
	inOrder(all)
	for i, a := range all {
		overlaps := false
		for _, b := range all[i+1:] {
			if a.known && b.known && during(a, b) {
				overlaps = true
				if o.has(b.start) {
					return true
				}
			}
		}
		if a.TakenOver && !overlaps && o.has(a.end) {
			return true
		}
	}
	return false
}

// inOrder sorts connections by their beginnings, then by their ends, those that were taken over first.
func inOrder(all []seen) {
	slices.SortStableFunc(all, func(a, b seen) int {
		if n := cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)); n != 0 || a.TakenOver == b.TakenOver {
			return n
		}
		if a.TakenOver {
			return -1
		}
		return 1
	})
}

// instants are the times of random connections, before an audit: the borders of windows, and a few minutes.
func instants(at, since time.Time) (all []time.Time) {
	for _, t := range []time.Time{at, since, at.Add(-31 * day), at.Add(-5 * hour)} {
		for _, d := range []time.Duration{0, -2 * hour} {
			for _, e := range []time.Duration{-1, 0, 1, 2*time.Minute - 1, 2 * time.Minute, 2*time.Minute + 1} {
				all = append(all, t.Add(d+e))
			}
		}
	}
	return append(all, at.Add(-32*day), at.Add(-20*day), at.Add(-3*hour), at.Add(hour))
}

// decode makes connections of bytes, four for each, with times among instants. One in 32 cannot be judged.
func decode(data []byte, instants []time.Time) (all []inventory.Connection) {
	principals := []string{"A", "A", "A", "A", "B", "B", "?", "eu:1"}
	for ; len(data) >= 4; data = data[4:] {
		k := inventory.Connection{
			ClientID: []string{"lamp", "lamp", "plug", "hub"}[data[0]&3], Principal: principal(principals[data[0]>>2&7]),
			ConnectedAt: instants[int(data[1])%len(instants)], DisconnectedAt: instants[int(data[2])%len(instants)],
		}
		if k.TakenOver = data[0]&32 != 0; k.TakenOver {
			k.TakenOverBy = principal(principals[data[3]>>2&7])
		}
		switch data[3] & 3 {
		case 0:
			if k.ConnectedAt = (time.Time{}); data[3] < 32 {
				k.DisconnectedAt = time.Time{}
			}
		case 1:
			if k.DisconnectedAt = (time.Time{}); data[3] >= 32 {
				k.TakenOver, k.TakenOverBy = false, ""
			}
		default:
			if data[3]&128 == 0 && k.DisconnectedAt.Before(k.ConnectedAt) { // mostly the right way round
				k.ConnectedAt, k.DisconnectedAt = k.DisconnectedAt, k.ConnectedAt
			}
		}
		all = append(all, k)
	}
	return all
}

// knownAt is what an audit can know of connections that go on after it.
func knownAt(at time.Time, connections []inventory.Connection) (all []inventory.Connection) {
	for _, k := range connections {
		switch {
		case faulty(k):
		case k.ConnectedAt.After(at), k.ConnectedAt.IsZero() && k.DisconnectedAt.After(at):
			continue
		case k.DisconnectedAt.After(at):
			k.DisconnectedAt, k.TakenOver, k.TakenOverBy = time.Time{}, false, ""
		}
		all = append(all, k)
	}
	return all
}

// obey holds the checks against the oracle over random connections, and wants that neither their order nor what
// happens after the audit makes a difference. It returns what they find.
func obey(t *testing.T, at, since time.Time, connections []inventory.Connection, seed uint64) []checks.Finding {
	t.Helper()
	found := audit(t, at, since, connections)
	clients, certificates := labels(found)
	if c, d := oracle(at, since, connections); c != clients || d != certificates {
		t.Errorf("got %q and %q, the oracle says %q and %q", clients, certificates, c, d)
	}
	mixed := slices.Clone(connections)
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	sameFindings(t, "in another order", found, audit(t, at, since, mixed))
	sameFindings(t, "without what comes after the audit", found, audit(t, at, since, knownAt(at, connections)))
	if t.Failed() {
		t.Fatalf("at %v since %v:\n%s", at, since, written(at, connections))
	}
	return found
}

// written is connections in the tests' notation, for who has to look into a failure.
func written(at time.Time, connections []inventory.Connection) string {
	var lines []string
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Sub(at).String()
	}
	for _, k := range connections {
		line := k.ClientID + "/" + notation(k.Principal) + " " + when(k.ConnectedAt) + ".." + when(k.DisconnectedAt)
		if k.TakenOver {
			line += ">" + notation(k.TakenOverBy)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	answers := make(map[[2]bool]int) // whether clients, and certificates, were reported
	for range 3000 {
		since := time.Time{}
		if r.IntN(3) > 0 {
			since = now.Add(-time.Duration(r.IntN(6)) * day / 4)
		}
		data := make([]byte, 4*(1+r.IntN(7)))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		clients, certificates := labels(obey(t, now, since, decode(data, instants(now, now.Add(-day))), r.Uint64()))
		answers[[2]bool{clients != "", certificates != ""}]++
	}
	for _, answer := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
		if answers[answer] < 50 {
			t.Errorf("%v came %d times, which tries too little", answer, answers[answer])
		}
	}
}

func FuzzConnections(f *testing.F) {
	for n := range 40 {
		r := rand.New(rand.NewPCG(5, uint64(n)))
		data := make([]byte, 4*(2+n%5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, byte(n))
	}
	f.Fuzz(func(t *testing.T, data []byte, quarters byte) {
		since := time.Time{}
		if quarters > 0 {
			since = now.Add(-time.Duration(quarters%8) * day / 4)
		}
		data = data[:min(len(data), 4*40)]
		obey(t, now, since, decode(data, instants(now, now.Add(-day))), 1)
	})
}
