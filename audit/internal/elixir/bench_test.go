package elixir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkParse is what the review pays for a megabyte of Elixir: what people write, and the densest that the grammar allows.
func BenchmarkParse(b *testing.B) {
	module, err := os.ReadFile(filepath.Join("testdata", "supervisors.ex"))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("application code", func(b *testing.B) {
		benchmarkParse(b, strings.Repeat(string(module), 1<<20/len(module)+1))
	})
	b.Run("generated", func(b *testing.B) {
		var src strings.Builder
		for seed := uint64(1); src.Len() < 1<<20; seed++ {
			// Few of them are invalid. They would end the reading where they stand.
			one := "def f do\n" + newGenerator(seed).file(4) + "\nend\n"
			if _, err := Parse("one.ex", []byte(one)); err == nil {
				src.WriteString(one)
			}
		}
		benchmarkParse(b, src.String())
	})
}

func benchmarkParse(b *testing.B, src string) {
	bytes := []byte(src)
	b.SetBytes(int64(len(bytes)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("bench.ex", bytes); err != nil {
			b.Fatal(err)
		}
	}
}
