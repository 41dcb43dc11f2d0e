package beam

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatCannotBeReadIsNamedAndTheRestIsReviewed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("good.ex", children("[{Task.Supervisor, name: T}]"))
	write("binary.ex", "defmodule A\x00 do end")
	write("large.ex", strings.Repeat("# long\n", 100))
	write("open.ex", "defmodule A do\n  def a do\n")
	if err := os.Mkdir(filepath.Join(dir, "folder.ex"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop.ex", filepath.Join(dir, "loop.ex")); err != nil {
		t.Fatal(err)
	}
	names := []string{"binary.ex", "folder.ex", "good.ex", "large.ex", "loop.ex", "none.ex", "open.ex", "README.md"}
	result, err := Review(t.Context(), dir, names, Options{MaxFile: 500})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "inventory", rows(result), []string{"Task.Supervisor | T | one_for_one | 3 in 5s | unlimited (by default)"})
	want := map[string]string{
		"binary.ex": "zero byte", "folder.ex": "not a regular file", "large.ex": "larger than 500 bytes", "loop.ex": "symbolic links",
		"none.ex": "no such file", "open.ex": "end of the file",
	}
	for _, u := range result.Unread {
		if want[u.File] == "" || !strings.Contains(u.Reason, want[u.File]) || strings.Contains(u.Reason, dir) {
			t.Errorf("%s: %s", u.File, u.Reason)
		}
		delete(want, u.File)
	}
	if len(want) > 0 {
		t.Errorf("not named: %v", want)
	}
}

func TestReviewStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Review(ctx, t.TempDir(), []string{"a.ex"}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
