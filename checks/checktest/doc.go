// Package checktest tries one check in a unit test, with no engine, no clock and no network. It runs what
// an engine runs: a [checks.Runner].
//
// [Run] compares what a check finds with what it should find, as values:
//
//	func TestDefaultPassword(t *testing.T) {
//		fleet := checks.Slice("devices", []Device{{ID: "lamp", Password: "admin"}, {ID: "lock", Password: "x9!"}})
//		checktest.Run(t, DefaultPassword(fleet), checktest.Case{
//			Want: []checktest.Finding{
//				{Resource: model.ResourceIdentifier{ClientID: "lamp"}, ReasonCode: "DEFAULT_PASSWORD"},
//			},
//		})
//	}
//
// [Golden] compares it with a file, for a check that finds much. [Contract] tries a check in every
// situation that an engine may bring it into: cancelled, with sources that fail, in another order,
// several times at once. It takes the same [Case], so a test that calls it needs no Run.
package checktest
