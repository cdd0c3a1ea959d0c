package scans

import (
	"os"
	"regexp"
	"testing"
)

func BenchmarkAll(b *testing.B) {
	re := regexp.MustCompile(os.Getenv("WORK"))
	for _, w := range Works() {
		if re.MatchString(w.Name) {
			w.Benchmark(b)
		}
	}
}

func BenchmarkOurs(b *testing.B) {
	re := regexp.MustCompile(os.Getenv("WORK"))
	for _, w := range Works() {
		if re.MatchString(w.Name) {
			w.Contenders = w.Contenders[:1]
			w.Benchmark(b)
		}
	}
}
