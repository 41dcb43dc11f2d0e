package golang

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/headcount-go/headcount/audit/report"
)

// ErrNoModule is returned where there is no Go module at a path.
var ErrNoModule = errors.New("no Go module")

// module is the source of one Go module, with types.
type module struct {
	dir     string // of its go.mod
	path    string
	fset    *token.FileSet
	own     []*packages.Package // all packages of the module, also those that only others of it import
	asked   map[string]bool     // the ids of those that the review is about
	all     []*packages.Package // with what they import, imported ones first
	unread  []report.Unread
	showing showing
}

// load reads the packages of the module with the bodies of their functions, and those of other modules without. Reading
// declarations from source is what makes this fast where nothing is in the build cache: export data would mean to
// compile every dependency first.
func load(ctx context.Context, dir string, patterns []string, o Options) (*module, error) {
	env := os.Environ()
	if o.Offline {
		env = append(env, "GOPROXY=off", "GOTOOLCHAIN=local")
	}
	root, path, env, err := findModule(ctx, dir, env)
	if err != nil {
		return nil, err
	}
	m := &module{dir: root, path: path, fset: token.NewFileSet(), asked: map[string]bool{}, showing: newShowing(o.Base, dir)}
	// Who calls a package is found in the others, so the whole module is loaded whatever was asked for.
	whole, err := m.packages(ctx, root, env, []string{"./..."})
	if err != nil {
		return nil, err
	}
	asked := whole
	if !everything(dir, root, patterns) {
		if asked, err = m.list(ctx, dir, env, patterns); err != nil {
			return nil, err
		}
	}
	for _, p := range asked {
		m.asked[p.ID] = true
	}
	packages.Visit(whole, nil, func(p *packages.Package) {
		m.all = append(m.all, p)
		if m.owns(p) {
			m.own = append(m.own, p)
		} else {
			forgetBodies(p)
		}
	})
	m.noteErrors(asked)
	if len(m.own) == 0 && len(m.unread) == 0 {
		m.unread = append(m.unread, report.Unread{Position: report.Position{File: m.showing.path(root)}, Reason: "the module has no Go package"})
	}
	return m, nil
}

func everything(dir, root string, patterns []string) bool {
	return dir == root && (len(patterns) == 0 || len(patterns) == 1 && patterns[0] == "./...")
}

// findModule asks the go command for the module that dir is in. A go.work that does not list the module is left aside.
func findModule(ctx context.Context, dir string, env []string) (root, path string, _ []string, err error) {
	if st, err := os.Stat(dir); err != nil {
		return "", "", nil, fmt.Errorf("audit: %w", err)
	} else if !st.IsDir() {
		return "", "", nil, fmt.Errorf("audit: %s is not a directory", dir)
	}
	mod, err := goCommand(ctx, dir, env, "env", "GOMOD")
	if err != nil {
		return "", "", nil, err
	}
	if mod == "" || mod == os.DevNull {
		return "", "", nil, fmt.Errorf("audit: %w at %s: no go.mod there or above", ErrNoModule, dir)
	}
	root = filepath.Dir(mod)
	path, err = goCommand(ctx, root, env, "list", "-m", "-f", "{{.Path}}\t{{.Dir}}")
	if err != nil || !listed(path, root) {
		env = append(env, "GOWORK=off")
		if path, err = goCommand(ctx, root, env, "list", "-m", "-f", "{{.Path}}\t{{.Dir}}"); err != nil {
			return "", "", nil, fmt.Errorf("audit: the module at %s cannot be read: %w", root, err)
		}
	}
	for line := range strings.Lines(path) {
		if p, d, _ := strings.Cut(strings.TrimSpace(line), "\t"); d == root {
			path = p
		}
	}
	return root, path, env, nil
}

func listed(modules, root string) bool {
	for line := range strings.Lines(modules) {
		if strings.HasSuffix(strings.TrimSpace(line), "\t"+root) {
			return true
		}
	}
	return false
}

func goCommand(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(env, "PWD="+dir)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(problem.String()); text != "" {
			return "", errors.New(text)
		}
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return strings.TrimSpace(out.String()), nil
}

const (
	listMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedModule
	loadMode = listMode | packages.NeedCompiledGoFiles | packages.NeedDeps | packages.NeedTypes |
		packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo
)

func (m *module) packages(ctx context.Context, dir string, env, patterns []string) ([]*packages.Package, error) {
	return packages.Load(&packages.Config{
		Mode: loadMode, Context: ctx, Dir: dir, Env: env, Fset: m.fset, ParseFile: m.parse,
	}, patterns...)
}

func (m *module) list(ctx context.Context, dir string, env, patterns []string) ([]*packages.Package, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	return packages.Load(&packages.Config{Mode: listMode, Context: ctx, Dir: dir, Env: env}, patterns...)
}

