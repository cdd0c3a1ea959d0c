// Package fleetaudit audits the security of an IoT fleet, in process.
//
// It is AWS IoT Device Defender Audit as a library: account audit configuration, scheduled and on-demand
// audits, task statistics and findings, with checks of your own beside the built-in ones, over your own
// inventory, without AWS and without a network.
//
// The packages, in the order in which a newcomer meets them:
//
//   - engine runs audits: New, an operation for each of AWS's, the schedule loop.
//   - checks is the contract of a check; checks/checktest tests one; checks/inventory holds typed
//     resources; checks/builtin has AWS's checks.
//   - model has the words: inputs, outputs, enums and errors of the operations.
//   - findings stores what audits found; schedule is the calendar.
//
// The command line and the other programs around the library are modules of their own, under contrib.
package fleetaudit
