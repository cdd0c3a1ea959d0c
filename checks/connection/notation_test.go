package connection_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour

	conflicting  = "DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS"
	shared       = "CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES"
	notEvaluable = model.ReasonCodeResourceNotEvaluable
)

// now is the time of every audit in these tests, but for those about time itself.
var now = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// connectionForm is a connection in the tests' own notation, with times as of now:
//
//	lamp/A -2h..-1h+1ns>B    client id lamp, certificate A; it lasted that long, and certificate B took it over
//	lamp/? -2h..-1h>?        not known who connected, nor who took over
//	lamp/eu:1 -2h..          another identity; it is open
//	lamp/A ..-1h             not known since when
var connectionForm = regexp.MustCompile(`^(\w+)/(\S+) ([^.>]*)\.\.([^.>]*)(?:>(\S+))?$`)

func parseConnections(t testing.TB, s string) (all []inventory.Connection) {
	t.Helper()
	for part := range strings.SplitSeq(s, ", ") {
		m := connectionForm.FindStringSubmatch(part)
		require.NotNil(t, m, "connection %q", part)
		all = append(all, inventory.Connection{
			ClientID: m[1], Principal: principal(m[2]), ConnectedAt: parseTime(t, m[3]), DisconnectedAt: parseTime(t, m[4]),
			TakenOver: m[5] != "", TakenOverBy: principal(m[5]),
		})
	}
	return all
}

// parseTime reads a sum of durations, where d is a day; nothing is the zero time.
func parseTime(t testing.TB, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	at := now
	for term := range strings.SplitSeq(strings.NewReplacer("+", " +", "-", " -").Replace(s), " ") {
		unit := time.Duration(1)
		if days, ok := strings.CutSuffix(term, "d"); ok {
			term, unit = days+"h", 24
		}
		if term != "" {
			d, err := time.ParseDuration(term)
			require.NoError(t, err, "time %q", s)
			at = at.Add(d * unit)
		}
	}
	return at
}

// principal makes a capital letter the id of a certificate.
func principal(s string) string {
	switch {
	case s == "?":
		return ""
	case len(s) == 1 && s >= "A" && s <= "F":
		return strings.Repeat(strings.ToLower(s), 64)
	}
	return s
}

// notation is the contrary of principal.
func notation(principal string) string {
	if len(principal) == 64 {
		return strings.ToUpper(principal[:1])
	}
	return principal
}

// contents has a list of connections as both checks want it.
func contents(connections []inventory.Connection) (c inventory.Contents) {
	for _, k := range connections {
		i := slices.IndexFunc(c.Clients, func(x inventory.Client) bool { return x.ID == k.ClientID })
		if i < 0 {
			i, c.Clients = len(c.Clients), append(c.Clients, inventory.Client{ID: k.ClientID})
		}
		c.Clients[i].Connections = append(c.Clients[i].Connections, k)
		id := k.CertificateID()
		if id == "" {
			continue
		}
		i = slices.IndexFunc(c.CertificateUses, func(x inventory.CertificateUse) bool { return x.CertificateID == id })
		if i < 0 {
			i, c.CertificateUses = len(c.CertificateUses), append(c.CertificateUses, inventory.CertificateUse{CertificateID: id})
		}
		c.CertificateUses[i].Connections = append(c.CertificateUses[i].Connections, k)
	}
	return c
}

// audit runs both checks over connections, and returns what they find, by the resources in the tests' notation.
func audit(t testing.TB, at, since time.Time, connections []inventory.Connection) []checks.Finding {
	t.Helper()
	inv := inventory.New(contents(connections))
	var found []checks.Finding
	var jobs []*checks.Job
	for _, check := range []checks.Check{connection.ConflictingClientIDs(inv), connection.DeviceCertificateShared(inv)} {
		jobs = append(jobs, &checks.Job{Check: check, Spec: new(check.Spec()), Pass: checks.Pass{Time: at, Since: since}})
	}
	for _, job := range jobs {
		job.End = func(out checks.Outcome) {
			require.NoError(t, out.Err)
			found = append(found, out.Findings...)
		}
		var r checks.Runner
		r.Run(t.Context(), []*checks.Job{job})
	}
	slices.SortStableFunc(found, func(a, b checks.Finding) int { return strings.Compare(label(a), label(b)) })
	return found
}

// label is the resource of a finding in the tests' notation, "?" behind one that cannot be judged.
func label(f checks.Finding) string {
	id := f.Resource.ResourceIdentifier
	name := id.ClientID + notation(id.DeviceCertificateID)
	if f.ReasonCode == notEvaluable {
		name += "?"
	}
	return name
}

// labels are those of findings about clients, and of those about certificates, sorted.
func labels(found []checks.Finding) (clients, certificates string) {
	var all [2][]string
	for _, f := range found {
		i := 0
		if f.Resource.ResourceType == model.ResourceTypeDeviceCertificate {
			i = 1
		}
		all[i] = append(all[i], label(f))
	}
	return strings.Join(all[0], " "), strings.Join(all[1], " ")
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
