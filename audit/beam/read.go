package beam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// read reads the files and makes the program of them. What can't be read is named in the result.
func read(ctx context.Context, root string, files []string, o Options, result *report.Result) *program {
	p := &program{modules: map[string]*module{}, config: &config{values: map[string][]term{}}}
	for _, name := range files {
		if ctx.Err() != nil {
			return p
		}
		src, err := readSource(root, name, o)
		if err != nil {
			result.Unread = append(result.Unread, unread(name, err))
			continue
		}
		p.addFile(src)
	}
	return p
}

func readSource(root, name string, o Options) (*source, error) {
	text, err := readText(filepath.Join(root, filepath.FromSlash(name)), o.maxFile())
	if err != nil {
		return nil, err
	}
	file, err := elixir.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return &source{path: name, text: strings.Split(string(text), "\n"), file: file}, nil
}

// readText reads a file of text that is no larger than limit.
func readText(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: to open a pipe is to wait for a writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("larger than %d bytes, which is the most that is read", limit)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("not text: it holds a zero byte")
	}
	return text, nil
}

func unread(name string, err error) report.Unread {
	u := report.Unread{Position: report.Position{File: name}}
	var syntax *elixir.SyntaxError
	var pathError *os.PathError
	switch {
	case errors.As(err, &syntax):
		u.Line, u.Column = syntax.Line, syntax.Column
		u.Reason = fmt.Sprintf("expected %s, found %s", syntax.Expected, syntax.Found)
	case errors.As(err, &pathError):
		u.Reason = pathError.Err.Error()
	default:
		u.Reason = err.Error()
	}
	return u
}

// readConfig takes in the files of configuration in the order in which Mix reads them.
func (p *program) readConfig() {
	for order := 1; order <= 3; order++ {
		for _, m := range p.order {
			if m.name == "" && m.inConfig() && configOrder[path.Base(m.src.path)] == order {
				p.config.add(p, m)
			}
		}
	}
}

// isTest reports whether a file is for tests only: what it starts serves nobody.
func isTest(file string) bool {
	if strings.HasSuffix(file, "_test.exs") {
		return true
	}
	return slices.Contains(strings.Split(file, "/"), "test")
}
