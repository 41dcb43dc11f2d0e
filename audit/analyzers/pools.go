package analyzers

import (
	"fmt"
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

const (
	ants       = "github.com/panjf2000/ants/v2"
	pond       = "github.com/alitto/pond/v2"
	pondV1     = "github.com/alitto/pond"
	workerpool = "github.com/gammazero/workerpool"
	weighted   = "golang.org/x/sync/semaphore"
)

// vastNumber is a limit that limits nothing: a million goroutines take 2 GiB for their stacks alone, and more in use.
const vastNumber = 1_000_000

var poolWithoutLimit = rule{
	id: "HC121", name: "pool-without-limit", confidence: report.High,
	summary: "a pool of goroutines has no limit, or one that limits nothing",
	run: func(u *unit) error {
		if err := findUnlimitedGroups(u, concKinds...); err != nil {
			return err
		}
		return findUnlimitedPools(u)
	},
}

const poolRemedy = `Give the pool the number that the busiest resource behind its tasks takes at once:

	pool, err := ants.NewPool(64, ants.WithMaxBlockingTasks(1024))

or start the tasks as children, with a limit that can be changed while the program runs:

	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.Wait(1024, 2*time.Second))`

func findUnlimitedPools(u *unit) error {
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isFunc(fn, ants, "Submit"):
			u.reportPool(c, "ants.Submit uses the default pool, whose size is math.MaxInt32: it starts a goroutine for each task", u.sureOfMany(c))
		case isFunc(fn, pond, "Submit", "SubmitErr", "NewGroup"):
			u.reportPool(c, "pond."+fn.Name()+" uses the default pool, which has no limit: it starts a goroutine for each task", u.sureOfMany(c))
		case isFunc(fn, ants, "NewPool", "NewPoolWithFunc", "NewPoolWithFuncGeneric"):
			u.judgeSize(c, call, 0, "ants."+fn.Name())
		case isFunc(fn, ants, "NewMultiPool", "NewMultiPoolWithFunc", "NewMultiPoolWithFuncGeneric"):
			u.judgeSize(c, call, 1, "ants."+fn.Name())
		case isFunc(fn, pond, "NewPool", "NewResultPool"):
			u.judgeSize(c, call, 0, "pond."+fn.Name())
		case isFunc(fn, pondV1, "New"):
			u.judgeVast(c, call, 0, "pond.New")
		case isFunc(fn, workerpool, "New"):
			u.judgeVast(c, call, 0, "workerpool.New")
		}
	}
	return nil
}

// sureOfMany is how sure it is that what is done at a node is done many times.
func (u *unit) sureOfMany(c inspector.Cursor) report.Confidence {
	if _, _, looped := u.loopAround(c, nil); looped || u.criticality(c) == report.External {
		return report.High
	}
	return report.Medium
}

// judgeSize judges a size of which zero and, with ants, less mean that there is no limit.
func (u *unit) judgeSize(c inspector.Cursor, call *ast.CallExpr, arg int, name string) {
	if arg >= len(call.Args) {
		return
	}
	if n, ok := u.intValue(call.Args[arg]); ok && n <= 0 {
		u.reportPool(c, fmt.Sprintf("%s with size %d makes a pool without a limit: it starts a goroutine for each task", name, n), report.High)
		return
	}
	u.judgeVast(c, call, arg, name)
}

func (u *unit) judgeVast(c inspector.Cursor, call *ast.CallExpr, arg int, name string) {
	if n, ok := u.intValue(call.Args[arg]); ok && n >= vastNumber {
		u.reportPool(c, fmt.Sprintf("%s with size %d makes a pool whose limit limits nothing", name, n), report.High)
	}
}

func (u *unit) reportPool(c inspector.Cursor, message string, sure report.Confidence) {
	u.report(c, Problem{Message: message, Remedy: poolRemedy, Confidence: sure, Criticality: max(u.criticality(c), report.Unbounded)})
}

var queueWithoutBound = rule{
	id: "HC122", name: "pool-queue-without-bound", confidence: report.Medium,
	summary: "the queue in front of a pool has no bound",
	run:     findUnboundedQueues,
}

func findUnboundedQueues(u *unit) error {
	sure := report.Low
	for c, fn := range u.calls(u.root) {
		if !isMethod(fn, workerpool, "WorkerPool", "Submit", "Do") && !(fn.Pkg() != nil && fn.Pkg().Path() == pond && (fn.Name() == "Submit" || fn.Name() == "SubmitErr" || fn.Name() == "Go")) {
			continue
		}
		if _, how, looped := u.loopAround(c, nil); looped && how == endless || u.criticality(c) == report.External {
			sure = report.Medium
		}
	}
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		p := Problem{Confidence: sure, Criticality: max(u.criticality(c), report.Unbounded)}
		switch {
		case isFunc(fn, pond, "NewPool", "NewResultPool"):
			if n, ok := u.intValue(call.Args[0]); ok && n == 0 || call.Ellipsis.IsValid() || u.hasOption(call, pond, "WithQueueSize") {
				continue // without a limit nothing is queued; and options may come from elsewhere
			}
			p.Message = "the queue of this pool has no bound: tasks pile up in memory while its workers are busy"
			p.Remedy = `Bound the queue, and say what happens when it is full:

	pool := pond.NewPool(64, pond.WithQueueSize(1024), pond.WithNonBlocking(true))

With WithNonBlocking a task is refused with ErrQueueFull, without it Submit waits.`
		case isFunc(fn, workerpool, "New"):
			p.Message = "the queue of this pool has no bound and can have none: tasks pile up in memory while its workers are busy"
			p.Remedy = `Look at WaitingQueueSize before Submit and refuse, take a semaphore before Submit, or start children with a bounded queue:

	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.Wait(1024, 2*time.Second))`
		default:
			continue
		}
		u.report(c, p)
	}
	return nil
}

// hasOption says whether one of the arguments is a call of the function.
func (u *unit) hasOption(call *ast.CallExpr, pkg string, names ...string) bool {
	for _, arg := range call.Args {
		if option, ok := ast.Unparen(arg).(*ast.CallExpr); ok {
			if fn, ok := u.callee(option); ok && isFunc(fn, pkg, names...) {
				return true
			}
		} else if _, variable := ast.Unparen(arg).(*ast.Ident); variable && isFuncOption(u.TypesInfo.TypeOf(arg)) {
			return true // it may be that
		}
	}
	return false
}

var semaphoreOfAnySize = rule{
	id: "HC123", name: "semaphore-without-limit", confidence: report.High,
	summary: "a semaphore is so large that it limits nothing",
	run: func(u *unit) error {
		for c, fn := range u.calls(u.root) {
			if !isFunc(fn, weighted, "NewWeighted") {
				continue
			}
			if n, ok := u.intValue(c.Node().(*ast.CallExpr).Args[0]); ok && n >= 1<<40 {
				u.report(c, Problem{
					Message: fmt.Sprintf("a semaphore of weight %d limits nothing, whatever its unit", n),
					Remedy: `Give it what there is: places, connections, or bytes of memory.

	sem := semaphore.NewWeighted(64)`,
					Confidence:  report.High,
					Criticality: max(u.criticality(c), report.Unbounded),
				})
			}
		}
		return nil
	},
}
