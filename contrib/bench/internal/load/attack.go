package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/smithy-go"
)

// Attack is what hostile clients do at once. The zero Attack is none.
type Attack struct {
	Slow   int // connections that send a byte of a header a second, and begin anew when they are cut off
	Large  int // clients that send bodies of 100 MB
	Deep   int // clients that send JSON of a million bytes, a third of which open an object or a list
	Forged int // clients that sign with a wrong secret
}

const (
	largeBody = 100_000_000
	deepBody  = 1_000_000
)

// run attacks until ctx ends, and says what became of it. An error is that something was taken that must be refused.
func (a Attack) run(ctx context.Context, url string) (string, error) {
	if a == (Attack{}) {
		return "", nil
	}
	host := strings.TrimPrefix(url, "http://")
	var cutOff, tooLarge, tooDeep, forged, sent atomic.Int64
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	each := func(n int, attack func() error) {
		for range n {
			all.Go(func() {
				for ctx.Err() == nil {
					if err := attack(); err != nil && ctx.Err() == nil {
						mu.Lock()
						errs = append(errs, err)
						mu.Unlock()
						return
					}
				}
			})
		}
	}
	each(a.Slow, func() error { return slow(ctx, host, &cutOff) })
	each(a.Large, func() error { return large(ctx, host, &sent, &tooLarge) })
	each(a.Deep, func() error { return deep(ctx, url, &tooDeep) })
	forger := sdk(url, "guessed", a.Forged)
	each(a.Forged, func() error { return forge(ctx, forger, &forged) })
	all.Wait()
	var refused []string
	for _, r := range []struct {
		by   int
		what string
	}{
		{a.Slow, fmt.Sprintf("%d slow connections cut off", cutOff.Load())},
		{a.Large, fmt.Sprintf("%d bodies of 100 MB refused, of which %.0f kB were sent each", tooLarge.Load(),
			float64(sent.Load())/1e3/float64(max(1, tooLarge.Load())))},
		{a.Deep, fmt.Sprintf("%d deep bodies refused", tooDeep.Load())},
		{a.Forged, fmt.Sprintf("%d forged signatures refused", forged.Load())},
	} {
		if r.by > 0 {
			refused = append(refused, r.what)
		}
	}
	return strings.Join(refused, "; "), errors.Join(errs...)
}

// slow sends a request a byte a second.
func slow(ctx context.Context, host string, cutOff *atomic.Int64) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	over := make(chan struct{})
	go func() {
		io.Copy(io.Discard, c) // until the server closes it
		close(over)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for _, b := range []byte("GET /audit/configuration HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: " + strings.Repeat("a", 1000)) {
		if _, err := c.Write([]byte{b}); err != nil {
			break
		}
		select {
		case <-tick.C:
		case <-over:
			cutOff.Add(1)
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// large sends a body of 100 MB, as much of it as the server takes.
func large(ctx context.Context, host string, sent, refused *atomic.Int64) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	fmt.Fprintf(c, "POST /audit/findings HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", host, largeBody)
	answered := make(chan error, 1)
	go func() {
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil && r.StatusCode != http.StatusRequestEntityTooLarge {
			err = fmt.Errorf("a body of %d bytes is answered with %s", largeBody, r.Status)
		}
		answered <- err
		c.Close()
	}()
	chunk := make([]byte, 64<<10)
	all := 0
	for all < largeBody {
		n, err := c.Write(chunk[:min(len(chunk), largeBody-all)])
		sent.Add(int64(n))
		all += n
		if err != nil {
			break
		}
	}
	err = <-answered
	// A server that closes the connection while it is being written to may have its answer lost on the way.
	if _, reset := errors.AsType[*net.OpError](err); err == nil || all < largeBody/2 && (reset || errors.Is(err, io.ErrUnexpectedEOF)) {
		refused.Add(1)
		return nil
	}
	return err
}

// forge makes a request as a client that has not the key's secret.
func forge(ctx context.Context, forger *iot.Client, refused *atomic.Int64) error {
	_, err := forger.DescribeAccountAuditConfiguration(ctx, &iot.DescribeAccountAuditConfigurationInput{})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "InvalidSignatureException" {
		return fmt.Errorf("a forged signature is answered with %v", err)
	}
	refused.Add(1)
	return nil
}

// deep sends JSON of open objects and lists.
func deep(ctx context.Context, url string, refused *atomic.Int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/audit/findings", strings.NewReader(strings.Repeat(`{"a":[`, deepBody/6)))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("JSON of %d levels is answered with %s", deepBody/3, answer.Status)
	}
	refused.Add(1)
	return nil
}
