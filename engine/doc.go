// Package engine audits a fleet: it is AWS IoT Device Defender Audit for one account, in process.
//
// [New] makes an [Engine] of a [Config]. The Engine has a method for each of AWS's operations, with AWS's
// inputs, outputs and errors (package model), and some of its own beside them: [Engine.Run] for the
// schedule loop, [Engine.RunDue] for hosts with a cron of their own, [Engine.WatchAuditTask],
// [Engine.WaitAuditTask], [Engine.AuditFindings], [Engine.DiffAudits], [Engine.FindingHistory],
// [Engine.SuppressionReport], [Engine.Forecast] and [Engine.Statistics]. [Operations] is the table of AWS's operations with
// their HTTP bindings, for whoever builds a frontend.
//
// With a [Store] an Engine forgets nothing that it has acknowledged: each change is durable before anybody can see it,
// calls that come at once share a commit, and a new Engine over the same Store goes on where the last one ended
// ([Engine.Resume]). If the Store fails, the Engine can still be read ([Engine.Err]). [Engine.Snapshot] and [Engine.Restore]
// copy everything, with or without a Store. [WithIdempotencyKey] makes starting an audit safe to repeat.
//
// An Engine is safe for concurrent use. Two Engines share nothing but what the host gives to both, which must not
// be a Source that collects ([checks.Source.Collect]): it belongs to one. One that is idle owns no goroutine; one that
// runs audits owns theirs until [Engine.Close]. Operations never wait for a check.
package engine
