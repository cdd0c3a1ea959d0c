package policy

import "strings"

// resource is a pattern of ARNs, taken apart.
type resource struct {
	text                                string // the pattern itself
	partition, service, region, account glob
	name                                glob // what follows the fifth colon: "thing/lamp-1"
}

// anything is what the pattern * stands for.
var anything = glob{{kind: many}}

// resource takes a pattern of ARNs apart. A wildcard stays within its field, and fields that are missing are
// wildcards, as IAM has it. One that is not in the form of an ARN and fits ARNs all the same ("*", "a*") is
// everything; ok is false if it fits none.
func (d dialect) resource(pattern string) (r resource, ok bool) {
	everything := resource{pattern, anything, anything, anything, anything, anything}
	if !strings.HasPrefix(pattern, "arn:") {
		e := maxEffort
		return everything, d.compile(pattern).meets(d.compile("arn:*"), &e)
	}
	fields := d.fields(strings.TrimPrefix(pattern, "arn:"))
	r = everything
	for i, g := range []*glob{&r.partition, &r.service, &r.region, &r.account, &r.name} {
		if i < len(fields) {
			*g = d.compile(fields[i])
		}
	}
	return r, true
}

// fields divides what follows "arn:" at the first four colons that are not part of a variable.
func (d dialect) fields(s string) []string {
	var all []string
	start := 0
	for i := 0; i < len(s) && len(all) < 4; i++ {
		if n := d.variable(s[i:]); n > 0 {
			i += n - 1
		} else if s[i] == ':' {
			all = append(all, s[start:i])
			start = i + 1
		}
	}
	return append(all, s[start:])
}

// covers tells whether r matches all of x whose name is one that name matches.
func (r resource) covers(x resource, name glob, e *effort) bool {
	return r.partition.covers(x.partition, e) && r.service.covers(x.service, e) && r.region.covers(x.region, e) &&
		r.account.covers(x.account, e) && r.name.covers(name, e)
}

// meets tells whether r matches something of x whose name is one that name matches.
func (r resource) meets(x resource, name glob, e *effort) bool {
	return r.partition.meets(x.partition, e) && r.service.meets(x.service, e) && r.region.meets(x.region, e) &&
		r.account.meets(x.account, e) && r.name.meets(name, e)
}

// ofIoT tells whether ARNs of AWS IoT are among those that r matches.
func (r resource) ofIoT(e *effort) bool { return r.service.meets(dialect{}.compile(iot), e) }

const iot = "iot" // AWS IoT's name in ARNs

// noun is a kind of resource of AWS IoT.
type noun string

const (
	client      noun = "client/"
	topic       noun = "topic/"
	topicFilter noun = "topicfilter/"
	thing       noun = "thing/"
)

// spaces are the prefixes of names after which it is a device's own name that follows, or, at the empty one,
// anything that an application makes of it. A wildcard there reaches other devices.
func (n noun) spaces() []string {
	if n == client || n == thing {
		return []string{string(n)}
	}
	var all []string
	for _, prefix := range []string{
		"", "$aws/things/", "$aws/commands/things/", "$aws/commands/clients/", "$aws/device_location/",
		"$aws/events/presence/connected/", "$aws/events/presence/disconnected/",
		"$aws/events/subscriptions/subscribed/", "$aws/events/subscriptions/unsubscribed/",
		"$aws/events/thing/",
	} {
		all = append(all, string(n)+prefix)
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
func below(prefix string) glob { return append(dialect{}.compile(prefix), token{kind: many}) }

const shared = string(topicFilter) + "$share/"

// unshare takes the share's name out of a shared subscription, which is one to the filter that follows.
func (n noun) unshare(name glob) glob {
	if n != topicFilter {
		return name
	}
	for _, left := range name.after(shared) {
		for i, t := range left {
			if t.kind == many { // which may go on into the filter
				return append(dialect{}.compile(string(topicFilter)), left[i:]...)
			}
			if t.kind == literal && t.r == '/' {
				return append(dialect{}.compile(string(topicFilter)), left[i+1:]...)
			}
		}
	}
	return name
}

// broad returns the spaces of n in which name has a wildcard where the name of a device begins.
func (n noun) broad(name glob) []string {
	name = n.unshare(name)
	var all []string
	for _, space := range n.spaces() {
		for _, left := range name.after(space) {
			if len(left) > 0 && left[0].wildcard() {
				all = append(all, space)
				break
			}
		}
	}
	return all
}
