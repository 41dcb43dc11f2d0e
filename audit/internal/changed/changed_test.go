package changed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A repository is a work tree under test.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := repository{t, dir}
	r.git("init", "--quiet", "--initial-branch=main")
	// What a user has in a configuration must not change what is read.
	for _, set := range []string{"user.name ann", "user.email ann@example.com", "diff.noprefix true", "color.ui always", "diff.external false", "commit.gpgsign false"} {
		key, value, _ := strings.Cut(set, " ")
		r.git("config", key, value)
	}
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (r repository) write(name string, lines ...string) {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) commit() {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "--quiet", "-m", "x")
}

func TestLinesChangedSinceARevision(t *testing.T) {
	r := newRepository(t)
	r.write("a.go", "1", "2", "3", "4", "5")
	r.write("dir/b c ü\t.go", "1")
	r.write("gone.go", "1")
	r.write("same.go", "1")
	r.commit()
	r.git("branch", "feature")
	r.write("same.go", "1", "main has gone on") // which is no change of the feature
	r.commit()
	r.git("checkout", "--quiet", "feature")
	r.write("a.go", "1", "two", "3", "5")
	r.write("dir/b c ü\t.go", "1", "2")
	r.git("rm", "--quiet", "gone.go")
	r.commit()
	r.write("new.go", "1", "2")
	r.write("a.go", "1", "two", "3", "5", "6") // not committed

	lines, top, err := Since(t.Context(), filepath.Join(r.dir, "dir"), "main")
	if err != nil {
		t.Fatal(err)
	}
	if top != r.dir {
		t.Errorf("top is %s, want %s", top, r.dir)
	}
	for _, c := range []struct {
		file        string
		first, last int
		want        bool
	}{
		{"a.go", 1, 1, false}, {"a.go", 2, 2, true}, {"a.go", 1, 2, true}, {"a.go", 3, 3, false}, {"a.go", 4, 4, false}, {"a.go", 5, 5, true},
		{"a.go", 3, 4, true}, // a line between them was removed
		{"dir/b c ü\t.go", 1, 1, false}, {"dir/b c ü\t.go", 2, 0, true},
		{"new.go", 2, 2, true}, {"gone.go", 1, 1, false}, {"same.go", 2, 2, false}, {"none.go", 1, 1, false},
	} {
		if got := lines.Touch(c.file, c.first, c.last); got != c.want {
			t.Errorf("%s %d-%d: changed %v, want %v", c.file, c.first, c.last, got, c.want)
		}
	}
}

func TestARevisionThatIsNotThereIsNamed(t *testing.T) {
	r := newRepository(t)
	r.write("a.go", "1")
	r.commit()
	for _, revision := range []string{"nowhere", "--output=x", "", "HEAD:a.go"} {
		if _, _, err := Since(t.Context(), r.dir, revision); err == nil || !strings.Contains(err.Error(), "knows no revision \""+revision) {
			t.Errorf("%q: error %v", revision, err)
		}
	}
	if _, _, err := Since(t.Context(), t.TempDir(), "HEAD"); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("outside of a repository: error %v", err)
	}
	r.git("checkout", "--quiet", "--orphan", "other")
	r.write("a.go", "2")
	r.commit()
	if _, _, err := Since(t.Context(), r.dir, "main"); err == nil || !strings.Contains(err.Error(), "no common history") {
		t.Errorf("without a common history: error %v", err)
	}
}

func TestLinesOfAHunkAreNotReadAsHeaders(t *testing.T) {
	lines, err := parse(strings.NewReader("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n---- a/y\n-@@ z\n+++ b/y\n+@@ -9 +9 @@\n@@ -7 +7 @@ f\n-a\n+b\n"))
	if err != nil || len(lines) != 1 || len(lines["x"]) != 2 || !lines.Touch("x", 7, 7) || lines.Touch("x", 9, 9) {
		t.Errorf("error %v, lines %v", err, lines)
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("diff --git a/x b/x\n--- a/x\n+++ \"b/\\303\\244\"\n@@ -1,2 +3,0 @@\n-a\n-b\n@@ -1 +1 @@\n")
	f.Fuzz(func(t *testing.T, diff string) {
		lines, err := parse(strings.NewReader(diff))
		if err != nil {
			return
		}
		for file, spans := range lines {
			for _, s := range spans {
				if s.first < 0 || s.last < s.first-1 {
					t.Errorf("%s: %v", file, s)
				}
			}
		}
	})
}
