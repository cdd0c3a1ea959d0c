package policy

import "slices"

// ban is a Deny that always holds, as far as it is about resources: it denies them, or with except all others.
type ban struct {
	*rule
	resources []resource
	except    bool
	spared    []string // with except: the prefixes of the spaces in which a resource is broad
}

// bans returns the bans on resources of n among the Denies. A conditional Deny is none, for it does not always hold,
// but for one that leaves a client nothing but its own names.
func (a *analysis) bans(n noun) []*ban {
	var all []*ban
	for i := range a.denies {
		r := &a.denies[i]
		if len(r.Conditions) > 0 && !(n == client && r.untiesClient(r.names != nil)) {
			continue
		}
		d := n.reading()
		if len(r.NotResources) > 0 {
			b := &ban{rule: r, resources: r.resources(r.NotResources, d), except: true}
			for _, x := range b.resources {
				for _, s := range n.broad(x.name) {
					if !slices.Contains(b.spared, s.prefix) {
						b.spared = append(b.spared, s.prefix)
					}
				}
			}
			all = append(all, b)
			continue
		}
		d.filter = false // what is denied is compared by the letter
		if denied := r.resources(r.Resources, d); len(denied) > 0 {
			all = append(all, &ban{rule: r, resources: denied})
		}
	}
	return all
}

// covers tells whether the ban is on all of x whose name is one that name matches.
func (b *ban) covers(x *resource, name glob, e *effort) bool {
	for i := range b.resources {
		r := &b.resources[i]
		switch {
		case b.except:
			if r.service.meets(x.service, e) {
				return false
			}
		case *e >= 0 && r.covers(x, name, e):
			return true
		}
	}
	return b.except
}

// leavesNarrow tells whether the ban is on all but resources that are narrow in a space of its noun.
func (b *ban) leavesNarrow(s space) bool { return b.except && !slices.Contains(b.spared, s.prefix) }
