package permission

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
)

// whatIsBroad is a part of the Doc of each check that tells broad permissions from narrow ones. AWS gives
// examples only; what they leave open is decided by asking whether one device can reach another's data.
const whatIsBroad = "\n\n" +
	"A resource is broad when a wildcard stands where its own name begins: *, client/*, topic/*, topicfilter/#, " +
	"thing/*. A literal beginning makes it narrow, as AWS has it of thing/MyThing*. Below $aws the first levels " +
	"are the same for every device and do not count, the level of the device does: " +
	"topic/$aws/things/*/shadow/update is broad, topic/$aws/things/lamp-1/* is narrow. AWS speaks of reserved " +
	"topics; topic/* holds them. + and # are wildcards in topicfilter/ for iot:Subscribe, and characters " +
	"elsewhere.\n\n" +
	"Of the data plane count connecting, publishing, subscribing, the API of shadows and that of job executions; and, " +
	"though AWS does not name them, iot:GetRetainedMessage, iot:ListRetainedMessages and iot:ListNamedShadowsForThing. " +
	"iot:Receive and iot:RetainPublish never count by themselves: a device receives only what it may subscribe to, and " +
	"retains only what it may publish.\n\n" +
	"A variable that the registry, the certificate or the login fills, such as ${iot:Connection.Thing.ThingName}, " +
	"is as good as a literal, since a device cannot choose it. ${iot:ClientId} it does choose: in client/ it is a " +
	"wildcard, unless the statement wants iot:Connection.Thing.IsAttached to be true, or ties iot:ClientId with a " +
	"string condition; then client/* is narrow too. Elsewhere ${iot:ClientId} is narrow: it is worth what the " +
	"right to connect is worth, which is judged by itself. Other conditions, such as on the source address, make " +
	"nothing narrow: they do not say whose resource it is. Policies of version 2008-10-17 have no variables.\n\n" +
	"A Deny without conditions voids what it covers as a whole: the pattern that is allowed, or all resources of the " +
	"kind. One that covers a part leaves the rest, so what was broad stays broad. ARNs are compared by the letter: a " +
	"Deny for one region leaves the others. A Deny with NotResource voids what is broad of a kind, unless a resource " +
	"that it spares is itself broad in the same place; where actions of administrators count on any resource, it voids " +
	"them only if it spares nothing of AWS IoT. A Deny with conditions counts only if it denies connecting under names " +
	"that are not the device's own. NotAction, and NotResource in an Allow, mean what they mean in IAM: everything but."

// leastPrivilege are the requirements that all of these checks serve.
func leastPrivilege() []checks.Reference {
	return []checks.Reference{
		baseline.NISTIR8259A("Logical Access to Interfaces"),
		baseline.IEC62443("CR 2.1: authorization enforcement"),
	}
}

// whatIsAdmin is a part of the Doc of each check that reports actions for administrators.
const whatIsAdmin = "\n\n" +
	"AWS lists which actions write things, read things, and belong to the data plane. To the latter are added those " +
	"for retained messages and the names of shadows, and the API of jobs by its prefix in IAM (iotjobsdata), which " +
	"reach the same data. Every other action of AWS IoT is taken for one of administrators that is not about things, " +
	"whatever it is called. Such an action counts if it is allowed on any resource of AWS IoT, whatever the " +
	"resource's type, and under any condition."
