package durable

import (
	"go.etcd.io/bbolt"
)

// bolt is bbolt by itself.
type bolt struct {
	*Workload
	path   string
	db     *bbolt.DB
	audits int
	held   int

	callers int
}

var (
	findingRows = []byte("finding")
	smallRows   = []byte("small")
)

func (b *bolt) Open() (err error) {
	if b.db, err = bbolt.Open(b.path, 0o600, nil); err != nil {
		return err
	}
	err = b.db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(smallRows); err != nil {
			return err
		}
		_, err := tx.CreateBucketIfNotExists(findingRows)
		return err
	})
	if err != nil {
		return err
	}
	b.held = 0
	return b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(findingRows).ForEach(func(_, v []byte) error {
			b.held += min(1, int(v[0]))
			return nil
		})
	})
}

func (b *bolt) Held() (int, error) { return b.held, nil }

// Share has a batch of bbolt's committed when everybody who can be in it is: otherwise it waits for a timer.
func (b *bolt) Share(callers int) { b.callers, b.db.MaxBatchSize = callers, callers }

// Operation uses bbolt's own group commit where it helps.
func (b *bolt) Operation(n int) error {
	update := b.db.Update
	if b.callers > 1 {
		update = b.db.Batch
	}
	return update(func(tx *bbolt.Tx) error { return tx.Bucket(smallRows).Put(key(0, n), b.small) })
}

func (b *bolt) Audit() error {
	b.audits++
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(findingRows)
		bucket.FillPercent = 1 // keys ascend
		for i, row := range b.rows {
			if err := bucket.Put(key(b.audits, i), row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) Close() (size int64, err error) {
	if err := b.db.Close(); err != nil {
		return 0, err
	}
	return inUse(b.path)
}

// inUse returns the bytes of the pages of a bbolt file that are not free.
func inUse(path string) (size int64, err error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	return size - int64(db.Stats().FreePageN)*int64(db.Info().PageSize), err
}
