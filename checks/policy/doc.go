// Package policy reads the policy documents of AWS IoT and of IAM roles, and tells what they allow: not whether one
// request would pass, but whether what is written reaches further than one device's own things.
//
// # Documents
//
// [Parse] makes a [Document] of JSON. It is strict where a kinder reader could see another policy than AWS does: a
// member that is there twice or in another case, a value of the wrong type, an unknown condition operator, a statement
// with both Action and NotAction or with neither, and a Principal are errors. Each is a [*SyntaxError], which has line,
// column and path. A string stands for a list of one, and an object for a list of one statement.
//
// # Matching
//
// In actions and resources * stands for any characters or none and ? for one. Actions have no case. [Match] compares
// such a pattern with a string, in time that a pattern made to be slow cannot drive up. A resource is taken apart at the
// colons of its ARN, and a wildcard stays in its field; * alone is everything. Since the question is about all that a
// pattern fits, patterns are compared with patterns: whether one covers the other, whether they have something in common.
//
// MQTT has wildcards of its own, + for a level and # for all that follow. A policy knows them as plain characters, so
// that topicfilter/lamps/# in an Allow is what a device may say to get the messages of all topics below lamps. They are
// read as wildcards there, and by the letter in a Deny, in topic/ and in client/. They never stand for the $ that topics
// of AWS's own begin with.
//
// # Variables
//
// Since version 2012-10-17 ${...} is a variable. Its value is not known here, but who sets it is: the registry, the
// certificate or the login set ${iot:Connection.Thing.ThingName} and most others, and then it is as good as one name.
// ${iot:ClientId} is set by the device, and in client/ as good as *, unless the statement ties it with a condition.
// ${*}, ${?} and ${$} are those characters.
//
// # Sets
//
// A [Set] is all that one principal holds. It answers which actions of AWS IoT are allowed, and which of them broadly
// ([Set.BroadDataPlane], [Set.BroadThingAdminRead], [Set.ThingAdminRead], [Set.ThingAdminWrite], [Set.NonThingAdmin]);
// which services ([Set.Services], [Set.AnyOf], [Set.AllOf]); and where a Deny denies less than it seems to
// ([Set.WildcardsInDeny], [Set.DeniedButReceivable]). The order of documents, statements and lists changes no answer, as
// long as the steps are not used up that are told of below.
//
// A Deny goes before any Allow. It takes away an allowed pattern that it covers as a whole, or whose whole kind of
// resource it covers, and leaves one that it covers in part as it is: what was broad stays broad. It counts only if it
// has no conditions, but for one that leaves a client nothing but its own names. One with NotResource takes away what is
// broad, unless a resource that it spares is itself broad in the same space, and anything else only if it spares nothing
// of the same service.
//
// Where something cannot be told it counts as allowed, and a Deny that is itself in question as one of the action that
// was asked about. That is so as well when documents that were made to be slow have used up the steps that comparing
// patterns may take: thirty million for each question, or about a tenth of a second.
// [Set.BroadDataPlane] is four questions. Which patterns have been compared by then depends on their order.
//
// # What it does not do
//
// Conditions are not evaluated, except those that say who is connecting. Policies of resources, permission boundaries
// and those of an organization or a session are not looked at: they can only take away. That a resource belongs to
// another account or region than the principal is no matter. Sids need not be unique, nor resources be ARNs that exist.
package policy
