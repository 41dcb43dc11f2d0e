package erlang

import (
	"os"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/room.erl")
	if err != nil {
		b.Fatal(err)
	}
	var large []byte
	for len(large) < 1<<20 {
		large = append(large, src...)
	}
	text := string(large)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if f := Parse(text); len(f.Problems) > 0 {
			b.Fatal(f.Problems)
		}
	}
}
