package overhead_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/overhead"
)

func BenchmarkW2a(b *testing.B) {
	for _, w := range overhead.Works() {
		w.Benchmark(b)
	}
}

func TestW2aRun(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("W2A_N"))
	if n == 0 {
		t.Skip()
	}
	c, _ := strconv.Atoi(os.Getenv("W2A_C"))
	wi, _ := strconv.Atoi(os.Getenv("W2A_W"))
	size, _ := strconv.Atoi(os.Getenv("W2A_SIZE"))
	if size == 0 {
		size = 1000
	}
	task, err := overhead.Works()[wi].Contenders[c].New(size)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := task.Do(); err != nil {
			t.Fatal(err)
		}
	}
}
