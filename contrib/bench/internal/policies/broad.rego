# What a policy document allows broadly, of the actions of devices. It means what policy.Set.BroadDataPlane does.
#
# Patterns stay text. Characters of the private use area stand in them for what is no plain character: U+E000 and U+E001
# are around the name of a variable that the device does not set, U+E002 is a colon in it, U+E003 and U+E004 are * and ?
# that are spelt ${*} and ${?}. Data has the actions in lower case, in AWS's spelling and with their nouns, and for each
# space of a noun, and for all of them, a regular expression of the names that have a wildcard where the name of a device
# begins.
package broad

import rego.v1

actions contains data.actions[name] if {
	some i, s in statements
	s.Effect == "Allow"
	some name in about[i]
	granted(data.nouns[name], name, s)
}

statements := as_list(input.Statement)

variables if input.Version == "2012-10-17"

as_list(x) := x if is_array(x)

as_list(x) := [x] if not is_array(x)

# The names of actions that each statement is about.
about := [names |
	some s in statements
	names := named(s)
]

named(s) := listed(as_list(s.Action)) if s.Action

named(s) := {name | some name, _ in data.actions; not name in excepted} if {
	s.NotAction
	excepted := listed(as_list(s.NotAction))
}

# As a rule all that is listed is of other services, or has no wildcard.
listed(patterns) := exact | matched if {
	of_iot := {lower(p) | some p in patterns; regex.match(`^(?i:\*|\?|i\*|i\?|io\*|io\?|iot)`, p)}
	exact := {p | some p in of_iot; data.actions[p]}
	matched := {name |
		some p in of_iot
		regex.match(`[*?]`, p)
		pattern := to_regex(p)
		some name, _ in data.actions
		regex.match(pattern, name)
	}
}

granted(noun, name, s) if {
	not ties_client(noun, s)
	some x in reach(noun, s)
	filter := unshared(noun, x.name)
	regex.match(data.wild[noun], filter) # which most are not
	some space, wild in data.spaces[noun]
	regex.match(wild, filter)
	not voided(noun, name, x, space)
}

# The resources of AWS IoT that an Allow is about.
reach(noun, s) := [x |
	some p in as_list(s.Resource)
	x := resource(text(noun, p))
	glob.match(x.service, null, "iot")
] if s.Resource

reach(noun, s) := [{"partition": "*", "service": "iot", "region": "*", "account": "*", "name": "*"}] if {
	s.NotResource
	not spares_none(noun, s)
}

spares_none(noun, s) if {
	some p in as_list(s.NotResource)
	x := resource(text("", p))
	count({f | some f in [x.partition, x.region, x.account]; f != "*"}) == 0
	glob.match(x.service, null, "iot")
	covers(x.name, concat("", [noun, "*"]))
}

denies := {i: s |
	some i, s in statements
	s.Effect == "Deny"
}

voided(noun, name, x, space) if {
	some i, s in denies
	name in about[i]
	always(noun, s)
	takes(noun, s, x, space)
}

takes(noun, s, x, _) if {
	some p in as_list(s.Resource)
	y := resource(text(noun, p))
	covers_resource(y, x)
	covers(y.name, x.name)
}

takes(noun, s, x, space) if {
	some p in as_list(s.Resource)
	y := resource(text(noun, p))
	covers_resource(y, x)
	covers(y.name, concat("", [space, "*"]))
}

takes(noun, s, _, _) if {
	s.NotResource
	every y in spared(noun, s) {
		not glob.match(y.service, null, "iot")
	}
}

takes(noun, s, _, space) if {
	s.NotResource
	every y in spared(noun, s) {
		not regex.match(data.spaces[noun][space], unshared(noun, y.name))
	}
}

spared(noun, s) := [y | some p in as_list(s.NotResource); y := resource(text(noun, p))]

# Parts of the ARN but for the name. What reach returns is of AWS IoT, whatever its pattern has for the service.
covers_resource(y, x) if {
	covers(y.partition, x.partition)
	covers(y.service, "iot")
	covers(y.region, x.region)
	covers(y.account, x.account)
}

# Whether pattern y fits all that pattern x does.
covers(y, x) if y == "*"

covers(y, x) if {
	y != "*"
	regex.match(to_regex(y), x)
}

to_regex(p) := concat("", ["(?s)^", strings.replace_n(quoted, p), "$"])