// largestFile is what one source file may have. The type checker needs some hundred bytes for each byte of it.
const largestFile = 20 << 20

func (m *module) parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	if len(src) > largestFile {
		return nil, fmt.Errorf("%s: the file has %d bytes; more than %d are not read", name, len(src), largestFile)
	}
	own := m.inside(name)
	mode := parser.SkipObjectResolution
	if own {
		mode |= parser.ParseComments
	}
	f, err := parser.ParseFile(fset, name, src, mode)
	if f == nil || own {
		return f, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			fn.Body = nil
		}
	}
	return f, err
}

// inside tells the module's own source from vendored and from generated by cgo.
func (m *module) inside(name string) bool {
	rel, err := filepath.Rel(m.dir, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return false
	}
	return !strings.Contains("/"+filepath.ToSlash(rel), "/vendor/")
}

// owns goes by the files, since a package in a workspace or the standard library does not name its module.
func (m *module) owns(p *packages.Package) bool {
	return len(p.GoFiles) > 0 && m.inside(p.GoFiles[0])
}

// forgetBodies takes back the complaints that come of missing bodies, such as imports that nothing uses.
func forgetBodies(p *packages.Package) {
	p.IllTyped, p.Errors, p.TypeErrors = false, nil, nil
}

// noteErrors names what could not be read, the same thing once.
func (m *module) noteErrors(asked []*packages.Package) {
	seen := map[string]bool{}
	note := func(p *packages.Package) {
		causes := causesOf(p.Errors)
		for i, e := range causes {
			if i == mostErrors {
				m.unread = append(m.unread, report.Unread{
					Position: report.Position{File: m.showing.path(dirOf(p, m.dir))},
					Reason:   fmt.Sprintf("%d more errors in package %s", len(causes)-i, p.PkgPath),
				})
				return
			}
			at := m.showing.parsed(e.Pos)
			if at.File == "" {
				at.File = m.showing.path(dirOf(p, m.dir))
			}
			reason, _, _ := strings.Cut(strings.TrimSpace(e.Msg), "\n")
			if key := at.String() + reason; !seen[key] {
				seen[key] = true
				m.unread = append(m.unread, report.Unread{Position: at, Reason: reason})
			}
		}
	}
	loaded := map[string]bool{}
	for _, p := range m.own {
		loaded[p.ID] = true
		if m.asked[p.ID] {
			note(p)
		}
	}
	for _, p := range asked { // such as a pattern that matched nothing, and a package all of whose files are excluded
		if !loaded[p.ID] {
			note(p)
		}
	}
}

// causesOf leaves out the errors that only follow from a package that could not be imported.
func causesOf(errs []packages.Error) []packages.Error {
	var causes []packages.Error
	for _, e := range errs {
		if e.Kind == packages.ListError || strings.HasPrefix(e.Msg, "could not import ") {
			causes = append(causes, e)
		}
	}
	if len(causes) == 0 {
		return errs
	}
	return causes
}

// mostErrors of one package are told one by one.
const mostErrors = 10

func dirOf(p *packages.Package, otherwise string) string {
	for _, files := range [][]string{p.GoFiles, p.IgnoredFiles, p.OtherFiles} {
		if len(files) > 0 {
			return filepath.Dir(files[0])
		}
	}
	return otherwise
}

// askedFor reports whether the review is about pkg.
func (m *module) askedFor(pkg *types.Package) bool { return pkg != nil && m.asked[pkg.Path()] }

// showing makes positions as a report shows them.
type showing struct{ base string }

func newShowing(base, dir string) showing {
	if base == "" {
		base = dir
	}
	return showing{base}
}

func (s showing) path(name string) string {
	if rel, err := filepath.Rel(s.base, name); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		name = rel
	}
	return filepath.ToSlash(name)
}

func (s showing) position(p token.Position) report.Position {
	if !p.IsValid() {
		return report.Position{}
	}
	return report.Position{File: s.path(p.Filename), Line: p.Line, Column: p.Column}
}

// parsed reads a position as go/packages writes it: file:line:column, file:line, "-" or nothing.
func (s showing) parsed(pos string) report.Position {
	var numbers [2]int
	n := 0
	for n < 2 {
		i := strings.LastIndexByte(pos, ':')
		if i < 0 {
			break
		}
		v, err := strconv.Atoi(pos[i+1:])
		if err != nil {
			break
		}
		numbers[n], pos = v, pos[:i]
		n++
	}
	if pos == "" || pos == "-" {
		return report.Position{}
	}
	at := report.Position{File: s.path(pos)}
	switch n {
	case 1:
		at.Line = numbers[0]
	case 2:
		at.Line, at.Column = numbers[1], numbers[0]
	}
	return at
}
