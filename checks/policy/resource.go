package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// resource is a pattern of ARNs, taken apart.
type resource struct {
	text                                string // the pattern itself
	partition, service, region, account glob
	name                                glob // what follows the fifth colon: "thing/lamp-1"
}

// What the pattern * stands for, and the service of AWS IoT.
var (
	anything    = glob{many}
	iotsService = dialect{}.compile(iot)
)

// resource takes a pattern of ARNs apart. A wildcard stays within its field, and fields that are missing are
// wildcards, as IAM has it. One that is not in the form of an ARN and fits ARNs all the same ("*", "a*") is
// everything; ok is false if it fits none.
func (d dialect) resource(pattern string) (r resource, ok bool) {
	return d.resourceIn(make(glob, 0, len(pattern)), pattern)
}

// resourceIn is resource, with space for the tokens.
func (d dialect) resourceIn(space glob, pattern string) (r resource, ok bool) {
	r = resource{pattern, anything, anything, anything, anything, anything}
	fields, n := d.fields(pattern)
	if n == 0 {
		e := maxEffort
		d.filter = false // MQTT's wildcards are ones in topic filters, and an ARN is none
		return r, pattern == "*" || d.compile(pattern).meets(dialect{}.compile("arn:*"), &e)
	}
	field := func(i int) glob {
		if i >= n {
			return anything
		}
		start := len(space)
		space = d.appendTo(space, fields[i])
		return space[start:len(space):len(space)]
	}
	return resource{pattern, field(0), field(1), field(2), field(3), field(4)}, true
}

// fields divides what follows "arn:" at the first four colons that are not part of a variable, into n fields. Without
// "arn:" there are none.
func (d dialect) fields(pattern string) (fields [5]string, n int) {
	s, ok := strings.CutPrefix(pattern, "arn:")
	if !ok {
		return fields, 0
	}
	start := 0
	for i := 0; i < len(s) && n < 4; i++ {
		switch s[i] {
		case '$':
			i += max(d.variable(s[i:])-1, 0)
		case ':':
			fields[n] = s[start:i]
			n, start = n+1, i+1
		}
	}
	fields[n] = s[start:]
	return fields, n + 1
}

// covers tells whether r matches all of x whose name is one that name matches.
func (r *resource) covers(x *resource, name glob, e *effort) bool {
	return r.partition.covers(x.partition, e) && r.service.covers(x.service, e) && r.region.covers(x.region, e) &&
		r.account.covers(x.account, e) && r.name.covers(name, e)
}

// meets tells whether r matches something of x whose name is one that name matches.
func (r *resource) meets(x *resource, name glob, e *effort) bool {
	return r.partition.meets(x.partition, e) && r.service.meets(x.service, e) && r.region.meets(x.region, e) &&
		r.account.meets(x.account, e) && r.name.meets(name, e)
}

// ofIoT tells whether ARNs of AWS IoT are among those that r matches.
func (r *resource) ofIoT(e *effort) bool {
	return slices.Equal(r.service, iotsService) && e.spend() || r.service.meets(iotsService, e)
}

const iot = "iot" // AWS IoT's name in ARNs

// noun is a kind of resource of AWS IoT.
type noun string

const (
	client      noun = "client/"
	topic       noun = "topic/"
	topicFilter noun = "topicfilter/"
	thing       noun = "thing/"
)

// space is a prefix of names after which it is a device's own name that follows, or, where it is a mere noun of topics,
// anything that an application makes of it. A wildcard there reaches other devices.
type space struct {
	prefix string
	whole  glob // all names that begin with it
}

// spaces are those of each noun.
var spaces = map[noun][]space{
	client:      spacesOf(client, ""),
	thing:       spacesOf(thing, ""),
	topic:       spacesOf(topic, inTopics...),
	topicFilter: spacesOf(topicFilter, inTopics...),
}

var inTopics = []string{
	"", "$aws/things/", "$aws/commands/things/", "$aws/commands/clients/", "$aws/device_location/",
	"$aws/events/presence/connected/", "$aws/events/presence/disconnected/",
	"$aws/events/subscriptions/subscribed/", "$aws/events/subscriptions/unsubscribed/",
	"$aws/events/thing/",
}

func spacesOf(n noun, prefixes ...string) (all []space) {
	for _, p := range prefixes {
		all = append(all, space{string(n) + p, below(string(n) + p)})
	}
	return all
}

// reading says how names of n are read in an Allow: which wildcards there are beside * and ?.
func (n noun) reading() dialect {
	d := dialect{filter: n == topicFilter}
	if n == client {
		d.chosen = clientID
	}
	return d
}

// below is the pattern of all names that begin with prefix.
func below(prefix string) glob { return append(dialect{}.compile(prefix), many) }

const shared = string(topicFilter) + "$share/"

// unshare takes the share's name out of a shared subscription, which is one to the filter that follows.
func (n noun) unshare(name glob) glob {
	if n != topicFilter {
		return name
	}
	if at, _ := name.begin(shared); at < 0 {
		return name
	}
	for _, left := range name.after(shared) {
		for i, t := range left {
			if t == many { // which may go on into the filter
				return append(dialect{}.compile(string(topicFilter)), left[i:]...)
			}
			if t == '/' {
				return append(dialect{}.compile(string(topicFilter)), left[i+1:]...)
			}
		}
	}
	return name
}

// broad returns the spaces of n in which name has a wildcard where the name of a device begins.
func (n noun) broad(name glob) (all []space) {
	name = n.unshare(name)
	for _, s := range spaces[n] {
		if name.wildAfter(s.prefix) {
			all = append(all, s)
		}
	}
	return all
}

// mayBegin tells whether a pattern may fit something that begins with prefix, which is of ASCII, as far as that can be
// told at a glance: false is certain, in any case of the letters and whatever its variables are.
func mayBegin(pattern, prefix string) bool {
	for i := range len(prefix) {
		if i == len(pattern) {
			return false
		}
		switch c := pattern[i]; {
		case c|0x20 == prefix[i]|0x20 || c == '?':
		default:
			return c == '*' || c == '$' || c == '+' || c == '#' || c >= utf8.RuneSelf
		}
	}
	return true
}
