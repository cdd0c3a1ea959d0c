// Package findings is the in-memory store of what audits found.
//
// An audit is registered with [Store.Begin] and gets the findings of its check runs with [Store.Append],
// one run at a time, each visible as a whole or not at all. [Store.Page] lists findings in pages,
// [Store.All] as one iterator, [Store.Get] finds one by its id, and [Store.Drop] takes whole audits out.
//
// # Order
//
// Every listing has the same order: the newest audit first (by start time, then by the order of Begin),
// within an audit by the ordinal of the check run, within a run in the order given to Append.
//
// # Snapshots
//
// The first page of a listing fixes what the listing holds: check runs appended later are no part of it.
// Its token carries the query's digest, the position of the next finding and the number of runs of the
// snapshot, so nothing is kept for it. An audit that is dropped meanwhile is missing from the pages that
// follow, and a token that leads into it is refused; everything else comes exactly once.
//
// # What became of a finding
//
// A [Fingerprint] (check, resource, reason code) makes findings of different audits the same.
// [Store.History] follows one over all audits, [Store.Diff] compares two audits. Only a run that completed
// resolves a finding; one that failed or was canceled ([Run].Incomplete) leaves open what it did not find.
// A hypothetical audit ([Audit]) is listed, and compared when asked for, but is no part of any history.
// When retention drops an audit, what was first seen there and is still found in a kept one keeps its
// first sighting, in 12 bytes. What no kept audit has found is forgotten, and new when it comes back.
//
// [Suppressions] says which findings are suppressed. The store keeps what it is told at Append.
//
// # Elsewhere, too
//
// A [Txn] appends and drops in one step. After [Store.Mirror] it tells beforehand what it changes, as rows of three tables
// to be kept anywhere; a [Loader] makes the same store of them again, and so it does of the rows of a [Snapshot].
// Audits themselves are not in them: whoever keeps the rows begins the audits with the same [Audit] as before. A
// table of chunks holds what findings say, a few hundred in a value; a run is a list of chunks, most of which
// it shares with the run of the check before. So a run that finds the same again is a row of less than a
// hundred bytes, and a finding that is new or changed costs about one chunk.
//
// # How it is stored
//
// What findings say repeats, across a check run and again every day. Each distinct byte string is stored
// once; each distinct (resource, type, reason code, reason, detail) is one row of such strings, a
// content; and a check run is a segment: a list of 4-byte content numbers. Append goes along the check's
// run before, so that what is found again in the same order needs no look-up. An index of 8 bytes a finding
// leads from a resource to its findings. Tables, segments and index hold no pointers, so a garbage
// collection does not walk them, and readers see them through an immutable view: one atomic load, no
// lock. A page costs the same at any depth: it starts with binary searches, not by skipping findings. Only a
// query for one resource together with a check or a suppression passes over that resource's other findings.
package findings
