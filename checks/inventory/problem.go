package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Origin is where a resource was read, for people. The zero value says that it was in no file.
type Origin struct {
	File   string
	Offset int64 // of its first byte in the file
}

// String is "file:offset", or empty.
func (o Origin) String() string {
	if o == (Origin{}) {
		return ""
	}
	return fmt.Sprintf("%s:%d", o.File, o.Offset)
}

func (o Origin) compare(p Origin) int {
	return cmp.Or(strings.Compare(o.File, p.File), cmp.Compare(o.Offset, p.Offset))
}

// Problem is something about a place in a file.
type Problem struct {
	Origin
	What string
}

// String is "file:offset: what".
func (p Problem) String() string { return p.Origin.String() + ": " + p.What }

// maxNotes is how many Problems a hostile file can make, so that it cannot fill the memory with them.
const maxNotes = 1000

// notes collects Problems file by file, of each no more than maxNotes and one that counts the rest.
type notes struct {
	list []Problem
	file string
	size int    // how many of the file's are in list
	more int    // how many are not
	next Origin // of the first of those
}

func (n *notes) add(at Origin, what string) {
	if at.File != n.file {
		n.endFile()
		n.file = at.File
	}
	if n.size < maxNotes {
		n.list = append(n.list, Problem{at, what})
		n.size++
		return
	}
	if n.more == 0 {
		n.next = at
	}
	n.more++
}

func (n *notes) endFile() {
	if n.more > 0 {
		n.list = append(n.list, Problem{n.next, fmt.Sprintf("%d more from here on", n.more)})
	}
	n.file, n.size, n.more = "", 0, 0
}

// sorted returns each Problem once: a file may have been read twice.
func (n *notes) sorted() []Problem {
	n.endFile()
	slices.SortStableFunc(n.list, func(a, b Problem) int { return a.Origin.compare(b.Origin) })
	told := make(map[Problem]bool)
	return slices.DeleteFunc(n.list, func(p Problem) bool {
		again := told[p]
		told[p] = true
		return again
	})
}
