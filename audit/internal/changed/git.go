package changed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Since asks git which lines of the work tree that dir is in have changed since its history left that of a revision. Files that git does
// not know yet are new as a whole. Top is the directory that the paths of the lines are relative to.
func Since(ctx context.Context, dir, revision string) (lines Lines, top string, err error) {
	out, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, "", err
	}
	top, err = filepath.EvalSymlinks(filepath.FromSlash(strings.TrimRight(string(out), "\r\n")))
	if err != nil {
		return nil, "", err
	}
	if _, err := git(ctx, top, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}"); err != nil {
		return nil, "", fmt.Errorf("git knows no revision %q in %s; a clone for CI may have to be deeper", revision, top)
	}
	base, err := git(ctx, top, "merge-base", revision, "HEAD")
	if err != nil {
		return nil, "", fmt.Errorf("git finds no common history of %q and HEAD in %s; a clone for CI may have to be deeper", revision, top)
	}
	diff, err := git(ctx, top, "-c", "core.quotePath=true", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
		"--no-relative", "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", strings.TrimSpace(string(base)), "--")
	if err != nil {
		return nil, "", err
	}
	lines, err = parse(bytes.NewReader(diff))
	if err != nil {
		return nil, "", err
	}
	untracked, err := git(ctx, top, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, "", err
	}
	for name := range strings.SplitSeq(string(untracked), "\x00") {
		if name != "" {
			lines[name] = append(lines[name], whole)
		}
	}
	return lines, top, nil
}

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if said, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n"); said != "" {
			return nil, fmt.Errorf("git %s in %s: %s", args[0], dir, said)
		}
	}
	return nil, fmt.Errorf("git %s in %s: %w", args[0], dir, err)
}
