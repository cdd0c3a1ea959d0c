package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
)

// A snapshot is snapshotMagic, then the rows in ascending order, each as table, key and value with their lengths before
// them as uvarints, then a table of length zero, and the SHA-256 of everything before.
const snapshotMagic = "fleetaudit snapshot 1\n"

// maxValue is how long a value of a snapshot may be, in bytes.
const maxValue = 1 << 30

// Snapshot writes everything that the Engine holds, as it is at one moment: a stream that [Engine.Restore] reads, in any
// version of this package from this one on, whatever Store either Engine has, if any. Operations go on meanwhile. Audits
// in progress are in it as such. It waits for a Commit of the Store that is under way. The error is that of w.
func (e *Engine) Snapshot(w io.Writer) error {
	var txn *memdb.Txn
	var found *findings.Snapshot
	moment := func(*update) error {
		txn, found = e.state.Txn(false), e.findings.Snapshot()
		return nil
	}
	if e.submit(&write{op: moment}) != nil { // in its turn nobody else writes; after the Store has failed, nobody does
		_ = moment(nil)
	}
	changes := stateRows(txn)
	sum := sha256.New()
	b := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<16)
	b.WriteString(snapshotMagic) // errors stay in b
	put := func(c Change) {
		for _, part := range [][]byte{[]byte(c.Table), c.Key, c.Value} {
			b.Write(binary.AppendUvarint(nil, uint64(len(part))))
			b.Write(part)
		}
	}
	// Both are in order; together they must be too.
	for r := range found.Rows() {
		for len(changes) > 0 && changes[0].Table < r.Table {
			put(changes[0])
			changes = changes[1:]
		}
		put(Change(r))
	}
	for _, c := range changes {
		put(c)
	}
	b.WriteByte(0)
	if err := b.Flush(); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// stateRows returns every row of a state as the Store has it, in order.
func stateRows(txn *memdb.Txn) []Change {
	var all []Change
	for table, of := range records() {
		it := must(txn.Get(table, "id", []byte(nil)))
		for row := it.Next(); row != nil; row = it.Next() {
			all = append(all, Change{Table: table, Key: of.key(row), Value: of.value(row)})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Table, b.Table), bytes.Compare(a.Key, b.Key)) })
	return all
}

// ErrNotEmpty is the error of [Engine.Restore] for an Engine that holds something already, or has held audits.
var ErrNotEmpty = errors.New("engine: only an Engine that has had no audit, and holds no schedule or suppression, can be restored into")

// Restore fills an Engine that has just been made, with an empty [Store] or none, with what another's [Engine.Snapshot]
// wrote: all of it, or nothing if there is an error. The account's configuration is that of the snapshot. Then
// [Engine.Resume] goes on with the audits that were in progress. The stream is read to its end. The memory that it takes
// is that of what the stream holds: findings that repeat take a few bytes in a stream, and thirteen each in memory.
//
// The error says what is wrong with the stream: it is no snapshot, of a later version, of another account or region, cut,
// or damaged; or it is [ErrNotEmpty], [ErrClosed], the error of r, or InternalFailureException if the Store fails.
func (e *Engine) Restore(r io.Reader) error {
	// Once for trial: afterwards nothing can be wrong.
	state, err := newState()
	if err != nil {
		return fmt.Errorf("engine: restore: %w", err)
	}
	trial := newLoader(&e.config, state.Txn(true), findings.New())
	defer trial.txn.Abort()
	var all []Change
	err = readSnapshot(r, func(c Change) error {
		all = append(all, c)
		return trial.add(Row(c))
	})
	if err == nil {
		err = trial.done()
	}
	if err != nil {
		return fmt.Errorf("engine: restore: %w", err)
	}
	if !trial.any {
		return errors.New("engine: restore: the snapshot holds nothing")
	}
	release, err := e.reserve()
	if err != nil {
		return err
	}
	defer release()
	l := newLoader(&e.config, nil, e.findings)
	w := &write{op: func(u *update) error { return e.restore(u, l, all) }}
	for _, c := range all {
		if !l.isState(c.Table) {
			w.rows = append(w.rows, findings.Row(c))
		}
	}
	if err := e.submit(w); err != nil {
		return err
	}
	e.checkParameters(e.account(e.state.Txn(false)))
	e.collect()
	return nil
}

