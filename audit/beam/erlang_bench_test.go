package beam

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// erlLarge is a server with many clauses, each of which starts a process and binds variables in a circle.
func erlLarge(clauses int) string {
	var b strings.Builder
	b.WriteString("-module(large).\n-behaviour(gen_server).\n\n")
	for i := range clauses {
		fmt.Fprintf(&b, "handle_info({m%d, X}, S) ->\n    {A, B} = B, {B, A} = A, A:f(B), x(X),\n    spawn(fun() -> gen_server:call(?MODULE, {m%d, X}) end),\n    {noreply, S};\n", i, i)
	}
	b.WriteString("handle_info(_, S) -> {noreply, S}.\n\nx(X) -> spawn(?MODULE, y, [X]).\n")
	return b.String()
}

func TestErlangServerOfManyClausesIsReviewed(t *testing.T) {
	result := erlReviewed(t, map[string]string{"large.erl": erlLarge(3000)})
	if len(result.Findings) != 3001 || len(result.Unread) > 0 {
		t.Errorf("%d findings, unread %v", len(result.Findings), result.Unread)
	}
}

func BenchmarkReviewErlang(b *testing.B) {
	dir := b.TempDir()
	text := erlLarge(10_000)
	if err := os.WriteFile(filepath.Join(dir, "large.erl"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		reviewErlang(b.Context(), dir, []string{"large.erl"}, Options{})
	}
}
