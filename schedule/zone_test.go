package schedule_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// transition puts the hands of a made-up zone's clock to an offset, in seconds, at a Unix second.
type transition struct {
	at     int64
	offset int32
}

// madeUp is a zone that no country has: its offset, its transitions, and the rule for the time after them.
func madeUp(tb testing.TB, offset int32, transitions []transition, rule string) *time.Location {
	tb.Helper()
	var b bytes.Buffer
	header := func(times, types, chars int) {
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		for _, n := range []int{0, 0, 0, times, types, chars} {
			binary.Write(&b, binary.BigEndian, uint32(n))
		}
	}
	local := func(offset int32) {
		binary.Write(&b, binary.BigEndian, offset)
		b.Write([]byte{0, 0}) // no summer time, first abbreviation
	}
	header(0, 0, 0)
	header(len(transitions), len(transitions)+1, 4)
	for _, t := range transitions {
		binary.Write(&b, binary.BigEndian, t.at)
	}
	for i := range transitions {
		b.WriteByte(byte(i + 1))
	}
	local(offset)
	for _, t := range transitions {
		local(t.offset)
	}
	b.WriteString("ODD\x00\n" + rule + "\n")
	loc, err := time.LoadLocationFromTZData("made/up", b.Bytes())
	require.NoError(tb, err)
	return loc
}

func seconds(h, m, s int) int32 { return int32(h*3600 + m*60 + s) }

func TestMadeUpZones(t *testing.T) {
	at := instant(t, "2026-06-10T00:00:00Z")
	for _, c := range []struct {
		name        string
		offset      int32
		transitions []transition
		rule        string
		schedule    schedule.Schedule
		after       time.Time
		want        []string
	}{
		{
			name:        "a gap of more than two days makes three slots one",
			offset:      seconds(-25, 0, 0),
			transitions: []transition{{at.Unix(), seconds(25, 30, 0)}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily},
			after:       at.Add(-time.Hour),
			want:        []string{"2026-06-11T01:30:00+25:30", "2026-06-12T00:00:00+25:30"},
		}, {
			name:        "a fold of more than two days doubles none",
			offset:      seconds(25, 30, 0),
			transitions: []transition{{at.Unix(), seconds(-25, 0, 0)}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily},
			after:       at.AddDate(0, 0, -2),
			want:        []string{"2026-06-10T00:00:00+25:30", "2026-06-11T00:00:00+25:30", "2026-06-12T00:00:00-25:00"},
		}, {
			name:        "after in the second run of a fold of more than two days",
			offset:      seconds(25, 30, 0),
			transitions: []transition{{at.Unix(), seconds(-25, 0, 0)}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily},
			after:       at.Add(48 * time.Hour),
			want:        []string{"2026-06-12T00:00:00-25:00", "2026-06-13T00:00:00-25:00"},
		}, {
			name:        "a fold in a fold",
			transitions: []transition{{at.Unix(), seconds(-1, 0, 0)}, {at.Unix() + 1800, seconds(-2, 0, 0)}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 23*time.Hour + 50*time.Minute},
			after:       at.Add(-time.Hour),
			want:        []string{"2026-06-09T23:50:00Z", "2026-06-10T23:50:00-02:00"},
		}, {
			name:        "a gap whose time a fold brings back is due after the gap",
			transitions: []transition{{at.Unix(), seconds(2, 0, 0)}, {at.Unix() + 1800, 0}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: time.Hour},
			after:       at.Add(-time.Hour),
			want:        []string{"2026-06-10T02:00:00+02:00", "2026-06-11T01:00:00Z"},
		}, {
			name:        "a gap closes and the next begins before the slot",
			transitions: []transition{{at.Unix(), seconds(1, 0, 0)}, {at.Unix() + 60, seconds(2, 0, 0)}},
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 90 * time.Minute},
			after:       at.Add(-time.Hour),
			want:        []string{"2026-06-10T02:01:00+02:00", "2026-06-11T01:30:00+02:00"},
		}, {
			name:        "a rule of summer times, on the 366th day of a year",
			transitions: []transition{{at.Unix(), seconds(-5, 0, 0)}},
			rule:        "XST5XDT,M3.2.0,M11.1.0",
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 20 * time.Hour},
			after:       instant(t, "2028-12-30T20:00:00-05:00"),
			want:        []string{"2028-12-31T20:00:00-05:00", "2029-01-01T20:00:00-05:00"},
		}, {
			name:        "a rule of the southern half, on the 366th day of a year",
			transitions: []transition{{at.Unix(), seconds(10, 0, 0)}},
			rule:        "XST-10XDT,M10.1.0,M4.1.0/3",
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyMonthly, DayOfMonth: "31", At: 20 * time.Hour},
			after:       instant(t, "2032-11-30T20:00:00+11:00"),
			want:        []string{"2032-12-31T20:00:00+11:00", "2033-01-31T20:00:00+11:00"},
		}, {
			name:        "the zone data claims that a span began before the fold that began it",
			transitions: []transition{{at.Unix() - 9e6, seconds(3, 0, 0)}, {at.Unix(), seconds(2, 0, 0)}},
			rule:        "XST-1XDT,M3.2.0,M11.1.0",
			schedule:    schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 2*time.Hour + 30*time.Minute},
			after:       at.Add(10 * time.Minute),
			want:        []string{"2026-06-11T02:30:00+02:00"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.schedule.Location = madeUp(t, c.offset, c.transitions, c.rule)
			got := []string{}
			for slot := range c.schedule.All(c.after) {
				if got = append(got, show(slot)); len(got) == len(c.want) {
					break
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			check(t, c.schedule, c.after, 5)
		})
	}
}

// FuzzMadeUpZones moves the hands as often as twice an hour, and anywhere.
func FuzzMadeUpZones(f *testing.F) {
	f.Add([]byte{}, uint8(0), uint8(0), int64(0), int32(0), int64(0))
	f.Add([]byte{0, 255, 0, 0, 0, 255, 0, 0}, uint8(0), uint8(0), int64(12*time.Hour), int32(-3600), int64(-86400))
	f.Add([]byte{47, 0, 47, 255, 47, 0, 47, 255}, uint8(2), uint8(3), int64(time.Hour), int32(86400), int64(0))
	f.Add([]byte{1, 140, 1, 120, 1, 140, 1, 120}, uint8(3), uint8(11), int64(24*time.Hour-1), int32(100), int64(1800))
	f.Fuzz(func(t *testing.T, hands []byte, frequency, day uint8, at int64, after int32, anchor int64) {
		const begin = 1781049607 // 2026-06-10T00:00:07Z
		var transitions []transition
		when := int64(begin)
		for ; len(hands) >= 2 && len(transitions) < 100; hands = hands[2:] {
			transitions = append(transitions, transition{when, (int32(hands[1]) - 128) * 731})
			when += (int64(hands[0]) + 1) * int64(watch/time.Second)
		}
		from := begin + int64(after)%(40*86400)
		s := fuzzed(frequency, day, at, begin+anchor%(40*86400), after)
		s.Location = madeUp(t, seconds(0, 7, 7), transitions, "")
		check(t, s, time.Unix(from, int64(day)*1e6), 5)
	})
}
