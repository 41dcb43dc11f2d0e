package golang

import (
	"cmp"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/headcount-go/headcount/audit/report"
)

// program is a module in SSA form. What other modules do is known by their declarations alone.
type program struct {
	*module
	ssa      *ssa.Program
	funcs    []*ssa.Function // those that have a body, in the order of the source; synthetic wrappers last
	graph    *graph
	index    *index
	ownTypes map[*types.Package]bool
	loops    map[*ssa.Function][]*loop
	entries  map[*ssa.Function]entry
	ways     *ways
	uses     []use               // of what was made, once the supervisors are listed
	lines    map[string][]string // of source files, for the code shown with a finding
}

func newProgram(m *module) *program {
	p := &program{module: m, loops: map[*ssa.Function][]*loop{}, lines: map[string][]string{}, ownTypes: map[*types.Package]bool{}}
	p.ssa = ssa.NewProgram(m.fset, ssa.InstantiateGenerics)
	own := map[*packages.Package]bool{}
	for _, pkg := range m.own {
		own[pkg] = true
		p.ownTypes[pkg.Types] = true
	}
	// What stands for a package that could not be imported is only known to those that import it.
	known := map[*types.Package]bool{}
	for _, pkg := range m.all {
		known[pkg.Types] = true
	}
	var made []*ssa.Package
	for _, pkg := range m.all {
		if pkg.Types == nil {
			continue
		}
		if !own[pkg] {
			p.ssa.CreatePackage(pkg.Types, nil, nil, true)
			continue
		}
		for _, imp := range pkg.Types.Imports() {
			if !known[imp] && imp != types.Unsafe {
				known[imp] = true
				p.ssa.CreatePackage(imp, nil, nil, true)
			}
		}
		sp := p.create(pkg)
		if sp == nil {
			p.ssa.CreatePackage(pkg.Types, nil, nil, true)
			continue
		}
		made = append(made, sp)
	}
	lost := map[*ssa.Package]bool{}
	for _, sp := range made {
		if problem := sparing(sp.Build); problem != "" {
			lost[sp] = true
			p.unread = append(p.unread, report.Unread{
				Position: report.Position{File: p.showing.path(p.packageDir(sp.Pkg))},
				Reason:   "package " + sp.Pkg.Path() + " cannot be followed, since it does not compile: " + problem,
			})
		}
	}
	all := ssautil.AllFunctions(p.ssa)
	for _, pkg := range m.own {
		p.addDeclared(all, pkg)
	}
	for fn := range all {
		if len(fn.Blocks) > 0 && !lost[fn.Pkg] {
			p.funcs = append(p.funcs, fn)
		}
	}
	slices.SortFunc(p.funcs, func(a, b *ssa.Function) int {
		return cmp.Or(
			boolOrder(a.Pos().IsValid(), b.Pos().IsValid()),
			boolOrder(!isGeneric(a), !isGeneric(b)),
			cmp.Compare(a.Pos(), b.Pos()),
			cmp.Compare(a.String(), b.String()),
		)
	})
	return p
}

// addDeclared adds what nothing in the module calls: a library is called by others.
func (p *program) addDeclared(all map[*ssa.Function]bool, pkg *packages.Package) {
	if pkg.TypesInfo == nil {
		return
	}
	var add func(fn *ssa.Function)
	add = func(fn *ssa.Function) {
		if fn == nil || all[fn] {
			return
		}
		all[fn] = true
		for _, anon := range fn.AnonFuncs {
			add(anon)
		}
	}
	for _, obj := range pkg.TypesInfo.Defs {
		if f, ok := obj.(*types.Func); ok && f.Pkg() == pkg.Types {
			if _, iface := receiverType(f).(*types.Interface); !iface {
				add(p.ssa.FuncValue(f))
			}
		}
	}
}

func receiverType(f *types.Func) types.Type {
	if recv := f.Signature().Recv(); recv != nil {
		return recv.Type().Underlying()
	}
	return nil
}

// isGeneric reports whether fn, or what it is declared in, has type parameters that nobody has filled in.
func isGeneric(fn *ssa.Function) bool {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn.TypeParams().Len() > 0 && len(fn.TypeArgs()) == 0
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// create leaves out what does not compile, because the SSA builder counts on types that are sound.
func (p *program) create(pkg *packages.Package) (made *ssa.Package) {
	info := pkg.TypesInfo
	if len(pkg.Errors) > 0 || pkg.IllTyped {
		info = prune(pkg)
	}
	if sparing(func() { made = p.ssa.CreatePackage(pkg.Types, pkg.Syntax, info, true) }) != "" {
		return nil
	}
	return made
}

// sparing calls f and returns what it panicked with.
func sparing(f func()) (problem string) {
	defer func() {
		if r := recover(); r != nil {
			problem, _, _ = strings.Cut(fmt.Sprint(r), "\n")
		}
	}()
	f()
	return ""
}

func (p *program) packageDir(pkg *types.Package) string {
	for _, own := range p.own {
		if own.Types == pkg {
			return dirOf(own, p.dir)
		}
	}
	return p.dir
}

// packageOf returns the package of a function, of an instance that of its generic origin.
func packageOf(fn *ssa.Function) *types.Package {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if o := fn.Origin(); o != nil {
		fn = o
	}
	if fn.Pkg != nil {
		return fn.Pkg.Pkg
	}
	if fn.Object() != nil {
		return fn.Object().Pkg()
	}
	return nil
}

// nameOf writes a function as a person reads it: server.Conn.serve, and for one without a name server.Conn.serve.func1.
func nameOf(fn *ssa.Function) string {
	if fn.Parent() != nil {
		_, n, _ := strings.Cut(fn.Name(), "$")
		if fn.Synthetic == "range-over-func yield" {
			return nameOf(fn.Parent())
		}
		if i := strings.LastIndexByte(n, '$'); i >= 0 {
			n = n[i+1:]
		}
		return nameOf(fn.Parent()) + ".func" + strings.TrimPrefix(n, "bound")
	}
	if o := fn.Origin(); o != nil {
		fn = o
	}
	name := strings.TrimSuffix(strings.TrimSuffix(fn.Name(), "$bound"), "$thunk")
	if sig := fn.Signature; sig.Recv() != nil {
		if named := namedOf(sig.Recv().Type()); named != nil {
			name = named.Obj().Name() + "." + name
		}
	} else if obj, ok := fn.Object().(*types.Func); ok {
		if recv := obj.Signature().Recv(); recv != nil {
			if named := namedOf(recv.Type()); named != nil {
				name = named.Obj().Name() + "." + name
			}
		}
	}
	if pkg := packageOf(fn); pkg != nil {
		name = pkg.Name() + "." + name
	}
	return name
}

// symbolOf is nameOf with the import path of the package, which says where in the module that is.
func symbolOf(fn *ssa.Function) string {
	name := nameOf(fn)
	if pkg := packageOf(fn); pkg != nil {
		return pkg.Path() + strings.TrimPrefix(name, pkg.Name())
	}
	return name
}

// namedOf returns the named type that t is, points to, or is an alias of.
func namedOf(t types.Type) *types.Named {
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	n, _ := t.(*types.Named)
	return n
}
