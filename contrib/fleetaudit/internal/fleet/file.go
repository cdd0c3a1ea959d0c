package fleet

import (
	"context"
	"fmt"
	"io"
	"os"
)

// ReadFile reads a file of at most most bytes. It fails if there are more, or with the cause of ctx. Whatever it waits
// for, it does not outlast ctx.
func ReadFile(ctx context.Context, path string, most int64) ([]byte, error) {
	return within(ctx, func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, describe(path, err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, most+1))
		if err == nil && int64(len(data)) > most {
			return nil, fmt.Errorf("%s: is larger than %d bytes", path, most)
		}
		return data, describe(path, err)
	})
}

// within returns what work does, or the cause of ctx if that ends first: a file may be one that nobody writes to.
func within[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
