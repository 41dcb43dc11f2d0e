package golang

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
		// It was spread from packages without bodies.
		p.IllTyped = len(p.Errors) > 0
		for _, imp := range p.Imports {
			p.IllTyped = p.IllTyped || imp.IllTyped
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
	pkgs, err := packages.Load(&packages.Config{
		Mode: loadMode, Context: ctx, Dir: dir, Env: env, Fset: m.fset, ParseFile: m.parse,
	}, patterns...)
	return pkgs, told(err)
}

// told is what the go command has to say, without how it was run, on one line.
func told(err error) error {
	if err == nil {
		return nil
	}
	if _, said, ok := strings.Cut(err.Error(), ": stderr: "); ok {
		return errors.New(strings.Join(strings.Fields(said), " "))
	}
	return err
}

func (m *module) list(ctx context.Context, dir string, env, patterns []string) ([]*packages.Package, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	pkgs, err := packages.Load(&packages.Config{Mode: listMode, Context: ctx, Dir: dir, Env: env}, patterns...)
	return pkgs, told(err)
}

// largestFile is what one source file may have. The type checker needs some hundred bytes for each byte of it.
const largestFile = 16 << 20

func (m *module) parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	if len(src) > largestFile {
		return nil, scanner.ErrorList{{
			Pos: token.Position{Filename: name, Line: 1},
			Msg: fmt.Sprintf("the file has %d bytes; more than %d are not read", len(src), largestFile),
		}}
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

// forgetBodies takes back the complaints that come of missing bodies, such as imports that nothing uses. What the go
// command says of the package stays.
func forgetBodies(p *packages.Package) {
	p.TypeErrors = nil
	p.Errors = slices.DeleteFunc(p.Errors, func(e packages.Error) bool { return e.Kind != packages.ListError })
}

// noteErrors names what could not be read, the same thing once. Where a package is missing, that is named, and not the
// errors that follow from it in those that import it.
func (m *module) noteErrors(asked []*packages.Package) {
	seen := map[string]bool{}
	loaded := map[string]bool{}
	affected := map[*packages.Package]bool{} // imports, at some distance, what is missing
	for _, p := range m.all {                // imported ones first
		for _, imp := range p.Imports {
			affected[p] = affected[p] || affected[imp] || missing(imp)
		}
		switch own := m.owns(p); {
		case own && !m.asked[p.ID]:
		case own || missing(p):
			m.note(p, affected[p], seen)
		}
		loaded[p.ID] = true
	}
	for _, p := range asked { // such as a pattern that matched nothing, and a package all of whose files are excluded
		if !loaded[p.ID] {
			m.note(p, false, seen)
		}
	}
}

// missing reports whether the go command could not find, or not make sense of, a package.
func missing(p *packages.Package) bool {
	return slices.ContainsFunc(p.Errors, func(e packages.Error) bool { return e.Kind == packages.ListError })
}

// mostErrors of one package are told one by one.
const mostErrors = 10

func (m *module) note(p *packages.Package, affected bool, seen map[string]bool) {
	told, left := 0, 0
	for _, e := range p.Errors {
		if told == mostErrors || affected && e.Kind == packages.TypeError {
			left++
			continue
		}
		at := m.showing.parsed(e.Pos)
		if at.File == "" {
			at.File = m.showing.path(dirOf(p, m.dir))
		}
		reason, rest, _ := strings.Cut(strings.TrimSpace(e.Msg), "\n")
		if strings.HasSuffix(reason, ":") { // what to do is on the next line
			next, _, _ := strings.Cut(rest, "\n")
			reason += " " + strings.TrimSpace(next)
		}
		if key := at.String() + reason; !seen[key] {
			seen[key] = true
			told++
			m.unread = append(m.unread, report.Unread{Position: at, Reason: reason})
		}
	}
	if left == 0 {
		return
	}
	reason := fmt.Sprintf("%d more errors in package %s", left, p.PkgPath)
	if affected {
		reason += ", which imports a package that is missing"
	}
	m.unread = append(m.unread, report.Unread{Position: report.Position{File: m.showing.path(dirOf(p, m.dir))}, Reason: reason})
}

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
