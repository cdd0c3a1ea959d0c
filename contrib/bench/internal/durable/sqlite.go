package durable

import (
	"database/sql"
	"errors"

	_ "modernc.org/sqlite" // without cgo
)

// sqlite is SQLite by itself.
type sqlite struct {
	*Workload
	path   string
	db     *sql.DB
	insert *sql.Stmt
	audits int
	held   int
}

func (s *sqlite) Open() (err error) {
	s.db, err = sql.Open("sqlite", "file:"+s.path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1) // one writer at a time: more only wait for locks
	for _, create := range []string{
		"CREATE TABLE IF NOT EXISTS finding (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
		"CREATE TABLE IF NOT EXISTS small (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
	} {
		if _, err := s.db.Exec(create); err != nil {
			return err
		}
	}
	if s.insert, err = s.db.Prepare("INSERT INTO small VALUES (?, ?)"); err != nil {
		return err
	}
	rows, err := s.db.Query("SELECT value FROM finding ORDER BY key")
	if err != nil {
		return err
	}
	defer rows.Close()
	s.held = 0
	for rows.Next() {
		var v sql.RawBytes
		if err := rows.Scan(&v); err != nil {
			return err
		}
		s.held += min(1, int(v[0]))
	}
	return rows.Err()
}

func (s *sqlite) Held() (int, error) { return s.held, nil }

func (*sqlite) Share(int) {}

func (s *sqlite) Operation(n int) error {
	_, err := s.insert.Exec(key(0, n), s.small)
	return err
}

func (s *sqlite) Audit() error {
	s.audits++
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare("INSERT INTO finding VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i, row := range s.rows {
		if _, err := insert.Exec(key(s.audits, i), row); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *sqlite) Close() (size int64, err error) {
	err = s.db.QueryRow("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&size)
	return size, errors.Join(err, s.insert.Close(), s.db.Close())
}
