package connection

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	// lookBack is how far an audit looks back that no run of the same schedule came before.
	lookBack = 31 * 24 * time.Hour
	// maxRelated is how many connections a finding lists.
	maxRelated = 1000
)

// window is the time that a check looks at: later than from, and no later than to.
type window struct {
	from, to time.Time
	now      time.Time // of the audit
}

// newWindow makes a window that ends some time before the audit.
func newWindow(pass *checks.Pass, before time.Duration) window {
	w := window{from: pass.Time.Add(-lookBack), to: pass.Time.Add(-before), now: pass.Time}
	if !pass.Since.IsZero() {
		w.from = pass.Since.Add(-before)
	}
	return w
}

func (w *window) has(t time.Time) bool { return t.After(w.from) && !t.After(w.to) }

// stay is the time in which a connection was open: from its start on, up to its end and not including it.
type stay struct {
	*inventory.Connection
	start  time.Time // an instant before the end, if it is not known
	end    time.Time // an instant after the audit, if it was open then
	ousted bool      // another connection took it over
}

// stays are connections in the order of their starts. faults says what is wrong with those that cannot be judged.
func (w *window) stays(connections []inventory.Connection) (stays []stay, faults string) {
	timeless, endless := 0, 0
	stays = make([]stay, 0, len(connections))
	for i := range connections {
		c := &connections[i]
		s := stay{c, c.ConnectedAt, c.DisconnectedAt, c.TakenOver}
		switch {
		case c.ConnectedAt.IsZero() && c.DisconnectedAt.IsZero():
			timeless++
			continue
		case c.TakenOver && c.DisconnectedAt.IsZero():
			endless++
			continue
		case c.ConnectedAt.IsZero():
			s.start = c.DisconnectedAt.Add(-1)
		case c.DisconnectedAt.IsZero() || c.DisconnectedAt.After(w.now):
			s.end, s.ousted = w.now.Add(1), false
		case c.DisconnectedAt.Before(c.ConnectedAt):
			s.end = c.ConnectedAt
		}
		stays = append(stays, s)
	}
	slices.SortFunc(stays, stay.compare)
	if timeless > 0 {
		faults = fmt.Sprintf("Connections with neither a time of connection nor of disconnection: %d.", timeless)
	}
	if endless > 0 {
		faults += fmt.Sprintf(" Connections that were taken over, and have no time of disconnection: %d.", endless)
	}
	return stays, strings.TrimPrefix(faults, " ")
}

// open are those of stays that were open in the window.
func (w *window) open(stays []stay) (open []stay) {
	if !w.to.After(w.from) {
		return nil
	}
	for _, s := range stays {
		first := s.start
		if s.ConnectedAt.IsZero() {
			first = s.end // so that it is open in the window that it ends in, and in no other
		}
		if !first.After(w.to) && s.end.After(w.from) {
			open = append(open, s)
		}
	}
	return open
}

// compare puts stays in the order of their starts, and none of them just anywhere.
func (s stay) compare(t stay) int {
	if n := cmp.Or(s.start.Compare(t.start), s.end.Compare(t.end)); n != 0 {
		return n
	}
	if s.ousted != t.ousted {
		if s.ousted {
			return -1
		}
		return 1
	}
	return cmp.Or(strings.Compare(s.ClientID, t.ClientID), strings.Compare(s.Principal, t.Principal),
		s.ConnectedAt.Compare(t.ConnectedAt), s.DisconnectedAt.Compare(t.DisconnectedAt))
}

// related lists connections that were open in the window, newest first, as one makes them.
func (w *window) related(f *checks.Finding, stays []stay, one func(*inventory.Connection) model.RelatedResource) {
	if rest := len(stays) - maxRelated; rest > 0 {
		f.Resource.AdditionalInfo = map[string]string{"CONNECTIONS_NOT_LISTED": strconv.Itoa(rest)}
		stays = stays[rest:]
	}
	for _, s := range slices.Backward(stays) {
		r := one(s.Connection)
		if r.AdditionalInfo == nil {
			r.AdditionalInfo = make(map[string]string, 2)
		}
		if !s.ConnectedAt.IsZero() {
			r.AdditionalInfo["CONNECTION_TIME"] = finding.EpochMillis(s.ConnectedAt)
		}
		if t := s.DisconnectedAt; !t.IsZero() && !t.After(w.now) {
			r.AdditionalInfo["DISCONNECTION_TIME"] = finding.EpochMillis(t)
		}
		f.Related = append(f.Related, r)
	}
}

func clientResource(c *inventory.Connection) model.RelatedResource {
	return model.RelatedResource{
		ResourceType:       model.ResourceTypeClientID,
		ResourceIdentifier: model.ResourceIdentifier{ClientID: c.ClientID},
	}
}
