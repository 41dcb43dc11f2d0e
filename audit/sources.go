package audit

import (
	"bytes"
	"go/build"
	"os"
	"path/filepath"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

// readSources reads the files of a unit that were to be reviewed: it gives each finding its line, and returns the comments that answer for
// findings. A file that cannot be read is none of its business; the review has said so.
func (s *survey) readSources(u *unit, findings []report.Finding) []*ignore {
	byFile := map[string][]*report.Finding{}
	for i := range findings {
		byFile[findings[i].File] = append(byFile[findings[i].File], &findings[i])
	}
	var comments []*ignore
	for _, path := range u.files {
		if !s.covers(path) {
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Size() > maxFile {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		file := s.shown(path)
		var lines [][]byte
		line := func(n int) string {
			if lines == nil {
				lines = bytes.Split(src, []byte("\n"))
			}
			if n < 1 || n > len(lines) {
				return ""
			}
			return strings.TrimRight(string(lines[n-1]), "\r")
		}
		for _, f := range byFile[file] {
			if code := line(f.Line); code != "" {
				f.Code = code
			}
		}
		if !bytes.Contains(src, []byte(ignoreMark)) {
			continue
		}
		for _, x := range ignoresIn(file, src) {
			x.code = line(x.Line)
			x.unsure = u.language == goCode && !compiledHere(path)
			comments = append(comments, x)
		}
	}
	return comments
}

// compiledHere reports whether a Go file is part of the program as it is built on this machine; the review sees no others.
func compiledHere(path string) bool {
	ok, err := build.Default.MatchFile(filepath.Dir(path), filepath.Base(path))
	return ok && err == nil && !strings.HasSuffix(path, "_test.go")
}
