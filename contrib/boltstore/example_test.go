package boltstore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

// An Engine is given a Store by Config.Store; here its calls are made by hand.
func Example() {
	dir, err := os.MkdirTemp("", "fleetaudit")
	ok(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fleetaudit.db")
	ctx := context.Background()

	store, err := boltstore.Open(path, boltstore.Options{})
	ok(err)
	ok(store.Commit(ctx, []engine.Change{
		{Table: "schedule", Key: []byte("mondays"), Value: []byte("WEEKLY MON")},
		{Table: "schedule", Key: []byte("nightly"), Value: []byte("DAILY")},
	}))
	ok(store.Commit(ctx, []engine.Change{{Table: "schedule", Key: []byte("nightly")}})) // goes
	var backup bytes.Buffer
	ok(store.Backup(&backup))
	ok(store.Close())

	ok(os.Truncate(path, 9000))
	_, err = boltstore.Open(path, boltstore.Options{MustExist: true})
	fmt.Println(err != nil)

	ok(os.Remove(path))
	ok(boltstore.Restore(path, &backup))
	store, err = boltstore.Open(path, boltstore.Options{MustExist: true})
	ok(err)
	defer store.Close()
	ok(store.Load(ctx, func(r engine.Row) error {
		fmt.Printf("%s %s: %s\n", r.Table, r.Key, r.Value)
		return nil
	}))
	// Output:
	// true
	// schedule mondays: WEEKLY MON
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}
