package measure

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine says on what is measured, and when: "Go 1.26, linux/amd64, 2 CPUs, Intel(R) Xeon(R) Processor, 2026-11-22".
// The kind of processor is not known everywhere.
func Machine(now time.Time) string {
	parts := []string{
		strings.Replace(runtime.Version(), "go", "Go ", 1), runtime.GOOS + "/" + runtime.GOARCH,
		fmt.Sprintf("%d CPUs", runtime.GOMAXPROCS(0)),
	}
	if cpu := processor("/proc/cpuinfo"); cpu != "" {
		parts = append(parts, cpu)
	}
	return strings.Join(append(parts, now.Format(time.DateOnly)), ", ")
}

// processor returns what Linux says of the first one; empty if there is no such file.
func processor(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
