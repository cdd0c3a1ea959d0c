package boltstore

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// contents is what was found in a file that is whole.
type contents struct {
	meta
	wrong   error // with the other meta page
	version int
	totals  map[string]total
}

// verify reads all of a file of size bytes, and says what is wrong with it. Its memory is a bit for each page, and some
// pages.
func verify(f io.ReaderAt, size int64) (contents, error) {
	m, wrong, err := readMetas(f)
	if err != nil {
		return contents{}, err
	}
	v := &verifier{f: f, contents: contents{meta: m, wrong: wrong, totals: make(map[string]total)}}
	if m.pages < 4 || m.pages > uint64(size/m.pageSize) {
		return contents{}, damage(m.txid%2, "the file should have %d pages of %d bytes, and has %d bytes", m.pages, m.pageSize, size)
	}
	v.owned = newPageSet(m.pages)
	v.owned.add(0)
	v.owned.add(1)
	root := tree{verifier: v}
	err = root.walk(m.root, 0, nil, nil, v.bucket)
	if err == nil {
		err = v.complete()
	}
	if err == nil {
		err = v.freePages()
	}
	return v.contents, err
}

// verifyFile is verify of all that f has.
func verifyFile(f *os.File) (contents, error) {
	info, err := f.Stat()
	if err != nil {
		return contents{}, err
	}
	return verify(f, info.Size())
}

// verifier verifies a file.
type verifier struct {
	contents
	f     io.ReaderAt
	owned pageSet          // pages that have been come across
	said  map[string]total // what formatTable says; nil before it was read
	table string           // the bucket that is read
	got   total            // of table
	rows  tree             // of table
}

// read reads a page of one of two kinds, with those that it goes on in, which nothing else may refer to. It uses the memory
// of b.
func (v *verifier) read(b []byte, id uint64, kind, or uint16) ([]byte, error) {
	if id < 2 || id >= v.pages {
		return nil, fmt.Errorf("it refers to page %d of %d", id, v.pages)
	}
	b = grown(b[:0], int(v.pageSize))
	if _, err := v.f.ReadAt(b, int64(id)*v.pageSize); err != nil {
		return nil, &DamageError{Page: int64(id), What: "it cannot be read", Err: err}
	}
	got, more := native.Uint16(b[8:]), uint64(native.Uint32(b[12:]))
	if is := native.Uint64(b); is != id {
		return nil, damage(id, "it says that it is page %d", is)
	}
	if got != kind && got != or {
		return nil, damage(id, "it is of the kind %#x", got)
	}
	if more >= v.pages-id {
		return nil, damage(id, "it goes on for %d pages, past the last of %d", more, v.pages)
	}
	for p := id; p <= id+more; p++ {
		if !v.owned.add(p) {
			return nil, damage(p, "two refer to it")
		}
	}
	if more == 0 {
		return b, nil
	}
	b = grown(b, len(b)*int(more+1))
	if _, err := v.f.ReadAt(b[v.pageSize:], int64(id+1)*v.pageSize); err != nil {
		return nil, &DamageError{Page: int64(id), What: "it cannot be read", Err: err}
	}
	return b, nil
}

// tree reads trees, one after the other.
type tree struct {
	*verifier
	levels []level
}

// deepest is how many branches are on the way to a leaf, at most: bbolt's have two elements or more.
const deepest = 40

// level is a page on the way to a leaf. Its memory is used again.
type level struct {
	page     []byte
	elements []element
}

// walk calls each with every element of the leaves below a page, in order. Lo and hi are what the keys lie between.
func (t *tree) walk(id uint64, depth int, lo, hi []byte, each func(page uint64, e element) error) error {
	if depth == len(t.levels) {
		t.levels = append(t.levels, level{})
	}
	l, err := t.levels[depth], error(nil)
	if l.page, err = t.read(l.page, id, branchPage, leafPage); err != nil {
		return err
	}
	leaf := native.Uint16(l.page[8:]) == leafPage
	if l.elements, err = elements(l.elements[:0], l.page, leaf, lo, hi); err != nil {
		return at(err, id)
	}
	t.levels[depth] = l
	if !leaf && (len(l.elements) == 0 || depth == deepest) {
		return damage(id, "it is a branch with %d elements, %d below the root", len(l.elements), depth)
	}
	for i, e := range l.elements {
		if leaf {
			err = each(id, e)
		} else {
			to := hi
			if i+1 < len(l.elements) {
				to = l.elements[i+1].key
			}
			err = t.walk(e.child, depth+1, e.key, to, each)
		}
		if err != nil {
			return at(err, id)
		}
	}
	return nil
}