// restore puts rows that are known to be right into a state that must be empty.
func (e *Engine) restore(u *update, l *loader, all []Change) error {
	if e.created.Load() > 0 { // their findings may be dropped, but not forgotten
		return ErrNotEmpty
	}
	for _, table := range []string{scheduleTable, suppressionTable} {
		if must(u.txn.First(table, "id")) != nil {
			return ErrNotEmpty
		}
	}
	if row := e.account(u.txn); row != nil {
		remove(u.txn, accountTable, row)
	}
	l.txn = u.txn
	for _, c := range all {
		must(c, l.add(Row(c)))
	}
	e.created.Store(l.newest) // before others of this transaction begin audits
	u.kept = append(u.kept, func() {
		must(l, l.findings.Done())
		e.recount(u.txn, l.newest)
		e.resuming.Lock()
		defer e.resuming.Unlock()
		e.left = l.left
	})
	return nil
}

// readSnapshot reads a stream whole, and calls each with its rows before it knows that the stream is.
func readSnapshot(r io.Reader, each func(Change) error) error {
	s := snapshotReader{b: bufio.NewReaderSize(r, 1<<16), sum: sha256.New()}
	magic := make([]byte, len(snapshotMagic))
	if _, err := io.ReadFull(&s, magic); err != nil {
		return cut(err)
	}
	if string(magic) != snapshotMagic {
		if bytes.HasPrefix(magic, []byte("fleetaudit snapshot ")) {
			return fmt.Errorf("the stream is %q, and this program knows no later one than %q", bytes.TrimSpace(magic), snapshotMagic[:len(snapshotMagic)-1])
		}
		return errors.New("the stream is no snapshot")
	}
	for {
		table, err := s.bytes(1 << 10)
		if err != nil {
			return cut(err)
		}
		if len(table) == 0 {
			break
		}
		key, err := s.bytes(1 << 10)
		if err != nil {
			return cut(err)
		}
		value, err := s.bytes(maxValue)
		if err != nil {
			return cut(err)
		}
		if err := each(Change{string(table), key, value}); err != nil {
			return err
		}
	}
	want := s.sum.Sum(nil)
	have := make([]byte, len(want))
	if _, err := io.ReadFull(&s, have); err != nil {
		return cut(err)
	}
	if !bytes.Equal(have, want) {
		return errors.New("the stream is damaged: its checksum is not that of what it says")
	}
	if n, err := s.b.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the snapshot: %w", cmp.Or(err, errors.New("more bytes")))
	}
	return nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the stream is cut off")
	}
	return err
}

// snapshotReader reads a stream, and sums up what it has read.
type snapshotReader struct {
	b   *bufio.Reader
	sum hash.Hash
	err error // of b
}

func (s *snapshotReader) Read(p []byte) (int, error) {
	n, err := s.b.Read(p)
	s.sum.Write(p[:n])
	return n, err
}

func (s *snapshotReader) ReadByte() (byte, error) {
	var c byte
	if c, s.err = s.b.ReadByte(); s.err == nil {
		s.sum.Write([]byte{c})
	}
	return c, s.err
}

func (s *snapshotReader) bytes(limit uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(s)
	if s.err != nil {
		return nil, err
	}
	if err != nil {
		return nil, errors.New("the stream is damaged: a length that does not end")
	}
	if n > limit {
		return nil, fmt.Errorf("the stream is damaged: a length of %d where at most %d may be", n, limit)
	}
	if n <= 1<<16 {
		b := make([]byte, n)
		_, err := io.ReadFull(s, b)
		return b, err
	}
	var b bytes.Buffer // which grows with what is there, whatever n says
	if _, err := io.CopyN(&b, s, int64(n)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
