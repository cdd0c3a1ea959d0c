//go:build unix && !linux

package crash_test

type disk struct{}
