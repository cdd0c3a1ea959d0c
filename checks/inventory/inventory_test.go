package inventory_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func read[T any](t *testing.T, src *checks.Source[T]) (all []T) {
	t.Helper()
	for v, err := range src.Read(context.Background(), &checks.Pass{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *v)
	}
	return all
}

// ids are what is in an inventory's Sources.
func ids(t *testing.T, inv *inventory.Inventory) (all [3][]string) {
	t.Helper()
	for _, c := range read(t, inv.DeviceCertificates) {
		all[0] = append(all[0], c.ID)
	}
	for _, c := range read(t, inv.CACertificates) {
		all[1] = append(all[1], c.ID)
	}
	for _, c := range read(t, inv.CRLs) {
		all[2] = append(all[2], c.ID)
	}
	return all
}

func TestReplace(t *testing.T) {
	one := inventory.Contents{
		DeviceCertificates: []inventory.Certificate{{ID: "d1"}, {ID: "d2"}},
		CACertificates:     []inventory.Certificate{{ID: "a1"}}, CRLs: []inventory.CRL{{ID: "r1"}},
	}
	two := inventory.Contents{DeviceCertificates: []inventory.Certificate{{ID: "d3"}}, CRLs: []inventory.CRL{{ID: "r1"}, {ID: "r2"}}}
	inv := inventory.New(one)
	devices := inv.DeviceCertificates
	want := [][3][]string{{{"d1", "d2"}, {"a1"}, {"r1"}}, {{"d3"}, nil, {"r1", "r2"}}, {}}
	got := [][3][]string{ids(t, inv)}
	inv.Replace(two)
	got = append(got, ids(t, inv))
	inv.Replace(inventory.Contents{})
	got = append(got, ids(t, inv))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if inv.DeviceCertificates != devices {
		t.Error("the Source has changed")
	}
	if n, known := devices.SourceLen(); n != 0 || !known {
		t.Errorf("length %d, %t", n, known)
	}
}

// TestReplaceWhileReading: a scan that has begun goes on over what was there.
func TestReplaceWhileReading(t *testing.T) {
	fleet := func(id string) inventory.Contents {
		return inventory.Contents{DeviceCertificates: slices.Repeat([]inventory.Certificate{{ID: id}}, 3000)}
	}
	inv := inventory.New(fleet("a"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				seen := make(map[string]int)
				for c, err := range inv.DeviceCertificates.Read(context.Background(), &checks.Pass{}) {
					if err != nil {
						t.Error(err)
						return
					}
					seen[c.ID]++
				}
				if len(seen) != 1 || seen["a"]+seen["b"] != 3000 {
					t.Errorf("one scan saw %v", seen)
				}
			}
		})
	}
	for range 200 {
		inv.Replace(fleet("b"))
		inv.Replace(fleet("a"))
	}
	wg.Wait()
}

func TestOriginString(t *testing.T) {
	for want, o := range map[string]inventory.Origin{
		"":        {},
		"a.pem:0": {File: "a.pem"},
		"b:17":    {File: "b", Offset: 17},
	} {
		if got := o.String(); got != want {
			t.Errorf("%+v is %q, want %q", o, got, want)
		}
	}
}
