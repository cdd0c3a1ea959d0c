package fleet

import (
	"context"
	"crypto/sha256"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// SetLook sets how l looks, before it has begun to.
func SetLook(l *Live, look func(context.Context, []string) (Digest, error)) { l.look = look }

// SetLoad sets how l reads its files again, before it has begun to.
func SetLoad(l *Live, load func(context.Context, []string) (inventory.Loaded, error)) { l.load = load }

// LookInto is Look at what is in a folder that has been seen.
func LookInto(ctx context.Context, path string) Digest {
	l := looker{hash: sha256.New(), visited: make(map[string]bool)}
	l.folder(ctx, path, path)
	return Digest(l.hash.Sum(nil))
}
