package elixir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every operator stands beside every other, and behind every operator of one operand.
func TestReaderBindsEveryPairOfOperatorsAsElixirDoes(t *testing.T) {
	elixir := findElixir(t)
	var infix, prefix []string
	for i := range operators {
		switch op := &operators[i]; op.kind {
		case tBinary, tRange:
			infix = append(infix, op.text)
		case tDual:
			infix = append(infix, op.text)
			prefix = append(prefix, op.text)
		case tUnary, tAt, tCapture:
			prefix = append(prefix, op.text)
		}
	}
	var src strings.Builder
	for _, first := range infix {
		for _, second := range infix {
			fmt.Fprintf(&src, "(a %s b %s c)\n", first, second)
		}
		for _, op := range prefix {
			fmt.Fprintf(&src, "(%s a %s b)\n(a %s %s b %s c)\n", op, first, first, op, first)
		}
	}
	path := filepath.Join(t.TempDir(), "pairs.ex")
	if err := os.WriteFile(path, []byte(src.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if compareWithElixir(t, elixir, []string{path}) != 1 {
		t.Errorf("Elixir does not accept the %d lines", strings.Count(src.String(), "\n"))
	}
}
