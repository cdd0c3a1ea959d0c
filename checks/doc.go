// Package checks is the contract between a check and whoever runs it.
//
// A [Check] has a [Spec], which describes it and never changes, and a Run method, which looks at
// resources and reports what is wrong with them through a [Pass]. Most checks judge one resource at a
// time and are made with [Each] over a [Source]:
//
//	devices := checks.Slice("devices", fleet)
//	check := checks.Each(spec, devices, func(ctx context.Context, pass *checks.Pass, d *Device) error {
//		if d.Password == "admin" {
//			pass.Report(checks.Finding{...})
//		}
//		return nil
//	})
//
// Checks over the same Source share one scan of it. A check that needs more is made with [New] and reads
// its sources with [Scan] or [Source.Read].
//
// A check says that it could not check by returning an error; it is then FAILED, whatever it reported,
// and never compliant. The [Runner] puts a fence around every check: one that panics, hangs, exits its
// goroutine, floods or lies fails alone. The fence ends where a check starts goroutines of its own: Go
// lets nobody else recover their panics.
package checks
