package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// listen listens at the address that is the value of a flag; unless anyone may be served, at one that only this machine
// reaches.
func listen(flag, address string, anyone bool) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("--%s %q: want HOST:PORT, such as 127.0.0.1:8080", flag, address)
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--%s %q: %w", flag, address, reason(err))
	}
	if !anyone && !addr.IP.IsLoopback() {
		return nil, fmt.Errorf("--%s %q: without --credentials only this machine can be served: want an address such as 127.0.0.1:%d, or --credentials",
			flag, address, addr.Port)
	}
	listener, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--%s %q: %w", flag, address, reason(err))
	}
	return listener, nil
}

// reason is what went wrong, without what was tried and where.
func reason(err error) error {
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*net.AddrError](err); ok {
		return errors.New(e.Err)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(e.Err)
	}
	return err
}

// url is where clients reach a listener. If that is at every address, this machine stands for them.
func url(l net.Listener) string {
	addr := *l.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		addr.IP = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + addr.String()
}
