package headcount

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// A DynamicSupervisor holds children that come and go, each on its own: at most MaxChildren at any time, exactly,
// however many goroutines start them. Children are not ordered and do not affect each other: one that keeps failing
// uses up its own budget of restarts and is given up. All methods may be called from many goroutines.
//
// A start at the limit is refused at once with [ErrMaxChildren], or waits if the supervisor was made with [Wait]. A
// child holds its slot from its admission until Run has really returned; then the slot is free before anyone can see
// its result.
type DynamicSupervisor struct{ dynamic }

// NewDynamicSupervisor makes a supervisor with the limit. Nothing runs until it is started, by Start or as a child. What
// is wrong with the name or the options is told by [Check] and by the start.
func NewDynamicSupervisor(name string, limit ChildLimit, opts ...Option) *DynamicSupervisor {
	d := &DynamicSupervisor{}
	o := readOptions(opts)
	for field, given := range map[string]bool{"MaxPerKeyFunc": o.perKey != nil, "KeyName": o.keyName != nil, "SecretKeys": o.secretKeys, "KeyShare": o.keyShare != 1} {
		if given {
			o.problem(field, "(option)", "has no effect: the supervisor has no keys")
		}
	}
	d.init(name, DynamicKind, limit, o)
	d.self = d
	return d
}

func readOptions(opts []Option) options {
	o := options{keyShare: 1}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&o)
		}
	}
	if o.codel != nil {
		o.codel.check(&o)
	}
	return o
}

// dynamic is what DynamicSupervisor and KeyedSupervisor share.
type dynamic struct {
	node
	opts     options
	registry registry
	queue    queue
	held     byteBudget
	below    nestlings
	nested   nestedList

	drained chan struct{} // a closed supervisor may have become empty
	failed  chan struct{} // Escalate: the common budget is used up

	life struct { // of the present life
		sync.Mutex
		window  restartWindow // Escalate
		failure error
	}
}

func (d *dynamic) init(name string, kind Kind, limit ChildLimit, o options) {
	d.opts = o
	d.queue.sup, d.queue.length, d.queue.within, d.queue.codel = d, o.queueLength, o.queueWithin, o.codel
	d.held.limit = o.maxBytes
	d.drained = make(chan struct{}, 1)
	d.failed = make(chan struct{}, 1)
	d.own.queueLength = o.queueLength
	d.node.init(name, kind, d, limit.spec)
	d.registry = newRegistry(d.clock, !o.untimed)
	d.node.shutdown, d.node.around, d.node.logger = o.shutdown, o.around, o.logger
	d.setDescendants(o.descendants)
	d.addGates(o.gates)
	d.setReserve(o.reserve)
	d.setPlace(nil, "")
	for _, p := range o.problems {
		d.problem(p.Field, p.Value, p.Problem)
	}
	for field, in := range map[string]Intensity{"RestartIntensity": o.intensity, "Escalate": o.common} {
		if sub, p := in.problem(); p != "" {
			d.problem(field+"."+sub, in, p)
		}
	}
	if sub, p := o.backoff.problem(); p != "" {
		d.problem("WithBackoff."+sub, o.backoff, p)
	}
	if o.shutdown < ShutdownInfinity {
		d.problem("ShutdownWithin", o.shutdown, "is negative")
	}
	d.opts.intensity = o.intensity.orDefault(defaultIntensity)
	d.opts.common = o.common.orDefault(defaultIntensity)
	d.opts.backoff = o.backoff.orDefault(defaultBackoff)
}

// Go starts fn as a child: temporary, unless an option says otherwise. An error means that fn will not run: a
// [*Refusal] if a limit said no, [ErrStopped] or [ErrNotRunning], a [ConfigError] for a bad argument, or ctx's error. ctx
// bounds the waiting for a slot, if starts may wait here; the child gets neither its cancellation nor its values.
func (d *DynamicSupervisor) Go(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) (*Child, error) {
	if len(opts) == 0 && ctx != nil && fn != nil && d.plainlyFull() {
		return nil, d.refuse(d.own.refusals.Load().full)
	}
	return d.goOn(ctx, fn, opts)
}

// goOn is Go where a refusal is not plain. It is apart because of its frame, which a refusal would pay for too.
func (d *dynamic) goOn(ctx context.Context, fn func(ctx context.Context) error, opts []StartOption) (*Child, error) {
	var s start
	if len(opts) > 0 || !d.plainStart(ctx, fn) {
		if err := d.readStart(&s, ctx, fn, opts); err != nil {
			return nil, err
		}
	}
	if err := d.admit(ctx, s.class, s.roomy); err != nil {
		return nil, err
	}
	c := newChild(d, fn)
	if s.special {
		c.giveExtra(s.extra())
	}
	d.enter(c)
	go c.live()
	return c, nil
}

