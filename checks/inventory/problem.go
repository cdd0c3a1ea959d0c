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
	What   string
	Unread bool // the system did not let the file or folder be read to its end, so that nobody knows what is in it
}

// String is "file:offset: what".
func (p Problem) String() string { return p.Origin.String() + ": " + p.What }

// maxNotes is how many Problems a hostile file can make, so that it cannot fill the memory with them.
const maxNotes = 1000

// notes collects Problems file by file, of each no more than maxNotes and one that counts the rest.
type notes struct {
	list    []Problem
	file    string
	size    int    // how many of the file's are in list
	more    int    // how many are not
	next    Origin // of the first of those
	unknown bool   // one of those is of what could not be read
}

func (n *notes) add(at Origin, what string) { n.note(Problem{Origin: at, What: what}) }

// unread adds why a file or folder cannot be read.
func (n *notes) unread(at Origin, what string) { n.note(Problem{at, what, true}) }

func (n *notes) note(p Problem) {
	at := p.Origin
	if at.File != n.file {
		n.endFile()
		n.file = at.File
	}
	if n.size < maxNotes {
		n.list = append(n.list, p)
		n.size++
		return
	}
	if n.more == 0 {
		n.next = at
	}
	n.unknown = n.unknown || p.Unread
	n.more++
}

func (n *notes) endFile() {
	if n.more > 0 {
		n.list = append(n.list, Problem{n.next, fmt.Sprintf("%d more from here on", n.more), n.unknown})
	}
	n.file, n.size, n.more, n.unknown = "", 0, 0, false
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