// at says that an error is of a page, where it does not say so itself.
func at(err error, page uint64) error {
	if _, ok := errors.AsType[*DamageError](err); ok || errors.Is(err, ErrVersion) {
		return err
	}
	return damage(page, "%v", err)
}

// bucket verifies a bucket, which an element of the root is.
func (v *verifier) bucket(page uint64, e element) error {
	if v.said == nil && string(e.key) != formatTable || !e.bucket || len(e.value) < bucketHead {
		return damage(page, "a file of bbolt's, but it does not begin with what every file of fleetaudit begins with")
	}
	v.table, v.got = string(e.key), total{}
	each := v.row
	if v.said == nil {
		v.said, each = make(map[string]total), v.formatRow
	}
	root := native.Uint64(e.value)
	var err error
	switch inline := e.value[bucketHead:]; {
	case root != 0 && len(inline) == 0:
		v.rows.verifier = v
		err = v.rows.walk(root, 0, nil, nil, each)
	case root == 0 && len(inline) >= pageHead && native.Uint16(inline[8:]) == leafPage:
		var es []element
		es, err = elements(nil, inline, true, nil, nil)
		for _, e := range es {
			if err == nil {
				err = each(page, e)
			}
		}
	default:
		err = damage(page, "table %q has no root", v.table)
	}
	if err != nil {
		return at(err, page)
	}
	if v.table != formatTable {
		v.totals[v.table] = v.got
		return nil
	}
	if v.version == 0 {
		return damage(page, "it does not say what it is")
	}
	return nil
}

// open returns the value of a row of the table that is read.
func (v *verifier) open(page uint64, e element) ([]byte, error) {
	wrong := &DamageError{Page: int64(page), Table: v.table, Key: slices.Clone(e.key)}
	if e.bucket {
		wrong.What = "it is a bucket"
		return nil, wrong
	}
	value, sum, err := unseal(v.table, e.key, e.value)
	if err != nil {
		wrong.What = err.Error()
		return nil, wrong
	}
	v.got.add(sum)
	return value, nil
}

// row verifies a row of a table.
func (v *verifier) row(page uint64, e element) error {
	_, err := v.open(page, e)
	return err
}

// formatRow takes down what a row of formatTable says.
func (v *verifier) formatRow(page uint64, e element) error {
	value, err := v.open(page, e)
	if err != nil {
		return err
	}
	key := string(e.key)
	switch table, isTotal := strings.CutPrefix(key, totalPrefix); {
	case key == formatKey: // it comes before totals
		if v.version, err = decodeFormat(value); err == nil && v.version > version {
			return fmt.Errorf("%w: %d, and this one knows %d and before", ErrVersion, v.version, version)
		}
	case isTotal && v.version >= 2:
		v.said[table], err = decodeTotal(value)
	default:
		err = fmt.Errorf("nothing of version %d has this key", v.version)
	}
	if err != nil {
		return &DamageError{Page: int64(page), Table: v.table, Key: slices.Clone(e.key), What: err.Error()}
	}
	return nil
}

// complete wants the tables to be those that formatTable speaks of.
func (v *verifier) complete() error {
	if v.said == nil {
		return damage(v.root, "a file of bbolt's with nothing in it")
	}
	if v.version < 2 {
		return nil // which had no totals
	}
	for _, table := range slices.Sorted(maps.Keys(v.said)) {
		if got := v.totals[table]; got != v.said[table] {
			return &DamageError{Page: -1, Table: table, What: got.differs(v.said[table])}
		}
	}
	for _, table := range slices.Sorted(maps.Keys(v.totals)) {
		if _, ok := v.said[table]; !ok {
			return &DamageError{Page: -1, Table: table, What: "nothing says how many rows it has"}
		}
	}
	return nil
}

// freePages wants every page to be either free or come across.
func (v *verifier) freePages() error {
	page, err := v.read(nil, v.freelist, freelistPage, freelistPage)
	if err != nil {
		return at(err, v.txid%2)
	}
	list, n := page[pageHead:], uint64(native.Uint16(page[10:]))
	if n == 0xFFFF { // more than that number holds: the first says how many
		list, n = list[8:], native.Uint64(list)
	}
	if n > uint64(len(list)/8) {
		return damage(v.freelist, "%d free pages do not fit in %d bytes", n, len(page))
	}
	last := uint64(1)
	for ; n > 0; list, n = list[8:], n-1 {
		id := native.Uint64(list)
		if id <= last || id >= v.pages {
			return damage(v.freelist, "the list of free pages has %d after %d, of %d", id, last, v.pages)
		}
		if last = id; !v.owned.add(id) {
			return damage(id, "it is in use, and in the list of free pages")
		}
	}
	if p := v.owned.missing(); p < v.pages {
		return damage(p, "it is neither in use nor in the list of free pages")
	}
	return nil
}
