package audit

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

const goMod = "module m\n"

func TestCodeBasesAreFoundBelowAPath(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"shop/go.mod": goMod, "shop/a/a.go": "LEAK", "shop/tool/go.mod": goMod, "shop/tool/t.go": "LEAK",
		"chat/mix.exs": "", "chat/lib/c.ex": "LEAK", "chat/config/config.exs": "LEAK",
		"old/rebar.config": "", "old/src/o.erl": "LEAK", "loose/l.exs": "LEAK",
	})
	r := p.want(Config{}, "HC201 chat/config/config.exs:1:1, HC201 chat/lib/c.ex:1:1, HC201 loose/l.exs:1:1, HC201 old/src/o.erl:1:1, "+
		"HC101 shop/a/a.go:1:1, HC101 shop/tool/t.go:1:1")
	if len(r.Supervisors) != 6 || r.Findings[1].Reach[0].File != "chat/lib/c.ex" || r.Findings[1].Code != "LEAK" {
		t.Errorf("report %+v", r)
	}
}

func TestWhatIsNotTheCodeBasesOwnIsLeftOut(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"mix.exs": "", "lib/a.ex": "LEAK", "deps/d/mix.exs": "", "deps/d/d.ex": "LEAK", "_build/b.ex": "LEAK", "assets/node_modules/n.ex": "LEAK",
		"vendor/v.ex": "LEAK", ".git/g.ex": "LEAK", "test/t.exs": "LEAK", "lib/a_test.exs": "LEAK", "lib/testdata/t.ex": "LEAK", "lib/.#a.ex": "LEAK",
		"lib/deps/own.ex": "LEAK", "lib/test/own.ex": "LEAK",
	})
	p.want(Config{}, "HC201 lib/a.ex:1:1, HC201 lib/deps/own.ex:1:1, HC201 lib/test/own.ex:1:1")
	p.want(Config{Paths: []string{"test", "deps/d"}}, "HC201 deps/d/d.ex:1:1, HC201 test/t.exs:1:1") // when it is asked for by name
}

// What is outside of the path is reviewed, because it tells who reaches the inside; but it is not told of.
func TestAPathIsReviewedWithinItsWhole(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"mix.exs": "BROKEN", "apps/one/mix.exs": "", "apps/one/lib/a.ex": "LEAK", "apps/two/mix.exs": "", "apps/two/b.ex": "LEAK", "other/mix.exs": "", "other/o.ex": "LEAK",
	})
	var roots []string
	c := Config{Paths: []string{"apps/one/lib"}, Dir: p.dir, reviewers: fake()}
	review := c.reviewers.beam
	c.reviewers.beam = func(ctx context.Context, root string, files []string) (report.Result, error) {
		roots = append(roots, root)
		if len(files) != 5 { // all but those of the project inside that is none of its applications
			t.Errorf("reviewed are %v", files)
		}
		return review(ctx, root, files)
	}
	r, err := Run(t.Context(), c)
	if err != nil || places(r.Findings) != "HC201 apps/one/lib/a.ex:1:1" || len(r.Unread) != 0 || len(roots) != 1 || roots[0] != p.dir {
		t.Errorf("error %v, roots %v, report %+v", err, roots, r)
	}
}

func TestAFileAlone(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "LEAK", "b.go": "LEAK", "x/c.ex": "LEAK", "x/d.ex": "LEAK"})
	p.want(Config{Paths: []string{"b.go", filepath.Join(p.dir, "x", "c.ex")}}, "HC101 b.go:1:1, HC201 x/c.ex:1:1")
	c := Config{Paths: []string{"x/c.ex"}, Dir: p.dir, reviewers: fake()}
	c.reviewers.beam = func(_ context.Context, _ string, files []string) (report.Result, error) {
		if len(files) != 1 {
			t.Errorf("what is beside a file of no project was read: %v", files)
		}
		return report.Result{}, nil
	}
	if _, err := Run(t.Context(), c); err != nil {
		t.Error(err)
	}
	p.want(Config{Paths: []string{"./...", "x", "a.go"}}, "HC101 a.go:1:1, HC101 b.go:1:1, HC201 x/c.ex:1:1, HC201 x/d.ex:1:1")
}

func TestPathsThatCannotBeReviewed(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"empty/readme.txt": ""})
	for path, want := range map[string]string{
		"nowhere":          "nowhere: there is no such file or directory",
		"empty":            `nothing to review in "empty": no Go module, and no Elixir or Erlang file`,
		"empty/readme.txt": "empty/readme.txt is neither a directory nor a file of Go, Elixir or Erlang",
	} {
		if _, err := p.try(Config{Paths: []string{path}}); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", path, err, want)
		}
	}
	if _, err := p.try(Config{Paths: []string{}}); err == nil {
		t.Error("no path was given, and that is no error")
	}
}

func TestFilesThatCannotBeReadAreNamedAndHinderNothing(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"mix.exs": "", "lib/good.ex": "LEAK", "lib/broken.ex": "a\nBROKEN", "lib/binary.ex": "defmodule\x00", "go/no_module.go": "LEAK", "go/second.go": "",
		"lib/huge.ex": "",
	})
	if err := os.Truncate(filepath.Join(p.dir, "lib/huge.ex"), 100_000_000); err != nil {
		t.Fatal(err)
	}
	r := p.want(Config{}, "HC201 lib/good.ex:1:1")
	for _, want := range []string{
		"lib/broken.ex:2:1: broken", "lib/binary.ex: it is not text: it has a zero byte",
		"go: it has Go files, and there is no go.mod above them", "lib/huge.ex: it has 100000000 bytes; files of more than 16777216 are not read",
	} {
		if !strings.Contains(unread(r), want) {
			t.Errorf("no %q among what was not read: %s", want, unread(r))
		}
	}
	if len(r.Unread) != 4 {
		t.Errorf("not read: %s", unread(r))
	}
}

func TestWhatMayNotBeReadIsNamed(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("this user may read everything")
	}
	p := newProject(t)
	p.write(map[string]string{"mix.exs": "", "lib/a.ex": "LEAK", "lib/secret.ex": "", "lib/closed/b.ex": ""})
	for _, name := range []string{"lib/secret.ex", "lib/closed"} {
		if err := os.Chmod(filepath.Join(p.dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(p.dir, "lib/closed"), 0o700) })
	r := p.want(Config{}, "HC201 lib/a.ex:1:1")
	if unread(r) != "lib/closed: permission denied; lib/secret.ex: permission denied" {
		t.Errorf("not read: %s", unread(r))
	}
}
