package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestGoVetRunsTheRules(t *testing.T) {
	tool := build(t)
	t.Run("and tells what is found", func(t *testing.T) {
		out, err := vet(t, tool)
		if err == nil {
			t.Errorf("go vet ended well, with\n%s", out)
		}
		expect(t, out, "main.go:16:10: http.Server has neither ReadHeaderTimeout", "(HC110)")
		expect(t, out, "main.go:31:12: io.ReadAll takes the body", "(HC114)")
		refuse(t, out, "HC112", "HC113", "main.go:25")
	})
	t.Run("as flags say", func(t *testing.T) {
		out, _ := vet(t, tool, "-confidence=low", "-HC110=false")
		expect(t, out, "(HC113)", "(HC114)")
		refuse(t, out, "(HC110)")
	})
	t.Run("and refuses a confidence that is none", func(t *testing.T) {
		out, err := vet(t, tool, "-confidence=sure")
		if err == nil {
			t.Errorf("it was taken, with\n%s", out)
		}
		expect(t, out, "must be high, medium or low")
	})
}

// build makes the tool as its users would.
func build(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "headcount-vet")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	run(t, ".", "go", "build", "-buildvcs=false", "-o", tool, ".")
	return tool
}

func vet(t *testing.T, tool string, flags ...string) (string, error) {
	t.Helper()
	args := append([]string{"vet", "-vettool=" + tool}, flags...)
	cmd := command(t.Context(), "testdata/shop", "go", append(args, "./...")...)
	cmd.Env = append(cmd.Env, "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if out, err := command(t.Context(), dir, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD=")
	return cmd
}

func expect(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
}

func refuse(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(out, part) {
			t.Errorf("%q is in\n%s", part, out)
		}
	}
}
