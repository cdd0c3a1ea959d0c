package findings_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestActive(t *testing.T) {
	end := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	east, west := time.FixedZone("east", 14*60*60), time.FixedZone("west", -12*60*60)
	date := func(t time.Time) model.AuditSuppression {
		return model.AuditSuppression{ExpirationDate: model.Timestamp{Time: t}}
	}
	never, forever := model.AuditSuppression{}, model.AuditSuppression{SuppressIndefinitely: new(true)}
	dated := date(end)
	dated.SuppressIndefinitely = new(false)
	both := date(end)
	both.SuppressIndefinitely = new(true)
	for _, row := range []struct {
		name        string
		suppression model.AuditSuppression
		at          time.Time
		want        bool
	}{
		{"1 ns before", date(end), end.Add(-1), true},
		{"at", date(end), end, false},
		{"1 ns after", date(end), end.Add(1), false},
		{"long before", date(end), end.AddDate(-10, 0, 0), true},
		{"1 ns before, elsewhere", date(end), end.Add(-1).In(east), true},
		{"at, elsewhere", date(end), end.In(east), false},
		{"at, on the day before elsewhere", date(end), end.In(west), false},
		{"a date elsewhere, 1 ns before", date(end.In(west)), end.Add(-1), true},
		{"a date elsewhere, at", date(end.In(east)), end, false},
		{"not indefinitely, before", dated, end.Add(-1), true},
		{"not indefinitely, at", dated, end, false},
		{"indefinitely", forever, end.AddDate(1000, 0, 0), true},
		{"indefinitely, with a date", both, end.Add(1), true},
		{"neither", never, end, false},
		{"neither, before year 1", never, time.Time{}.Add(-1), false},
		{"neither, at no time", never, time.Time{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, findings.Active(row.suppression, row.at))
			s := findings.NewSuppressions(slices.Values([]model.AuditSuppression{row.suppression}))
			require.Equal(t, row.want, s.Match("", model.ResourceIdentifier{}, row.at))
		})
	}
}

// matches is the naive matcher: the last suppression of the list with the key decides.
func matches(list []model.AuditSuppression, check string, r model.ResourceIdentifier, at time.Time) bool {
	for _, s := range slices.Backward(list) {
		if s.CheckName == check && s.ResourceIdentifier == r {
			return s.SuppressIndefinitely != nil && *s.SuppressIndefinitely ||
				!s.ExpirationDate.IsZero() && at.UnixNano() < s.ExpirationDate.UnixNano()
		}
	}
	return false
}

// suppressions draws from so few checks, resources and instants that many questions find one.
func (w *world) suppressions() []model.AuditSuppression {
	list := make([]model.AuditSuppression, w.IntN(80))
	for i := range list {
		list[i] = model.AuditSuppression{CheckName: w.check(), ResourceIdentifier: w.resource()}
		if w.IntN(4) > 0 {
			list[i].ExpirationDate = model.Timestamp{Time: w.instant()}
		}
		if w.IntN(2) == 0 {
			list[i].SuppressIndefinitely = new(w.IntN(4) == 0)
		}
	}
	return list
}

func (w *world) instant() time.Time {
	return benchStart.Add(time.Duration(w.IntN(8))).In(time.FixedZone("", 3600*w.IntN(12)))
}

func TestSuppressionsMatchAsTheListDoes(t *testing.T) {
	yes, no := 0, 0
	for seed := range uint64(500) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 2))}
		list := w.suppressions()
		s := findings.NewSuppressions(slices.Values(list))
		kept := slices.Clone(list)
		for i := range list { // what the list becomes later makes no difference
			if kept[i].SuppressIndefinitely != nil {
				kept[i].SuppressIndefinitely = new(*kept[i].SuppressIndefinitely)
				*list[i].SuppressIndefinitely = !*list[i].SuppressIndefinitely
			}
			list[i].CheckName = "changed"
		}
		for range 100 {
			check, r, at := w.check(), w.resource(), w.instant()
			want := matches(kept, check, r, at)
			require.Equal(t, want, s.Match(check, r, at), "%s %v at %v, seed %d", check, r, at, seed)
			any := slices.ContainsFunc(kept, func(s model.AuditSuppression) bool { return s.CheckName == check })
			require.Equal(t, any, s.Any(check), "%s, seed %d", check, seed)
			if want {
				yes++
			} else {
				no++
			}
		}
	}
	require.Greater(t, min(yes, no), 5000, "%d matches, %d others", yes, no)
}

func TestNoSuppressions(t *testing.T) {
	require.False(t, findings.Suppressions{}.Match("C", model.ResourceIdentifier{ClientID: "a"}, benchStart))
	none := findings.NewSuppressions(slices.Values([]model.AuditSuppression(nil)))
	require.False(t, findings.Suppressions{}.Any("C") || none.Any("C"))
	require.False(t, none.Match("C", model.ResourceIdentifier{ClientID: "a"}, benchStart))
}

// FuzzActive compares the two instants as numbers.
func FuzzActive(f *testing.F) {
	f.Add(int64(0), int64(0), int16(0), int16(60))
	f.Add(int64(1), int64(0), int16(-720), int16(840))
	f.Fuzz(func(t *testing.T, end, at int64, endZone, atZone int16) {
		zone := func(minutes int16) *time.Location { return time.FixedZone("", 60*int(minutes)) }
		s := model.AuditSuppression{ExpirationDate: model.Timestamp{Time: time.Unix(0, end).In(zone(endZone))}}
		if got := findings.Active(s, time.Unix(0, at).In(zone(atZone))); got != (at < end) {
			t.Errorf("expires %d, at %d: %t", end, at, got)
		}
	})
}

// BenchmarkMatch asks about a check without any suppression, and about one with many.
func BenchmarkMatch(b *testing.B) {
	fs := fleet(1e5)
	var list []model.AuditSuppression
	for i := range fs {
		list = append(list, model.AuditSuppression{
			CheckName: "CHECK_1", ResourceIdentifier: fs[i].Resource.ResourceIdentifier, SuppressIndefinitely: new(true),
		})
	}
	for _, row := range []struct {
		name, check string
		list        []model.AuditSuppression
		want        bool
	}{
		{"none", "CHECK_1", nil, false},
		{"others", "CHECK_0", list, false},
		{"its", "CHECK_1", list, true},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := findings.NewSuppressions(slices.Values(row.list))
			i := 0
			for b.Loop() {
				if s.Match(row.check, fs[i].Resource.ResourceIdentifier, benchStart) != row.want {
					b.Fatalf("finding %d: not %t", i, row.want)
				}
				if i++; i == len(fs) {
					i = 0
				}
			}
		})
	}
}
