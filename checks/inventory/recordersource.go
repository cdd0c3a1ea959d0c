package inventory

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
)

const (
	// shardSize is how many resources make a shard.
	shardSize = 8192
	// readSize is how many clients are read at most while no event can be recorded.
	readSize = 1024
)

// errDropped is what a scan fails with that has been overtaken: it must not end as if it had seen everything.
var errDropped = errors.New("what was collected has been dropped: no enabled check uses it")

// viewing reads a view for one scan.
type viewing struct {
	*Recorder
	view  views
	drops int // as of the beginning of the scan
	spans spans
}

func (r *Recorder) viewing(view views) *viewing {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &viewing{Recorder: r, view: view, drops: r.state(view).drops}
}

// again is x for another goroutine.
func (x *viewing) again() *viewing {
	return &viewing{Recorder: x.Recorder, view: x.view, drops: x.drops}
}

// read calls f while no event can be recorded.
func (x *viewing) read(f func(*history)) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if v := x.state(x.view); !v.on || v.drops != x.drops {
		return errDropped
	}
	f(x.history)
	return nil
}

// clientShards divides the clients by their numbers, so that a client stays where it is from audit to audit.
func (r *Recorder) clientShards(context.Context) ([]checks.Shard[Client], error) {
	x := r.viewing(clientView)
	var used uint32
	if err := x.read(func(h *history) { used = h.clients.used }); err != nil {
		return nil, err
	}
	var shards []checks.Shard[Client]
	for first := uint32(1); first <= used; first += shardSize {
		shards = append(shards, x.clients(first, min(first+shardSize-1, used)))
	}
	return shards, nil
}

// clients streams the clients of numbers from first to last.
func (x *viewing) clients(first, last uint32) checks.Shard[Client] {
	return func(context.Context) iter.Seq2[Client, error] {
		return func(yield func(Client, error) bool) {
			x := x.again()
			for n := first; n <= last; n++ {
				var c Client
				var ok bool
				if err := x.read(func(h *history) { c, ok = h.client(&x.spans, n, x.view) }); err != nil {
					yield(c, err)
					return
				}
				if ok && !yield(c, nil) {
					return
				}
			}
		}
	}
}

// certificateShards finds out which client has used which certificate, which takes 8 bytes for each until the
// scan ends, and divides that by certificate.
func (r *Recorder) certificateShards(ctx context.Context) ([]checks.Shard[CertificateUse], error) {
	x := r.viewing(certificateView)
	var all uses
	var born uint32
	var moves uint64
	for first, more := uint32(1), true; more; first += shardSize {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := x.read(func(h *history) {
			if first == 1 {
				born, moves = h.born, h.moves
			}
			all = h.usesAmong(all, first, min(first+shardSize-1, h.conns.used), x.view)
			more = first+shardSize <= h.conns.used
			if !more && h.moves != moves { // what went to a row that had been read already was missed
				all = h.usesAmong(all[:0], 1, h.conns.used, x.view)
				born = h.born
			}
		}); err != nil {
			return nil, err
		}
	}
	var shards []checks.Shard[CertificateUse]
	for part := range slices.Chunk(all.sorted().groups(), shardSize) {
		shards = append(shards, x.certificates(part, born))
	}
	return shards, nil
}

// certificates streams the certificates of groups, but for those that came later than born: their numbers were
// those of others when the groups were made.
func (x *viewing) certificates(groups []uses, born uint32) checks.Shard[CertificateUse] {
	return func(ctx context.Context) iter.Seq2[CertificateUse, error] {
		return func(yield func(CertificateUse, error) bool) {
			x := x.again()
			for _, g := range groups {
				c, err := x.certificate(ctx, g, born)
				if err != nil {
					yield(c, err)
					return
				}
				if len(c.Connections) > 0 && !yield(c, nil) {
					return
				}
			}
		}
	}
}

// certificate makes a CertificateUse of those who have used it.
func (x *viewing) certificate(ctx context.Context, group uses, born uint32) (CertificateUse, error) {
	var c CertificateUse
	for part := range slices.Chunk(group, readSize) {
		if ctx.Err() != nil {
			return c, context.Cause(ctx)
		}
		if err := x.read(func(h *history) {
			p := h.principals.at(part[0].certificate)
			if p.count == 0 || int32(born-p.born) < 0 { // born may have begun anew at zero
				return
			}
			if c.CertificateID == "" {
				c.CertificateID = h.principalText(part[0].certificate)
			}
			for _, u := range part {
				c.Connections = h.connectionsOf(c.Connections, &x.spans, u, c.CertificateID, x.view)
			}
		}); err != nil {
			return c, err
		}
	}
	newestFirst(c.Connections)
	return c, nil
}
