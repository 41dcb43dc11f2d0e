package elixir

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestReaderFindsWhatElixirsParserFinds compares the whole trees: each node, what is in it, and where it begins.
func TestReaderFindsWhatElixirsParserFinds(t *testing.T) {
	elixir := findElixir(t)
	t.Run("in files that hold every shape", func(t *testing.T) {
		files := elixirFiles(t, "testdata")
		if accepted := compareWithElixir(t, elixir, files); accepted != len(files) {
			t.Errorf("Elixir accepts only %d of %d", accepted, len(files))
		}
	})
	t.Run("in Elixir's own library", func(t *testing.T) {
		dir := os.Getenv("HEADCOUNT_ELIXIR_SOURCES")
		if dir == "" {
			t.Skip("HEADCOUNT_ELIXIR_SOURCES names no directory: testdata/fetch-sources.sh makes one")
		}
		files := elixirFiles(t, dir)
		if accepted := compareWithElixir(t, elixir, files); accepted == 0 {
			t.Errorf("no source that Elixir accepts in %s", dir)
		}
	})
}

// generatedFiles is how many sources each test of generated code asks Elixir about.
const generatedFiles = 400

func TestReaderFindsWhatElixirsParserFindsInGeneratedCode(t *testing.T) {
	accepted := compareGenerated(t, func(g *generator) string { return g.file(4) })
	if accepted < generatedFiles/2 {
		t.Errorf("Elixir accepts only %d of %d: the generator proves little", accepted, generatedFiles)
	}
}

// Most of what a slip of the finger makes of code is invalid. What is not means something else, which tells how exactly the
// reader sees spaces, lines and brackets.
func TestReaderFindsWhatElixirsParserFindsInCodeWithSlips(t *testing.T) {
	accepted := compareGenerated(t, func(g *generator) string { return g.slip(g.file(1)) })
	if accepted < generatedFiles/10 {
		t.Errorf("Elixir accepts only %d of %d: the slips prove little", accepted, generatedFiles)
	}
}

// compareGenerated asks about sources whose file names are their seeds.
func compareGenerated(t *testing.T, source func(*generator) string) (accepted int) {
	t.Helper()
	elixir := findElixir(t)
	dir := t.TempDir()
	first := rand.Uint64N(1 << 32)
	t.Logf("seeds %d and the %d behind it", first, generatedFiles-1)
	for seed := first; seed < first+generatedFiles; seed++ {
		src := source(newGenerator(seed))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%012d.ex", seed)), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return compareWithElixir(t, elixir, elixirFiles(t, dir))
}

func findElixir(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("elixir")
	if err != nil {
		t.Skip("no elixir on this machine, so nothing to compare with: install Debian's package elixir")
	}
	return path
}

func elixirFiles(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && !d.IsDir() && (ext == ".ex" || ext == ".exs") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// compareWithElixir fails for each file that Elixir accepts and the reader doesn't read as Elixir does. It counts those that
// Elixir accepts.
func compareWithElixir(t *testing.T, elixir string, files []string) (accepted int) {
	t.Helper()
	list := filepath.Join(t.TempDir(), "files")
	if err := os.WriteFile(list, []byte(strings.Join(files, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	run := exec.CommandContext(t.Context(), elixir, filepath.Join("testdata", "oracle.exs"), list)
	run.Stderr = &complaints
	out, err := run.Output()
	if err != nil {
		t.Fatalf("elixir: %v\n%s", err, complaints.Bytes()[max(0, complaints.Len()-2000):])
	}
	answers := strings.Split(string(out), "=== ")[1:]
	if len(answers) != len(files) {
		t.Fatalf("elixir told of %d files, not of %d", len(answers), len(files))
	}
	for i, path := range files {
		verdict, tree, _ := strings.Cut(answers[i], "\n")
		if verdict != "ok" {
			continue
		}
		accepted++
		compareFile(t, path, tree)
	}
	t.Logf("%d files, %d of them accepted by Elixir", len(files), accepted)
	return accepted
}

func compareFile(t *testing.T, path, want string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(path, src)
	if err != nil {
		t.Errorf("Elixir accepts it, the reader says: %v", err)
		return
	}
	got := strings.Split(outlineOf(f), "\n")
	wantLines := strings.Split(want, "\n")
	columns := comparableColumns(src)
	for i := range min(len(got), len(wantLines)) {
		if !sameNode(got[i], wantLines[i], columns) {
			from := max(0, i-6)
			t.Errorf("%s: the reader's tree differs in node %d\nreader: %s\nElixir: %s\nafter:\n%s",
				path, i, got[i], wantLines[i], strings.Join(got[from:i], "\n"))
			return
		}
	}
	if len(got) != len(wantLines) {
		t.Errorf("%s: the reader has %d nodes, Elixir %d", path, len(got), len(wantLines))
	}
}

// sameNode compares two lines. The place counts where both know it.
func sameNode(got, want string, columns []bool) bool {
	got, gotPlace, _ := strings.Cut(got, "@")
	want, wantPlace, _ := strings.Cut(want, "@")
	if got != want {
		return false
	}
	if gotPlace == "-" || wantPlace == "-" || gotPlace == wantPlace {
		return true
	}
	gotLine, _, _ := strings.Cut(gotPlace, ":")
	wantLine, _, _ := strings.Cut(wantPlace, ":")
	line, err := strconv.Atoi(gotLine)
	return err == nil && gotLine == wantLine && !columns[line-1]
}

// comparableColumns tells for each line whether its columns mean the same to both: Elixir counts characters and the reader
// bytes, and behind an escaped interpolation Elixir 1.14 counts two too few.
func comparableColumns(src []byte) []bool {
	var lines []bool
	for line := range bytes.Lines(src) {
		lines = append(lines, isASCII(line) && !bytes.Contains(line, []byte(`\#{`)))
	}
	return append(lines, true)
}

func isASCII(src []byte) bool {
	for _, c := range src {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
