// Package boltstore keeps what an Engine must not forget in one file, which is a bbolt database: an [engine.Store] without
// a server. [Open] opens it, Config.Store takes it.
//
// # What is promised
//
//   - A Commit that returned nil is in the file, whole, whatever happens to the process or the machine, as long as the disk
//     keeps what it says that it has synced. One that did not return is there whole or not at all.
//   - After a Commit that failed (a disk that is full, one that cannot sync) no other is tried: each fails at once with the
//     first error, while Load and Backup go on. What helps is to open the file again: Open makes durable what it finds, the
//     Commit that failed if it is there, or fails.
//   - What is damaged is never opened as if it were not. Open reads the whole file before it writes to it: the pages of
//     bbolt, which have no checksums of their own, and of each row a checksum over table, key and value. For each table
//     the number of rows and the sum of their checksums is kept, so that a row that is missing or an older one shows.
//     The error, a [DamageError], says where. No damage crashes the process: neither bits that were flipped nor a file
//     that was cut off, not even while it is open.
//   - A file is made under another name, and takes its own when it is whole. So a file that is empty is one that was
//     damaged; Options.MustExist refuses to make one. What a crash leaves of one that is being made (NAME.partial-DIGITS)
//     goes when the Store is opened.
//   - One Store at a time has a file open, on this machine: others get [ErrLocked]. Locks do not hold on every network
//     file system, nor does anything else here.
//   - Files of earlier versions of this package are read, and become files of this version; those of later ones are refused
//     with [ErrVersion].
//
// What nothing in a file can tell: that all of it is as it was at some time before, or that a disk, after it said that it
// had synced a Commit, lost all of that Commit, and nothing else. Nor, of a file that something else wrote (a copy), whether a
// sync of it failed before: then pages that are read well may not be on the disk.
//
// # Keeping it
//
// [Store.Backup] writes a copy while the Store is in use, [Restore] makes a file of it, after it has read all of it. A copy of
// the file made by other means, while it is in use, is none. A file does not become shorter when rows go: their room is used
// again; [Compact] makes it as small as it can be. [Verify] looks at a file and changes nothing.
//
// # The file
//
// It has the mode 0600. Each table is a bucket; a value is kept behind a byte for the version of this and eight for the
// checksum, the first half of a SHA-256. The bucket _fleetaudit says which version the file is of, and the total of each table.
// Bytes of numbers of bbolt's are in the order of the machine, so a file stays on machines of one kind.
package boltstore
