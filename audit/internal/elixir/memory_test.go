package elixir

import (
	"runtime"
	"strings"
	"testing"
)

// No source, however dense, makes the reader take more than a fixed number of bytes for each of its own; nor does it take more
// for each when there are more of them, which it would if anything were read again and again.
func TestMemoryIsBoundedByTheSource(t *testing.T) {
	const most = 300
	for _, piece := range []string{
		"a\n", "a;", "[],", "{},", "%{},", "\"\",", ":a,", "0,", "a:\n0,", "A.", "a.", "a|", "a+", "f()\n", "f a,", "->;", "f do end\n",
		"\"#{}\",", "~s//,", "fn->end,", "@a\n", "&1,", "a[0]\n", "\\\n", "#\n", "\"\"\"\n\"\"\"\n", " ", ";", "\"\\x41\",", "+ ",
	} {
		for _, size := range []int{1 << 14, 1 << 18} {
			src := []byte("[" + strings.Repeat(piece, size/len(piece)))
			if per := allocatedPerByte(src); per > most {
				t.Errorf("%d bytes of %q: %d bytes for each", len(src), piece, per)
			}
		}
	}
}

func allocatedPerByte(src []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = Parse("dense.ex", src)
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(len(src))
}

func TestSourceThatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	src := make([]byte, maxBytes+1)
	_, err := Parse("huge.ex", src)
	if err == nil || !strings.Contains(err.Error(), "huge.ex:1:1: expected a source of 8 MiB at most") {
		t.Fatalf("%v", err)
	}
	if per := allocatedPerByte(src); per > 0 {
		t.Errorf("%d bytes for each", per)
	}
}
