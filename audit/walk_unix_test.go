//go:build unix

package audit

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSymbolicLinksAndOddFiles(t *testing.T) {
	p := newProject(t)
	outside := newProject(t)
	outside.write(map[string]string{"shared.ex": "LEAK"})
	p.write(map[string]string{"mix.exs": "", "lib/a.ex": "LEAK"})
	for name, target := range map[string]string{
		"lib/up": "..", "lib/loop": "loop", "lib/other.ex": "a.ex", "lib/nowhere.ex": "none", "lib/nowhere": "none", "lib/shared.ex": outside.dir + "/shared.ex",
	} {
		if err := os.Symlink(target, filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(p.dir, "lib/pipe.ex"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := p.want(Config{}, "HC201 lib/a.ex:1:1, HC201 lib/shared.ex:1:1")
	want := "lib/loop: it is a symbolic link that leads in a circle; lib/nowhere.ex: it is a symbolic link that leads nowhere; lib/pipe.ex: it is not a regular file"
	if unread(r) != want {
		t.Errorf("not read: %s, want %s", unread(r), want)
	}
	if _, err := p.try(Config{Paths: []string{"lib/loop"}}); err == nil || !strings.Contains(err.Error(), "lib/loop: ") {
		t.Errorf("error %v", err)
	}
	// A path that is itself a link is followed.
	if r := p.run(Config{Paths: []string{"lib/up"}}); len(r.Findings) != 2 {
		t.Errorf("findings %s", places(r.Findings))
	}
}