// Do runs fn as a child on the caller's goroutine and returns its error; a panic becomes a [PanicError]. Admission,
// errors and the place in the tree are those of [DynamicSupervisor.Go]. fn's context ends when ctx does or when the child
// is stopped, and has ctx's values. The slot is free when Do returns. An error that fn returns is the caller's to judge:
// it is counted among the exits, but is no event, as a panic is.
func (d *DynamicSupervisor) Do(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) error {
	var s start
	if err := d.readDo(&s, ctx, fn, opts); err != nil {
		return err
	}
	if err := d.admit(ctx, s.class, s.roomy); err != nil {
		return err
	}
	c := s.onCaller(ctx, &d.dynamic, fn)
	d.enter(c)
	return c.do(ctx)
}

// StartChild starts a child from its spec. Errors are those of [DynamicSupervisor.Go]. With AwaitReady it also waits
// until the child is ready, within ctx and the spec's ReadyWithin; a [StartError] says that it was not: its context has
// ended then, and it keeps its slot until it has returned. A child that ends before it is ready is not restarted and
// uses no budget. A supervisor is [ErrAlreadyStarted] while another one of its name is here, or children that it has left
// behind: its path must be its own.
func (d *DynamicSupervisor) StartChild(ctx context.Context, s Specifier) (*Child, error) {
	spec, err := d.readSpec(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := d.admit(ctx, spec.Class, false); err != nil {
		return nil, err
	}
	return d.launch(ctx, &d.dynamic, &d.node, spec, d.enter, d.giveBack)
}

// A nest is a home that supervisors can be children of.
type nest interface {
	home
	above() string // the path there
}

// launch starts a child that has been admitted.
func (d *dynamic) launch(ctx context.Context, h nest, n *node, spec ChildSpec, enter func(*Child), giveBack func()) (*Child, error) {
	if spec.sup != nil {
		if err := d.below.attach(spec.sup, n, h.above()); err != nil {
			giveBack()
			return nil, err
		}
		d.nested.add(spec.sup)
	}
	c := newChild(h, spec.Run)
	c.prepare(spec)
	enter(c)
	go c.live()
	if err := c.awaitReady(ctx); err != nil {
		n.emit(StartFailed{Path: c.Path(), Time: time.Now(), Err: err})
		return nil, err
	}
	return c, nil
}

// enter puts an admitted child into the registry.
func (d *dynamic) enter(c *Child) {
	gap(beforeRegister)
	d.registry.add(c)
	// A stop that began since the admission may have looked for its children before this one was there.
	if d.shut() {
		c.ask()
	}
}

func (d *dynamic) supervisor() *node { return &d.node }

// afterRun decides whether a child runs again: by its restart type and its budget.
func (d *dynamic) afterRun(c *Child, x exit) (again bool) {
	if c.extra.Load() == nil && !x.abnormal() {
		return false // the most of them
	}
	return d.decide(c, x)
}

// decide is apart because of its large frame: with it, each goroutine would need a larger stack.
//
//go:noinline
func (d *dynamic) decide(c *Child, x exit) (again bool) {
	e := c.extra.Load()
	flags := c.flags.Load()
	restart := Temporary
	if e != nil {
		restart = e.spec.Restart
	}
	wanted := restart == Permanent || restart == Transient && x.abnormal()
	if flags&(flagStopping|flagStarting|flagDo) != 0 || x.err == ErrIgnore {
		wanted = false
	}
	if flags&flagStarting != 0 || flags&flagDo != 0 && x.kind == exitError {
		return false // whoever waits for it is told, and it is theirs to judge
	}
	if !wanted {
		if x.abnormal() {
			d.emit(ChildFailed{Path: c.Path(), Time: time.Now(), ID: c.id, Err: x.err})
		}
		return false
	}

	now := d.now()
	intensity := d.opts.intensity
	if e.spec.Intensity != (Intensity{}) {
		intensity = e.spec.Intensity
	}
	var allowed bool
	if d.opts.escalate {
		d.life.Lock()
		intensity = d.opts.common
		allowed = d.life.window.allow(now, intensity)
		d.life.Unlock()
	} else {
		allowed = e.window.allow(now, intensity)
	}
	if x.abnormal() {
		d.emit(ChildFailed{Path: c.Path(), Time: time.Now(), ID: c.id, Err: x.err, Restart: allowed})
	}
	if !allowed {
		d.emit(ChildGivenUp{Path: c.Path(), Time: time.Now(), ID: c.id, Restarts: intensity.Restarts, Within: intensity.Within, Err: x.err})
		if d.opts.escalate {
			d.fail(&IntensityError{Path: d.Path(), Child: c.Path(), Restarts: intensity.Restarts, Within: intensity.Within, Err: x.err})
		}
		return false
	}
	d.held.release(c) // what the run held went with it
	delay := c.backoff(now, d.opts.backoff, x)
	d.restarts.Add(1)
	d.emit(ChildRestarted{Path: c.Path(), Time: time.Now(), ID: c.id, Restarts: c.restarts() + 1, Delay: delay, Err: x.err})
	return c.nextRun(delay)
}

// backoff is how long the child waits before it runs again.
func (c *Child) backoff(now time.Duration, def Backoff, x exit) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.extra.Load()
	b := e.spec.Backoff.orDefault(def)
	if now-e.began >= b.Stable {
		e.consecutive = 0
	}
	e.lastErr = x.err
	return b.delay(e.consecutive, rand.Float64)
}

