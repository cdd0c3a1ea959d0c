// Package connection holds the checks of how devices connect to the message broker: client ids and certificates
// that several devices use. Each is one file and one constructor, which takes the [inventory.Inventory] to look at.
//
// Each looks at a window of time, which holds its end and not its beginning, so that the windows of two runs of a
// schedule touch: of what is known when they run, a takeover falls into one of them, and what lasts is in each that it
// lasts in. (A run that had to wait for data looks further than its start, from which the next one goes on.) What happens after the window does not count; of a connection it is told whether it has ended by the time
// of the audit. Connections may stand in any order. What is told only after a run about a time before it is in no
// window of the schedule, as in AWS's; [inventory.Settling] is how late it may be told of a certificate. An audit on
// demand looks at all 31 days.
//
// A connection with neither a time of connection nor one of disconnection, and one that was taken over and is
// said to be open, are findings with reason code [model.ReasonCodeResourceNotEvaluable]. The others are judged
// without them. Nothing is refused for how a client id is spelt, since AWS's API takes any.
package connection
