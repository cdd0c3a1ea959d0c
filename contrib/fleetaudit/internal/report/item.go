package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// item is a resource in a table, and what is said of it.
type item struct {
	id   model.ResourceIdentifier
	info map[string]string
	mark terminal.Cell // since when something is said of it
}

// resources writes a table of what findings are about, and of the resources that are related to each.
func (w *writer) resources(found []model.AuditFinding) {
	infos := make([]map[string]string, len(found))
	for i, f := range found {
		infos[i] = f.NonCompliantResource.AdditionalInfo
	}
	if facts := factsOf(infos); len(facts) > 0 && facts[0].isTime() {
		slices.SortStableFunc(found, facts[0].compare) // what is due first is read first
	}
	if w.marks != nil {
		slices.SortStableFunc(found, w.compareChange)
	}
	shown := found[:w.cut(len(found), Shown)]
	items := make([]item, len(shown))
	for i, f := range shown {
		items[i] = item{f.NonCompliantResource.ResourceIdentifier, f.NonCompliantResource.AdditionalInfo, w.mark(f)}
	}
	w.items("  ", items, true)
	w.more("  ", len(found)-len(shown))
	for i, f := range shown {
		if len(f.RelatedResources) > 0 {
			w.related(w.resource(items[i].id)[0].Text, f.RelatedResources)
		}
	}
}

// shownRelated is how many resources are shown that are related to one.
const shownRelated = 5

// related writes which resources are related to one that is called id.
func (w *writer) related(id string, list []model.RelatedResource) {
	w.b.WriteString("\n")
	w.prose("  ", terminal.Plain, id+" concerns "+relatedWords(list)+":")
	items := make([]item, w.cut(len(list), shownRelated))
	for i := range items {
		items[i] = item{id: list[i].ResourceIdentifier, info: list[i].AdditionalInfo}
	}
	w.items("    ", items, false)
	w.more("    ", len(list)-len(items))
}

// relatedWords says how many resources of which kind there are. A connection is named by who made it, so that the
// same resource may be there several times.
func relatedWords(list []model.RelatedResource) string {
	kind, connections := list[0].ResourceType, true
	for _, r := range list {
		if r.ResourceType != kind {
			kind = ""
		}
		connections = connections && (r.AdditionalInfo[connectionTime] != "" || r.AdditionalInfo[disconnectionTime] != "")
	}
	if connections {
		return plural(len(list), "connection")
	}
	return plural(len(list), kindWords(kind))
}

// kindWords is what people call a type of resources.
func kindWords(t model.ResourceType) string {
	switch t {
	case "":
		return "resource"
	case model.ResourceTypeCACertificate:
		return "CA certificate"
	case model.ResourceTypeIoTPolicy:
		return "IoT policy"
	case model.ResourceTypeCognitoIdentityPool:
		return "Cognito identity pool"
	case model.ResourceTypeIAMRole:
		return "IAM role"
	case model.ResourceTypeAccountSettings:
		return "account"
	}
	return strings.ToLower(strings.ReplaceAll(string(t), "_", " "))
}

// idBreaks is where ids, ARNs, and lists of them, may break.
const idBreaks = ":/_-,"

// items writes a table of resources: what they are called, who that is, what is said of them, and where they are
// from. Those that a resource is only related to have titles, and no place, if something is said of them.
func (w *writer) items(indent string, items []item, main bool) {
	infos := make([]map[string]string, len(items))
	who := terminal.Column{Title: "SUBJECT", Cut: true}
	for i, it := range items {
		infos[i] = it.info
		if it.info[principalKey] != "" {
			who = terminal.Column{Title: "PRINCIPAL", Flex: true, Breaks: idBreaks}
		}
	}
	facts := factsOf(infos)
	columns := []terminal.Column{{Title: idTitle(items), Flex: true, Breaks: idBreaks}, who}
	for _, f := range facts {
		columns = append(columns, f.column())
	}
	columns = append(columns, terminal.Column{Title: firstSeen})
	titles, places := main || len(facts) > 0, main || len(facts) == 0
	if places {
		columns = append(columns, w.fromColumn())
	}
	rows := make([][]terminal.Cell, len(items))
	for i, it := range items {
		cells := w.resource(it.id)
		if p := it.info[principalKey]; p != "" {
			cells[1].Text = exact(p)
		}
		rows[i] = cells[:2:2]
		for _, f := range facts {
			rows[i] = append(rows[i], terminal.Cell{Text: f.text(it.info)})
		}
		rows[i] = append(rows[i], it.mark)
		if places {
			rows[i] = append(rows[i], cells[2])
		}
	}
	if !titles {
		for i := range columns {
			columns[i].Title = ""
		}
	}
	w.b.WriteString(w.screen.Table(indent, columns, rows))
}