// fail makes the supervisor give up.
func (d *dynamic) fail(err error) {
	d.life.Lock()
	defer d.life.Unlock()
	if d.life.failure == nil {
		d.life.failure = err
		notify(d.failed)
	}
}

// notify sets a mark that the one reader of the channel clears.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (d *dynamic) leave(c *Child) {
	d.registry.remove(c)
	d.settleLeaver(c)
}

// settleLeaver is for the few children that held bytes or are supervisors.
func (d *dynamic) settleLeaver(c *Child) {
	e := c.extra.Load()
	if e == nil {
		return
	}
	d.held.release(c)
	if sup := e.spec.sup; sup != nil {
		d.nested.remove(sup) // first: from then on it may be started again
		sup.finalize()
		d.below.forget(sup)
	}
}

func (d *dynamic) free(c *Child) { d.freeSlots() }

func (d *dynamic) freeSlots() { d.releaseSlots().serve() }

// freed is slots that are free, and who may be waiting for them.
type freed struct {
	own   *level
	above chain
}

// releaseSlots frees the slots of one child. The caller must call serve, at a moment when it holds no lock.
func (d *dynamic) releaseSlots() (f freed) {
	chain := d.place.Load().chain       // before the last slot is free: then the supervisor may get another place
	if len(chain) > 0 && chain.free() { // first, see chain.freeLevels
		f.above = chain
	}
	if d.own.release() {
		f.own = &d.own
	}
	return f
}

// serve offers the slots to the queues that wait.
func (f freed) serve() {
	if f.own != nil {
		f.own.serve()
	}
	if f.above != nil {
		f.above.serve()
	}
}

// giveBack is for a start that was admitted and came to nothing.
func (d *dynamic) giveBack() {
	d.freeSlots()
	d.noteDrained()
}

// giveBackOwn is for a start that the levels above have not admitted.
func (d *dynamic) giveBackOwn() (serve bool) {
	serve = d.own.release()
	d.noteDrained()
	return serve
}

// noteDrained wakes a stop that may have waited for the slot that was given back.
func (d *dynamic) noteDrained() {
	if d.own.closed() {
		notify(d.drained)
	}
}

// serve offers free slots of all levels to who waits there.
func (d *dynamic) serve() {
	if d.own.listed() {
		d.own.serve()
	}
	d.place.Load().chain.serve()
}

func (d *dynamic) countDown(c *Child) {
	d.registry.finished(c)
	if d.shut() && int64(d.own.count()) <= d.stuck.Load() {
		notify(d.drained)
	}
}

func (d *dynamic) path(c *Child) string { return d.Path() + "/" + c.shownName() }

func (d *dynamic) above() string { return d.Path() }

func (d *dynamic) keyName() string { return "" }

// live is one life: it lets starts in until its context ends, then stops all children.
func (d *dynamic) live(ctx context.Context) error {
	d.life.Lock()
	d.life.window = restartWindow{}
	d.life.failure = nil
	d.life.Unlock()
	select {
	case <-d.failed:
	default:
	}
	d.open()
	d.emit(SupervisorStarted{Path: d.Path(), Time: time.Now()})
	Ready(ctx)
	d.clock.run(d.registry.entered, ctx.Done(), d.failed)
	d.close()
	d.queue.flush(d.notRunning())
	stuck := d.stopChildren()

	d.life.Lock()
	failure := d.life.failure
	d.life.Unlock()
	if failure == nil {
		return stuck.orNil()
	}
	d.emit(SupervisorGaveUp{Path: d.Path(), Time: time.Now(), Err: failure})
	return withStuck(failure, stuck)
}

// withStuck is the error of a supervisor that gave up and left children behind.
func withStuck(failure error, stuck *StuckError) error {
	if stuck.Total == 0 {
		return failure
	}
	return &leftError{failure, stuck}
}

func (d *dynamic) check(*validation) {}

func (d *dynamic) attachBelow() error { return nil }

func (d *dynamic) finalize()           {}
func (d *dynamic) budget() *byteBudget { return &d.held }
