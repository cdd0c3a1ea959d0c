package main

import (
	"fmt"
	"reflect"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// listing is a query of which two pages are compared: the first one, and one deep down.
type listing struct {
	name  string
	query findings.Query
}

func (l listing) first() string { return l.name + "/first-us" }
func (l listing) deep() string  { return l.name + "/deep-us" }
func (l listing) ratio() string { return l.name + "/deep:first" }

// library is what pages are read from: a number of audits, and the listings.
type library struct {
	name     string
	audits   int
	skewed   bool
	peers    bool // they are measured too; together all filters are among these libraries
	fleet    func(n int, suppressed func(int) bool) []findings.Finding
	pattern  func(i, n int) bool // which findings of an audit of n are suppressed
	listings []listing
}

func suppressedListings(pattern string) []listing {
	return []listing{
		{"suppressed/" + pattern, findings.Query{Suppressed: new(true)}},
		{"active/" + pattern, findings.Query{Suppressed: new(false)}},
	}
}

// libraries returns all listings that are compared.
func libraries(audits int) []library {
	return []library{
		{
			"one-audit", 1, true, true, stores.Fleet, func(i, n int) bool { return i%2 == 0 },
			append([]listing{
				{"all", findings.Query{}},
				{"task", findings.Query{TaskID: stores.TaskID(0)}},
				{"check", findings.Query{CheckName: stores.CheckName(0)}},
				{"period", findings.Query{From: stores.Time(0, 0), To: stores.Time(0, stores.Checks-2)}},
			}, suppressedListings("alternating")...),
		},
		{"block", 1, false, false, stores.Fleet, func(i, n int) bool { return i >= n/4 && i < n/4*3 }, suppressedListings("block")},
		{"rare", 1, false, false, stores.Fleet, func(i, n int) bool { return i%1000 == 500 }, suppressedListings("rare")},
		{
			"many-audits", audits, false, true, stores.OneResource, func(i, n int) bool { return oneInTen(i) },
			[]listing{
				{"many-audits/resource", findings.Query{Resource: stores.OneResource(1, oneInTen)[0].Resource.ResourceIdentifier}},
				{"many-audits/all", findings.Query{}},
				{"many-audits/check", findings.Query{CheckName: stores.CheckName(3)}},
				{"many-audits/period", findings.Query{From: stores.Time(1, 0), To: stores.Time(audits-1, 5)}},
			},
		},
	}
}

// depths says where deep pages begin.
type depths struct {
	findings int // in the library
	depth    int // of the deep page, or as deep as a listing goes
	page     int // findings on a page
	pairs    int // of a first and a deep page that a round reads
}

// half returns depths for stores that take much memory.
func (d depths) half() depths {
	d.findings, d.depth = d.findings/2, d.depth/2
	return d
}

// differs is the error for stores that do not say the same.
type differs struct{ what, kind string }

func (d differs) Error() string {
	return fmt.Sprintf("%s: %s gives another answer than ours", d.what, d.kind)
}

// place returns where the deep page of a listing begins: at the depth, or at its last full page.
func (d depths) place(listed int) int {
	if d.depth < listed {
		return d.depth
	}
	return max(0, listed/d.page-1) * d.page
}

// given is a finding as an audit was given it.
type given struct {
	taskID  string
	finding *findings.Finding
}

// listed returns a listing of a library as it has to be: newest audit first, then by check, then as given.
func (l library) listed(q findings.Query, fs []findings.Finding) ([]given, error) {
	var all []given
	for day := l.audits - 1; day >= 0; day-- {
		err := stores.Runs(day, fs, l.skewed, func(r findings.Run, fs []findings.Finding) error {
			if q.TaskID != "" && r.TaskID != q.TaskID || q.CheckName != "" && r.CheckName != q.CheckName ||
				!q.From.IsZero() && r.Time.Before(q.From) || !q.To.IsZero() && r.Time.After(q.To) {
				return nil
			}
			for i := range fs {
				if f := &fs[i]; (q.Suppressed == nil || f.Suppressed == *q.Suppressed) &&
					(q.Resource == model.ResourceIdentifier{} || f.Resource.ResourceIdentifier == q.Resource) {
					all = append(all, given{r.TaskID, f})
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// begins returns an error unless a page begins where it has to in a listing.
func begins(page []model.AuditFinding, all []given, place int) error {
	if len(page) == 0 || place >= len(all) || page[0].TaskID != all[place].taskID || !stores.IsOf(&page[0], all[place].finding) {
		return fmt.Errorf("a page does not begin at finding %d of %d", place, len(all))
	}
	return nil
}

// deepToken walks down a listing, and returns the token of the page at the depth; if the listing ends before
// that, of its last full page.
func deepToken(s stores.Store, q findings.Query, d depths) (string, error) {
	stride := 40 * d.page
	before := ""
	for at := 0; at < d.depth; {
		q.Limit = min(stride, d.depth-at)
		page, err := s.Page(q)
		switch {
		case err != nil:
			return "", err
		case page.Next != "":
			before, q.Token, at = q.Token, page.Next, at+q.Limit
		case stride > d.page: // the listing ends in this stride: again in small ones
			stride = d.page
		case len(page.Findings) == d.page:
			return q.Token, nil
		default:
			return before, nil
		}
	}
	return q.Token, nil
}

// pages reads first and deep pages in turns; the figures are medians of a round. All stores must give
// the same pages as ours, which comes first.
func pages(l library, d depths, kinds []stores.Kind) *experiment {
	e := &experiment{name: "pages/" + l.name, kinds: kinds, costly: true}
	for _, listing := range l.listings {
		e.figures = append(e.figures, listing.first(), listing.deep(), listing.ratio())
	}
	n := d.findings / l.audits
	var fs []findings.Finding
	wanted := make(map[string][]model.AuditFinding) // what ours says, by listing and token
	e.setup = func(k stores.Kind) (func() ([]float64, error), error) {
		if fs == nil {
			fs = l.fleet(n, func(i int) bool { return l.pattern(i, n) })
		}
		s := k.New(n)
		for day := range l.audits {
			if err := stores.Fill(s, day, fs, l.skewed); err != nil {
				return nil, err
			}
		}
		if err := keptAll(s, l.audits, fs); err != nil {
			return nil, err
		}
		tokens := make([]string, len(l.listings))
		for i, listing := range l.listings {
			var err error
			if tokens[i], err = deepToken(s, listing.query, d); err != nil {
				return nil, err
			}
			for name, token := range map[string]string{listing.first(): "", listing.deep(): tokens[i]} {
				q := listing.query
				q.Limit, q.Token = d.page, token
				page, err := s.Page(q)
				if err != nil {
					return nil, err
				}
				if want, known := wanted[name]; !known {
					wanted[name] = page.Findings
					all, err := l.listed(listing.query, fs)
					if err != nil {
						return nil, err
					}
					place := 0
					if name == listing.deep() {
						place = d.place(len(all))
					}
					if err := begins(page.Findings, all, place); err != nil {
						return nil, fmt.Errorf("%s: %w", name, err)
					}
				} else if !reflect.DeepEqual(want, page.Findings) {
					return nil, differs{name, k.Name}
				}
				if len(page.Findings) != d.page {
					return nil, fmt.Errorf("%s: a page of %d findings, not %d", name, len(page.Findings), d.page)
				}
			}
		}
		return func() ([]float64, error) {
			var values []float64
			for i, listing := range l.listings {
				var us [2]measure.Sample
				for range d.pairs {
					for j, token := range []string{"", tokens[i]} {
						q := listing.query
						q.Limit, q.Token = d.page, token
						start := time.Now()
						page, err := s.Page(q)
						us[j] = append(us[j], float64(time.Since(start).Nanoseconds())/1e3)
						if err != nil || len(page.Findings) != d.page {
							return nil, fmt.Errorf("%s: %d findings, %w", listing.name, len(page.Findings), err)
						}
						if name := []string{listing.first(), listing.deep()}[j]; page.Findings[0].FindingID != wanted[name][0].FindingID {
							return nil, differs{name, k.Name}
						}
					}
				}
				first, deep := us[0].Median(), us[1].Median()
				values = append(values, first, deep, deep/first)
			}
			return values, nil
		}, nil
	}
	return e
}
