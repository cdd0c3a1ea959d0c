// Package stores has the stores of findings that the benchmarks compare: ours and three peers with the
// same content, the same order of listings and the same indexes.
//
// Natural peers are what one has who takes go-memdb, B-trees, or slices and maps for this, well made. Each
// finding is a row, and indexes by place (the order of listings), task, check, resource, time and whether
// it is suppressed find each row by itself:
//   - go-memdb has six unique indexes of bytes, a value followed by the place. Keys are made for a whole
//     run at once, and inserted in transactions of 1,000, its best.
//   - B-trees are one for each index, of Go values and places, behind a lock for readers and a writer.
//   - Slices have the findings of a run each, and maps lead from values to ascending positions. Times are
//     those of the runs, which a page goes through anyhow. There is a lock here too.
//
// The index by resource has a short key in all of them: a number and, of most identifiers, one string that is
// shared, not all thirteen of a model.ResourceIdentifier.
//
// A page under one filter is a seek and a walk, in all of them. For a period, go-memdb and B-trees have
// one seek for each time in it, since the order of listings is not that of times.
//
// Natural peers are what the targets are judged against, since they are what one would have instead of
// ours. Tuned peers borrow its design: a dictionary that gives resources numbers, and runs as the index of
// task, check and time, so that three indexes of findings are left. They show how much of the difference
// is design; what it takes to get there is most of a store of its own.
//
// As ours, the peers keep nothing of what they are given that can be changed, and give nothing out of what they
// keep: they copy maps and slices. What is easier for them: they share strings with what they are given, where ours
// copies and finds what repeats; they do not look for a finding that is twice in a run; and their tokens carry no
// seal and no snapshot.
package stores

import (
	"fmt"

	"github.com/fleetaudit/fleetaudit/findings"
)

// Store is what all stores do, as [findings.Store] documents it. Appends come one at a time, pages at
// any time. A page's token is the store's own.
type Store interface {
	Begin(findings.Audit) error
	Append(findings.Run, []findings.Finding) error
	Page(findings.Query) (findings.Page, error)
}

// Kind is a kind of store.
type Kind struct {
	Name string
	New  func(resources int) Store // resources: how many there will be, for stores that can use it
}

// Ours is the store of package findings.
func Ours() Kind {
	return Kind{"findings", func(int) Store { return findings.New() }}
}

// Kinds returns ours and its natural peers.
func Kinds() []Kind {
	return append([]Kind{Ours()}, peers(false)...)
}

// Tuned returns the tuned peers, under the names of the natural ones.
func Tuned() []Kind { return peers(true) }

func peers(tuned bool) []Kind {
	return []Kind{
		{"go-memdb", func(n int) Store { return newMemDB(n, bestBatch, tuned) }},
		{"b-tree", func(n int) Store { return newTrees(n, tuned) }},
		{"slice+maps", func(n int) Store { return newSlices(n, tuned) }},
	}
}

// bestBatch is how many findings a transaction of go-memdb inserts. The table shows other numbers.
const bestBatch = 1000

// Transactions returns go-memdb with transactions of several sizes.
func Transactions() []Kind {
	var kinds []Kind
	for _, batch := range []int{bestBatch / 10, bestBatch, 10 * bestBatch} {
		kinds = append(kinds, Kind{fmt.Sprintf("go-memdb/batch=%d", batch), func(n int) Store { return newMemDB(n, batch, false) }})
	}
	return kinds
}
