package overhead

import (
	"context"
	"runtime"
	"strconv"

	"github.com/hashicorp/go-memdb"
	"golang.org/x/sync/errgroup"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// checkRow is what readers see of one check of one audit.
type checkRow struct {
	ID      string // of the audit, and the check's name
	Details model.AuditCheckDetails
}

// newCommits is the obvious way to run checks with a status that can be read meanwhile: a goroutine each, as many at
// once as there are processors, and a commit for each of a check's two changes of status. Nothing stands between the
// audit and a check that panics, hangs or floods. Audits stay in the database, as they do in ours.
func newCommits(size int) (compare.Task, error) {
	all, names := noOps(size)
	db, err := newDatabase("check")
	if err != nil {
		return compare.Task{}, err
	}
	commit := func(row *checkRow) error {
		txn := db.Txn(true)
		defer txn.Abort()
		if err := txn.Insert("check", row); err != nil {
			return err
		}
		txn.Commit()
		return nil
	}
	audits, compliant := 0, 0
	return compare.Task{
		Do: func() error {
			audits++
			task := strconv.Itoa(audits) + "/"
			var group errgroup.Group
			group.SetLimit(runtime.GOMAXPROCS(0))
			for i, check := range all {
				group.Go(func() error {
					begun := &checkRow{ID: task + names[i]}
					begun.Details.CheckRunStatus = model.AuditCheckRunStatusInProgress
					if err := commit(begun); err != nil {
						return err
					}
					err := check.Run(context.Background(), &checks.Pass{})
					ended := &checkRow{ID: begun.ID} // a row that readers may have must not change
					ended.Details.CheckRunStatus = model.AuditCheckRunStatusCompletedCompliant
					if err != nil {
						ended.Details.CheckRunStatus = model.AuditCheckRunStatusFailed
						ended.Details.Message = err.Error()
					}
					return commit(ended)
				})
			}
			if err := group.Wait(); err != nil {
				return err
			}
			compliant = 0
			rows, err := db.Txn(false).Get("check", "id_prefix", task)
			if err != nil {
				return err
			}
			for row := rows.Next(); row != nil; row = rows.Next() {
				if row.(*checkRow).Details.CheckRunStatus == model.AuditCheckRunStatusCompletedCompliant {
					compliant++
				}
			}
			return nil
		},
		Answer: func() any { return compliant },
	}, nil
}

// newDatabase makes a database of tables that have an id and nothing else to find rows by.
func newDatabase(tables ...string) (*memdb.MemDB, error) {
	schema := &memdb.DBSchema{Tables: make(map[string]*memdb.TableSchema)}
	for _, name := range tables {
		id := &memdb.IndexSchema{Name: "id", Unique: true, Indexer: &memdb.StringFieldIndex{Field: "ID"}}
		schema.Tables[name] = &memdb.TableSchema{Name: name, Indexes: map[string]*memdb.IndexSchema{"id": id}}
	}
	return memdb.NewMemDB(schema)
}
