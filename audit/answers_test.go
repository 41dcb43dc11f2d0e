package audit

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestFindingsOfLowConfidenceAreToldWhenAskedFor(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "LEAK\nHINT\n"})
	if r := p.want(Config{}, "HC101 a.go:1:1"); r.Hidden.Unsure != 1 {
		t.Errorf("%d hidden", r.Hidden.Unsure)
	}
	p.want(Config{Confidence: report.Low}, "HC101 a.go:1:1, HC101 a.go:2:1")
}

func (p project) git(args ...string) {
	p.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestAPullRequestIsToldOfItsOwnFindings(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	p := newProject(t)
	p.git("init", "--quiet", "--initial-branch=main")
	p.write(map[string]string{"svc/go.mod": goMod, "svc/a.go": "package a\nLEAK(1)\nLEAK(2)\n"})
	p.git("add", "-A")
	p.git("commit", "--quiet", "-m", "before")
	p.git("checkout", "--quiet", "-b", "feature")
	p.write(map[string]string{"svc/a.go": "package a\n\nLEAK(1)\nLEAK(3)\nx() // headcount:ignore HC101 nothing\n", "svc/new.go": "LEAK(4)\n"})
	r := p.want(Config{Paths: []string{"svc", "svc/a.go"}, NewFrom: "main"}, "HC101 svc/a.go:4:1, HC101 svc/new.go:1:1, HC002 svc/a.go:5:5")
	if r.Hidden.Unchanged != 1 {
		t.Errorf("%d are on lines that have not changed", r.Hidden.Unchanged)
	}
	if _, err := p.try(Config{NewFrom: "nowhere"}); err == nil || !strings.Contains(err.Error(), `no revision "nowhere"`) {
		t.Errorf("error %v", err)
	}
}

func TestAReviewThatFailsTakesOnlyItsCodeBaseOut(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"a/go.mod": goMod, "a/a.go": "LEAK\n", "b/go.mod": goMod, "b/b.go": "LEAK\n", "c.ex": "LEAK\n"})
	c := Config{Paths: []string{"."}, Dir: p.dir, reviewers: fake()}
	review := c.reviewers.golang
	c.reviewers.golang = func(ctx context.Context, dir string) (report.Result, error) {
		if strings.HasSuffix(dir, "a") {
			return report.Result{}, errors.New("it does not load")
		}
		return review(ctx, dir)
	}
	c.reviewers.beam = func(context.Context, string, []string) (report.Result, error) { panic("no") }
	r, err := Run(t.Context(), c)
	if err != nil || places(r.Findings) != "HC101 b/b.go:1:1" || unread(r) != ".: the review has failed, which is a mistake in it: no; a: it does not load" {
		t.Errorf("error %v, findings %s, not read: %s", err, places(r.Findings), unread(r))
	}
}

func TestAReviewEndsWithItsContext(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "LEAK\n"})
	ctx, cancel := context.WithCancel(t.Context())
	c := Config{Paths: []string{"."}, Dir: p.dir, reviewers: fake()}
	c.reviewers.golang = func(ctx context.Context, _ string) (report.Result, error) {
		cancel()
		return report.Result{}, errors.New("some error that comes of it")
	}
	if _, err := Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
