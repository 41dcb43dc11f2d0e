package headcount

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

func TestMainStartsNothingOnInvalidConfiguration(t *testing.T) {
	var nobody context.Context
	problems := errors.Join(
		&ConfigError{Path: "myapp", Field: "Name", Value: "a/b", Problem: "must not contain '/'"},
		&ConfigError{Path: "myapp/x", Field: "Run", Problem: "is missing"},
	)
	fine := func() error { return nil }
	for name, run := range map[string]struct {
		ctx   context.Context
		node  mainNode
		check func() error
		cfg   MainConfig
		told  string
	}{
		"tree":        {t.Context(), newFakeTree(), func() error { return problems }, MainConfig{}, "  myapp: Name: \"a/b\" must not contain '/'\n  myapp/x: Run: <nil> is missing\n"},
		"nil context": {nobody, newFakeTree(), fine, MainConfig{}, "ctx: <nil> must not be nil"},
		"stop within": {t.Context(), newFakeTree(), fine, MainConfig{StopWithin: -1}, "MainConfig.StopWithin: -1ns must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			run.cfg.Output = &out
			if tree, ok := run.node.(*fakeTree); ok {
				tree.start = func(context.Context) error { t.Error("started"); return nil }
			}
			if code := runMain(run.ctx, run.node, run.check, nil, run.cfg); code != 2 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(out.String(), run.told) {
				t.Errorf("the output does not tell %q:\n%s", run.told, out.String())
			}
		})
	}
}

func TestMainNeedsASupervisor(t *testing.T) {
	var out bytes.Buffer
	if code := Main(t.Context(), nil, MainConfig{Output: &out}); code != 2 || !strings.Contains(out.String(), "node: <nil> is nil") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}