// idTitle is what the ids of items are of, if they are all of one kind.
func idTitle(items []item) string {
	title := idWord(items[0].id)
	for _, it := range items[1:] {
		if idWord(it.id) != title {
			return "ID"
		}
	}
	return title
}

func idWord(id model.ResourceIdentifier) string {
	switch {
	case certificateID(id) != "":
		return "CERTIFICATE"
	case id.PolicyVersionIdentifier.PolicyName != "":
		return "POLICY:VERSION"
	case id.CognitoIdentityPoolID != "":
		return "IDENTITY POOL"
	case id.RoleAliasARN != "":
		return "ROLE ALIAS"
	case id.ClientID != "":
		return "CLIENT ID"
	case id.IAMRoleARN != "":
		return "IAM ROLE"
	case id.Account != "":
		return "ACCOUNT"
	}
	return "ID"
}

// shortID is how much of a certificate's id is shown: enough to tell one from another.
const shortID = 12

// resource returns three cells: a resource's id, how a person recognises it, and where it is from.
func (w *writer) resource(id model.ResourceIdentifier) []terminal.Cell {
	name := terminal.Cell{Text: exact(id.String()), Ink: terminal.Bold}
	certificate := certificateID(id)
	r, ok := w.report.Resources[resourceKey(id)]
	switch {
	case !ok && len(id.DeviceCertificateID) == hex.EncodedLen(sha256.Size): // only connections tell of it
		name.Text = exact(certificate[:shortID])
		return []terminal.Cell{name, {Text: "(not loaded)", Ink: terminal.Faint}, {}}
	case !ok:
		return []terminal.Cell{name, {}, {}}
	case certificate != "":
		name.Text = certificate[:shortID]
	}
	return []terminal.Cell{name, {Text: terminal.Clean(nameFirst(r.Subject))}, {Text: terminal.Clean(w.from(r)), Ink: terminal.Faint}}
}

// nameFirst puts the common name of a subject before the rest, so that it is not what is cut off.
func nameFirst(subject string) string {
	var parts []string
	start := 0
	for i := 0; i < len(subject); i++ {
		switch subject[i] {
		case '\\':
			i++ // a comma after it separates nothing
		case ',':
			parts = append(parts, subject[start:i])
			start = i + 1
		}
	}
	parts = append(parts, subject[start:])
	name := slices.IndexFunc(parts, func(part string) bool { return strings.HasPrefix(part, "CN=") })
	if name < 1 {
		return subject
	}
	return strings.Join(slices.Concat(parts[name:name+1], parts[:name], parts[name+1:]), ",")
}

// exact is Clean for a name that may have white space anywhere. Where a table would swallow that, it is written as
// its code, so that two names do not look the same.
func exact(name string) string {
	var b strings.Builder
	last := ' '
	for i, r := range name {
		switch {
		case r == ' ' && (last == ' ' || i == len(name)-1):
			b.WriteString(`\x20`)
		case r != ' ' && unicode.IsSpace(r) && unicode.IsGraphic(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return terminal.Clean(b.String())
}

// fromColumn is the column of what from returns.
func (w *writer) fromColumn() terminal.Column {
	if w.oneFile {
		return terminal.Column{Title: "BYTE", Right: true}
	}
	return terminal.Column{Title: "FILE:BYTE", Flex: true, Breaks: "/"}
}
