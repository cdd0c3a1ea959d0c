package permission

import (
	"fmt"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// What a finding names. A policy may hold hundreds of kilobytes, and its finding is stored with every audit.
const (
	maxListed = 20  // names
	maxName   = 256 // bytes of one
)

// list names things as AWS's reasons do: "a, b".
func list(names []string) string {
	shown := make([]string, 0, maxListed+1)
	for _, name := range names[:min(maxListed, len(names))] {
		shown = append(shown, shorten(name))
	}
	if more := len(names) - maxListed; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

// reasonLists is a part of the Doc of checks whose reasons list such things.
func reasonLists(things string) string {
	return fmt.Sprintf("The reason lists the %s: at most %d, and how many more there are.", things, maxListed)
}

// sentence says about a policy or a role what words say, and of which actions, resources or services.
func sentence(words string, names []string) string { return words + ": [" + list(names) + "]." }

// shorten cuts a name at maxName bytes, and at the end of a letter.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	return strings.ToValidUTF8(name[:maxName], "") + "..."
}

// missing says of a policy why it cannot be judged; empty if it can. One without a document that no parser has
// seen was not made with the constructors of package inventory.
func missing(hasDocument bool, parseError string) string {
	switch {
	case parseError != "":
		return "cannot be parsed: " + parseError
	case !hasDocument:
		return "is missing"
	}
	return ""
}

// unreadable says which policies of a role cannot be judged, and why.
func unreadable(role *inventory.Role) (all []string) {
	for _, p := range role.Policies {
		if why := missing(p.Document != nil, p.ParseError); why != "" {
			all = append(all, fmt.Sprintf("Document of policy %q of role %s %s", shorten(p.Name), shorten(role.ARN), why))
		}
	}
	return all
}

// ofUnreadable is a part of the Doc of each check of roles.
const ofUnreadable = "A policy that does not parse is a finding with reason code RESOURCE_NOT_EVALUABLE, beside " +
	"those about what the role's other policies allow. It may hold a Deny that would void one of these; but it may " +
	"as well allow more, and of the two mistakes the needless finding is the one that somebody notices."

// maxUnreadable is how many policies a finding names with the parser's words.
const maxUnreadable = 3

// reasons joins why a resource cannot be judged, or not in full.
func reasons(all []string) string {
	if more := len(all) - maxUnreadable; more > 0 {
		return strings.Join(all[:maxUnreadable], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(all, "; ")
}
