package findings_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestLongTexts has texts around the sizes at which they are stored in another way.
func TestLongTexts(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	var fs []findings.Finding
	for _, size := range []int{0, 1, 127, 128, 16380, 16381, 16382, 16384, 16385, 65536, 1 << 20} {
		for range 5 {
			f := client(fmt.Sprint(len(fs)), "X")
			f.Reason = fmt.Sprintf("%0*d", size, len(fs))
			fs = append(fs, f)
		}
	}
	require.NoError(t, s.Append(run(1, 0), fs))
	i := 0
	for f := range s.All(findings.Query{}) {
		require.True(t, fs[i].Reason == f.ReasonForNonCompliance, "reason %d of %d bytes", i, len(fs[i].Reason))
		i++
	}
	require.Len(t, fs, i)
}

// TestManyAudits has more audits than a chunk of a list holds, and lists them whole and by period.
func TestManyAudits(t *testing.T) {
	const audits = 3000
	s := findings.New()
	at := func(hour int) time.Time { return benchStart.Add(time.Duration(hour) * time.Hour) }
	hours := make(map[int]string) // to the task that starts then
	for i := range audits {
		// From the middle to both ends in turns, so that every place of the lists is filled.
		hour := audits/2 + (i+1)/2*(1-i%2*2)
		hours[hour] = taskID(i)
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: at(hour)}))
		r := run(i, 0)
		r.Time = at(hour)
		f := client("a", fmt.Sprint(hour))
		f.Suppressed = hour < 100
		require.NoError(t, s.Append(r, []findings.Finding{f}))
	}
	check := func() {
		t.Helper()
		for _, period := range []struct{ from, to int }{{-1, audits}, {7, 9}, {1490, 1800}, {2998, 2999}, {5000, 6000}} {
			for _, q := range []findings.Query{
				{}, {CheckName: "CHECK_0"}, {Resource: model.ResourceIdentifier{ClientID: "a"}}, {Suppressed: new(true)},
				{Resource: model.ResourceIdentifier{ClientID: "a"}, CheckName: "CHECK_0", Suppressed: new(false)},
			} {
				var want []string
				for hour := period.to; hour >= period.from; hour-- {
					if _, ok := hours[hour]; ok && (q.Suppressed == nil || *q.Suppressed == (hour < 100)) {
						want = append(want, fmt.Sprint("a ", hour))
					}
				}
				q.From, q.To = at(period.from), at(period.to)
				if diff := cmp.Diff(want, words(s, q)); diff != "" {
					t.Fatalf("%+v (-want +got):\n%s", q, diff)
				}
			}
		}
	}
	require.Len(t, hours, audits)
	check()
	var gone []string
	for hour, task := range hours {
		if hour%3 == 0 {
			gone = append(gone, task)
			delete(hours, hour)
		}
	}
	s.Drop(gone...)
	check()
}

// TestTierSizes adds segments one after the other.
func TestTierSizes(t *testing.T) {
	for _, row := range []struct {
		sizes, want []int
		limit       int
	}{
		{[]int{1}, []int{1}, 100},
		{[]int{1, 1}, []int{2}, 100},
		{[]int{1, 1, 1}, []int{2, 1}, 100},
		{[]int{1, 1, 1, 1}, []int{4}, 100},
		{[]int{8, 5}, []int{13}, 100},
		{[]int{8, 4, 3}, []int{15}, 100},
		{[]int{8, 4, 2, 1}, []int{8, 4, 2, 1}, 100},
		{[]int{8, 4, 2, 1, 1}, []int{16}, 100},
		{[]int{4, 4, 4, 4}, []int{8, 8}, 10},
		{[]int{30, 30}, []int{30, 30}, 10},
	} {
		if diff := cmp.Diff(row.want, findings.TierSizes(row.sizes, row.limit)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", row.sizes, diff)
		}
	}
}

// TestDropGivesBack drops audits with words of their own, and wants the store as it was before them.
func TestDropGivesBack(t *testing.T) {
	const n = 10000
	s := findings.New()
	fs := fleet(n)
	fill(t, s, 0, fs)
	want, before := s.Count(), heap()

	others := fleet(n)
	for i := range others {
		others[i].Resource.ResourceIdentifier.DeviceCertificateID = certificateID(n + i)
		others[i].Reason = fmt.Sprint("reason ", i)
	}
	fill(t, s, 1, others)
	fill(t, s, 2, fs)
	full := heap()
	s.Drop(taskID(1), taskID(2))
	if diff := cmp.Diff(want, s.Count()); diff != "" {
		t.Errorf("the store after Drop (-want +got):\n%s", diff)
	}
	after := heap()
	runtime.KeepAlive(others)
	if grown := full - before; after-before > grown/10 {
		t.Errorf("of %d bytes that two audits took, %d are still taken after their Drop", grown, after-before)
	}
	if diff := cmp.Diff(n, len(slices.Collect(s.All(findings.Query{TaskID: taskID(0)})))); diff != "" {
		t.Errorf("findings of the audit that stays (-want +got):\n%s", diff)
	}
}
