package scans

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// device is a resource of which a rule looks at some members.
type device struct {
	ID           string
	Firmware     int
	Region       string
	Certificates int
	LastSeen     time.Time
	Encrypted    bool
}

var regions = [...]string{"us", "ap", "sa", "af", "me", "cn", "in", "jp", "au", "ca", "uk", "eu"}

// newDevice makes the i-th device. About one of a hundred violates the rule.
func newDevice(i int) device {
	x := mix(uint64(i))
	certificates := 1 + int(x>>16%3)
	if x>>20%1000 == 0 {
		certificates = 12
	}
	return device{
		ID:           fmt.Sprintf("device-%08d", i),
		Firmware:     1 + int(x%70),
		Region:       regions[x>>8%uint64(len(regions))],
		Certificates: certificates,
		LastSeen:     time.Unix(1_700_000_000+int64(x>>24%30_000_000), 0),
		Encrypted:    x>>40%500 != 0,
	}
}

// mix spreads the bits of x, as the last step of SplitMix64 does.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// violates is the rule.
func (d *device) violates() bool {
	return d.Firmware < 7 && d.Region == "eu" || d.Certificates > 10 || !d.Encrypted
}

func newFleet(n int) []device {
	fleet := make([]device, n)
	for i := range fleet {
		fleet[i] = newDevice(i)
	}
	return fleet
}

// stream yields n devices as it makes them.
func stream(n int) func(context.Context) iter.Seq2[device, error] {
	return func(context.Context) iter.Seq2[device, error] {
		return func(yield func(device, error) bool) {
			for i := range n {
				if !yield(newDevice(i), nil) {
					return
				}
			}
		}
	}
}
