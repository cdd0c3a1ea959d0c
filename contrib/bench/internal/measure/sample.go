// Package measure has what every comparison needs: samples, the size of the heap, and the table.
package measure

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
)

// Sample is what several rounds measured, in their order.
type Sample []float64

// Median returns the middle value; of an even number of values the mean of the two in the middle; of
// none zero.
func (s Sample) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Max returns the greatest value; of none zero.
func (s Sample) Max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// Over returns the ratios of what the same rounds measured. Both samples have the same length.
func (s Sample) Over(t Sample) Sample {
	ratios := make(Sample, len(s))
	for i := range s {
		ratios[i] = s[i] / t[i]
	}
	return ratios
}

// Spread returns the least and the greatest value in words.
func (s Sample) Spread() string {
	if len(s) == 0 {
		return ""
	}
	return fmt.Sprintf("%s to %s", Figure(slices.Min(s)), Figure(slices.Max(s)))
}

// Figure returns a value with three digits, or with all digits before the point.
func Figure(v float64) string {
	precision := 2
	switch {
	case v >= 100:
		precision = 0
	case v >= 10:
		precision = 1
	}
	return strconv.FormatFloat(v, 'f', precision, 64)
}

// Heap returns the bytes of live objects, after garbage collections.
func Heap() float64 {
	runtime.GC()
	runtime.GC() // what the first one only found to be unused, the second has swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
