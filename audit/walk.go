package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/headcount-go/headcount/audit/report"
)

// maxFile is the size in bytes above which a file is not read. Code that people write is far below.
const maxFile = 16 << 20

// A survey is what there is below the paths of a review. All its paths are absolute and free of symbolic links.
type survey struct {
	base   string
	scopes []string // the paths that were given
	units  []*unit
	unread []report.Unread

	seen     map[string]bool   // files that were looked at
	roots    map[string]string // the root of the code base by its language and directory
	homeless map[string]bool   // directories with Go files in no module
}

// look finds the code bases below paths.
func look(ctx context.Context, base string, paths []string) (*survey, error) {
	s := &survey{base: base, seen: map[string]bool{}, roots: map[string]string{}, homeless: map[string]bool{}}
	for _, path := range paths {
		scope, err := s.resolve(path)
		if err != nil {
			return nil, err
		}
		s.scopes = append(s.scopes, scope)
	}
	for i, scope := range s.scopes {
		info, err := os.Stat(scope)
		if err != nil {
			return nil, err
		}
		switch _, known := languageOf(scope); {
		case info.IsDir():
			err = s.walk(ctx, scope, scope)
		case !known:
			err = fmt.Errorf("%s is neither a directory nor a file of Go, Elixir or Erlang", paths[i])
		default:
			s.file(scope, filepath.Dir(scope))
		}
		if err != nil {
			return nil, err
		}
	}
	// What an outsider reaches shows in the whole of a code base, so the part outside of the paths is read too. Go's own loader does that by
	// itself; files that belong to no project are not known to belong together.
	for _, u := range s.units {
		if u.language == beamCode && isProject(u.root) && !s.covers(u.root) {
			if err := s.walk(ctx, u.root, u.root); err != nil {
				return nil, err
			}
		}
		slices.Sort(u.files)
	}
	s.units = slices.DeleteFunc(s.units, func(u *unit) bool { return !slices.ContainsFunc(u.files, s.covers) })
	return s, nil
}

func (s *survey) resolve(path string) (string, error) {
	dir := strings.TrimSuffix(strings.TrimSuffix(filepath.ToSlash(path), "..."), "/")
	if dir == "" {
		dir = "."
		if strings.HasPrefix(path, "/") {
			dir = "/"
		}
	}
	dir = filepath.FromSlash(dir)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.base, dir)
	}
	found, err := filepath.EvalSymlinks(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: there is no such file or directory", path)
	case err != nil:
		return "", fmt.Errorf("%s: %s", path, reason(err))
	}
	return found, nil
}

// covers reports whether a file is below the paths that were given.
func (s *survey) covers(file string) bool {
	return slices.ContainsFunc(s.scopes, func(scope string) bool { return below(file, scope) })
}

func below(file, dir string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// shown is how a file is named in the report.
func (s *survey) shown(file string) string {
	rel, err := filepath.Rel(s.base, file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

// walk looks at all files below dir. Symbolic links to directories are not followed: what they lead to is reviewed where it is.
func (s *survey) walk(ctx context.Context, dir, scope string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.cannotRead(path, reason(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if path != dir && leftOut(path) {
				return fs.SkipDir
			}
			return nil
		}
		_, known := languageOf(path)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			s.link(path, scope, known)
		case known && strings.HasPrefix(d.Name(), "."), known && strings.HasSuffix(d.Name(), "_test.exs"):
		case known && !d.Type().IsRegular():
			s.cannotRead(path, "it is not a regular file")
		case known:
			s.file(path, scope)
		}
		return nil
	})
}

// link looks at a symbolic link, which may lead nowhere.
func (s *survey) link(path, scope string, known bool) {
	target, err := filepath.EvalSymlinks(path)
	switch {
	case err != nil && inCircle(path):
		s.cannotRead(path, "it is a symbolic link that leads in a circle")
	case err != nil && known:
		s.cannotRead(path, "it is a symbolic link that leads nowhere")
	case err != nil || !known || s.covers(target):
	default:
		if info, err := os.Stat(target); err == nil && info.Mode().IsRegular() {
			s.file(path, scope)
		}
	}
}

// inCircle reports whether the system gives up following a link. Not every system has an error of its own for that.
func inCircle(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, syscall.ELOOP)
}

// file puts a file into the unit that it belongs to.
func (s *survey) file(path, scope string) {
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	lang, _ := languageOf(path)
	dir := filepath.Dir(path)
	var root string
	if lang == goCode {
		root = s.root("go", dir, moduleOf)
		if root == "" {
			if !s.homeless[dir] {
				s.homeless[dir] = true
				s.cannotRead(dir, "it has Go files, and there is no go.mod above them")
			}
			return
		}
	} else {
		if why := unreadable(path); why != "" {
			s.cannotRead(path, why)
			return
		}
		if root = s.root("beam", dir, projectOf); root == "" {
			root = scope
		}
	}
	i := slices.IndexFunc(s.units, func(u *unit) bool { return u.language == lang && u.root == root })
	if i < 0 {
		i = len(s.units)
		s.units = append(s.units, &unit{language: lang, root: root})
	}
	s.units[i].files = append(s.units[i].files, path)
}

func (s *survey) root(kind, dir string, find func(string) string) string {
	key := kind + ":" + dir
	root, known := s.roots[key]
	if !known {
		root = find(dir)
		s.roots[key] = root
	}
	return root
}

// unreadable says why a file cannot be read as text, or "".
func unreadable(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return reason(err)
	}
	if info.Size() > maxFile {
		return fmt.Sprintf("it has %d bytes; files of more than %d are not read", info.Size(), maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return reason(err)
	}
	defer f.Close()
	head := make([]byte, 8000) // as far as git looks
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return reason(err)
	}
	if bytes.IndexByte(head[:n], 0) >= 0 {
		return "it is not text: it has a zero byte"
	}
	return ""
}

func (s *survey) cannotRead(path, why string) {
	if !s.covers(path) {
		return
	}
	s.unread = append(s.unread, report.Unread{Position: report.Position{File: s.shown(path)}, Reason: why})
}

// reason is an error without the path, which stands before it already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func quoted(paths []string) string {
	q := make([]string, len(paths))
	for i, p := range paths {
		q[i] = fmt.Sprintf("%q", p)
	}
	return strings.Join(q, ", ")
}