quoted := {
	"*": ".*", "?": "[^*\ue000\ue001]", ".": `\.`, "+": `\+`, "(": `\(`, ")": `\)`, "[": `\[`, "]": `\]`,
	"{": `\{`, "}": `\}`, "^": `\^`, "$": `\$`, "|": `\|`, `\`: `\\`,
}

# A pattern with its variables made what they stand for.
text(_, p) := p if not contains(p, "${")

text(_, p) := p if {
	contains(p, "${")
	not variables
}

text(noun, p) := strings.replace_n(values, p) if {
	contains(p, "${")
	variables
	values := {v: value(noun, name) |
		some v in regex.find_n(`\$\{[^}]*\}`, p, -1)
		name := lower(trim_space(split(trim_suffix(substring(v, 2, -1), "}"), ",")[0]))
	}
}

value(noun, name) := "*" if chosen(noun, name)

value(noun, name) := replacement if {
	not chosen(noun, name)
	replacement := {"*": "\ue003", "?": "\ue004", "$": "$"}[name]
}

value(noun, name) := concat("", ["\ue000", replace(name, ":", "\ue002"), "\ue001"]) if {
	not chosen(noun, name)
	not name in {"*", "?", "$"}
}

chosen(_, name) if name in {"aws:useragent", "aws:referer"}

chosen("client/", "iot:clientid")

# A pattern of ARNs taken apart. One that is none, and fits ARNs all the same, is everything.
resource(p) := {"partition": part(f, 1), "service": part(f, 2), "region": part(f, 3), "account": part(f, 4), "name": name} if {
	startswith(p, "arn:")
	f := split(p, ":")
	name := rest(f)
}

resource(p) := {"partition": "*", "service": "*", "region": "*", "account": "*", "name": "*"} if {
	not startswith(p, "arn:")
	regex.match(`^(\*|[a?](\*|[r?](\*|[n?](\*|[:?]))))`, p)
}

part(f, i) := f[i]

part(f, i) := "*" if not f[i]

rest(f) := concat(":", array.slice(f, 5, count(f))) if count(f) > 5

rest(f) := "*" if count(f) <= 5

# A shared subscription is one to the filter that follows the share's name.
unshared(noun, name) := name if noun != "topicfilter/"

unshared("topicfilter/", name) := regex.replace(
	regex.replace(name, `^topicfilter/\$(?:s(?:h(?:a(?:re?)?)?)?)?\*`, "topicfilter/*"),
	`^topicfilter/\$share/[^/*#]*(?:/|([*#]))`, "topicfilter/$1",
)

# Conditions.
conditions(s) := [{"operator": operator, "key": lower(key), "values": [v | some x in as_list(values); v := said(x)]} |
	some operator, keys in s.Condition
	some key, values in keys
]

said(x) := x if is_string(x)

said(x) := json.marshal(x) if not is_string(x)

# Whether an Allow lets a device connect under names of its own only.
ties_client("client/", s) if {
	some c in conditions(s)
	c.key == "iot:connection.thing.isattached"
	trim_prefix(c.operator, "ForAnyValue:") in {"Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike"}
	all_are(c.values, "true")
}

ties_client("client/", s) if {
	some c in conditions(s)
	c.key in {"iot:clientid", "iot:connection.thing.thingname"}
	operator := trim_prefix(c.operator, "ForAnyValue:")
	operator in {"StringEquals", "StringEqualsIgnoreCase", "StringLike"}
	narrow(c.values, operator == "StringLike")
}

all_are(values, want) if {
	count(values) > 0
	every v in values {
		lower(v) == want
	}
}

# Whether each value names something that the device does not say itself.
narrow(values, like) if {
	count(values) > 0
	every v in values {
		v != ""
		not vague(v, like)
	}
}

vague(v, true) if regex.match(`^[*?]`, text("client/", v))

vague(v, false) if {
	regex.match(`^[*?]`, text("client/", v))
	not regex.match(`^[*?]`, v)
}

# Whether a Deny holds for all names of clients that are not the device's own, or for everything.
always(_, s) if count(conditions(s)) == 0

always("client/", s) if {
	[c] := conditions(s)
	c.key == "iot:connection.thing.isattached"
	trim_suffix(c.operator, "IfExists") in {"Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike"}
	some v in c.values
	lower(v) == "false"
}

always("client/", s) if {
	[c] := conditions(s)
	c.key == "iot:connection.thing.isattached"
	trim_suffix(c.operator, "IfExists") in {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"}
	all_are(c.values, "true")
}

always("client/", s) if {
	[c] := conditions(s)
	c.key in {"iot:clientid", "iot:connection.thing.thingname"}
	operator := trim_suffix(c.operator, "IfExists")
	operator in {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"}
	narrow(c.values, operator == "StringNotLike")
}
