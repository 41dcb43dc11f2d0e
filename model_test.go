package headcount

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheLawsHoldInTheModel draws operations at random and compares the tree, after each, with the reference. A failing
// seed is printed; HEADCOUNT_SEED runs it again.
func TestTheLawsHoldInTheModel(t *testing.T) {
	rounds, steps := 60, 300
	if testing.Short() {
		rounds, steps = 8, 200
	}
	runModels(t, rounds, func(t *testing.T, seed uint64) { runModel(t, seed, steps, (*model).step) })
}

// TestTheLawsHoldInTheModelUnderOverload is the same where more comes to a supervisor with CoDel than it can serve.
func TestTheLawsHoldInTheModelUnderOverload(t *testing.T) {
	rounds, steps := 40, 300
	if testing.Short() {
		rounds, steps = 6, 200
	}
	runModels(t, rounds, func(t *testing.T, seed uint64) {
		runModel(t, seed, steps, func(m *model) {
			for _, s := range m.sups {
				if s.interval > 0 {
					m.overload(s)
					return
				}
			}
			m.step()
		})
	})
}

func runModels(t *testing.T, rounds int, run func(t *testing.T, seed uint64)) {
	if s := os.Getenv("HEADCOUNT_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d", seed)
		inBubble(t, func(t *testing.T) { run(t, seed) })
		return
	}
	for range rounds {
		seed := rand.Uint64()
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { run(t, seed) })
		}) {
			t.Fatalf("replay with HEADCOUNT_SEED=%d", seed)
		}
	}
}

const (
	modelTick  = 50 * time.Millisecond // what takes time in an operation takes less
	modelWait  = 2 * time.Second
	modelDeath = time.Millisecond // the allowance of a stop
)

// An attempt is one start: by Go, StartChild or Do. Then it is the child.
type attempt struct {
	keyFull bool // its key refused when the last step was over
	sup     *modelSup
	key     string
	class   int
	restart Restart
	do      bool
	began   time.Time
	until   time.Time // it may wait as long
	cancel  context.CancelFunc

	// Written by the goroutines of the start and the child, under model.mu.
	admitted bool // its function has been called
	decided  bool // admitted, or the start call has returned
	err      error
	child    *Child
	inside   int // calls of its function that have not returned
	helpers  int // the same of its helpers

	// What the reference knows.
	command  chan func(ctx context.Context) error
	help     chan error
	deaf     bool
	stopping bool
	stuck    bool
	backoff  bool
	restarts int
	helping  int
}

func (a *attempt) refusedAs(r *refRefusal) error {
	var got *Refusal
	switch {
	case !a.decided || a.admitted:
		return fmt.Errorf("not refused, want %v", r.reason)
	case !errors.As(a.err, &got) || !errors.Is(got, r.reason):
		return fmt.Errorf("got %v, want %v", a.err, r.reason)
	case got.Path != r.path || got.Limit != r.limit:
		return fmt.Errorf("refused by %s, limit %d, want %s, limit %d", got.Path, got.Limit, r.path, r.limit)
	}
	return nil
}

// modelSup is one supervisor beside its reference.
type modelSup struct {
	refSup
	d *dynamic
	k *KeyedSupervisor[string] // nil: it has no keys
	j *DynamicSupervisor
}

// model is the tree app(mid(jobs, users), side) beside its reference.
type model struct {
	t    *testing.T
	rand *rand.Rand
	log  []string
	mu   sync.Mutex

	app, mid       *Supervisor
	appMax, midMax *refLevel
	reserve        *refLevel
	sups           []*modelSup
	limits         []modelLimit
	alive          []*attempt // admitted and not ended, as the reference has it
	gone           []*attempt // ended since the last comparison
	up             bool
	quit           chan struct{}
}

type modelLimit struct {
	name string
	real *Limit
	ref  *refLimit
	most int
}

func runModel(t *testing.T, seed uint64, steps int, step func(*model)) {
	m := newModel(t, seed)
	t.Cleanup(func() { // after a failure too nothing may be left
		close(m.quit)
		m.app.Stop(context.Background())
	})
	m.start()
	for range steps {
		m.pass() // limits expire between two steps, the time of waiters is over at one
		m.pass()
		step(m)
		m.settle()
	}
	m.end()
}

func newModel(t *testing.T, seed uint64) *model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &model{t: t, rand: r, quit: make(chan struct{})}
	level := func(path string, n int) *refLevel { return &refLevel{path: path, limit: newRefLimit(n)} }
	m.appMax, m.midMax = level("app", 20), level("app/mid", 14)
	m.reserve = &refLevel{reserve: true, size: r.IntN(6)}
	under := []*refLevel{m.midMax, m.reserve, m.appMax}
	if m.reserve.size == 0 {
		under = []*refLevel{m.midMax, m.appMax}
	}
	bonus := map[string]int{"vip": r.IntN(3)}
	opts := func(s *modelSup, path string, chain []*refLevel) []Option {
		s.name, s.own, s.chain = path, level(path, 1+r.IntN(8)), chain
		s.queue, s.within = r.IntN(5), modelWait
		opts := []Option{Wait(s.queue, s.within), ShutdownWithin(modelDeath), RestartIntensity(2, 10_000*time.Hour), WithBackoff(Backoff{Min: time.Hour, Max: time.Hour, Stable: 10_000 * time.Hour})}
		if r.IntN(2) == 0 {
			s.shares = []float64{0.5, 0.8, 1}
			opts = append(opts, Classes(s.shares...))
		}
		if s.queue > 0 && r.IntN(2) == 0 {
			n := 4 + r.IntN(14) // long enough for others to come meanwhile
			s.target, s.interval = time.Duration(n)*2*modelTick, time.Duration(n+r.IntN(3))*2*modelTick
			opts = append(opts, CoDel(s.target, s.interval))
		}
		return opts
	}
	jobs, users, side := &modelSup{}, &modelSup{}, &modelSup{}
	o := opts(jobs, "app/mid/jobs", under)
	jobs.j = NewDynamicSupervisor("jobs", MaxChildren(jobs.own.limit.lasting), o...)
	o = opts(side, "app/side", []*refLevel{m.appMax})
	side.j = NewDynamicSupervisor("side", MaxChildren(side.own.limit.lasting), o...)
	o = opts(users, "app/mid/users", under)
	users.perKey, users.keys = newRefLimit(1+r.IntN(4)), make(map[string]int)
	users.keyShare = []float64{0.5, 1, 3}[r.IntN(3)]
	o = append(o, KeyShare(users.keyShare))
	if r.IntN(2) == 0 {
		users.bonus = bonus
		o = append(o, MaxPerKeyFunc(func(key string, base int) int { return base + bonus[key] }))
	}
	users.k = NewKeyedSupervisor[string]("users", MaxChildren(users.own.limit.lasting), MaxPerKey(users.perKey.lasting), o...)
	jobs.d, users.d, side.d = &jobs.j.dynamic, &users.k.dynamic, &side.j.dynamic
	m.sups = []*modelSup{jobs, users, side}
	m.mid = NewSupervisor("mid", SupervisorConfig{MaxDescendants: MaxDescendants(14), Reserve: m.reserve.size}, jobs.j, users.k)
	m.app = NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(20), Logger: quiet}, m.mid, side.j)
	for _, s := range m.sups {
		m.limits = append(m.limits, modelLimit{s.name, s.d.MaxChildren(), s.own.limit, 8})
	}
	m.limits = append(m.limits, modelLimit{"per key", users.k.MaxPerKey(), users.perKey, 4},
		modelLimit{"mid", m.mid.MaxDescendants(), m.midMax.limit, 12}, modelLimit{"app", m.app.MaxDescendants(), m.appMax.limit, 18})
	return m
}

func (m *model) note(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	for _, line := range m.log[max(0, len(m.log)-25):] {
		m.t.Log(line)
	}
	m.t.Fatalf(format, args...)
}

// pass lets time go on to the next tick, and with it what is due: no more than one thing at a tick.
func (m *model) pass() {
	time.Sleep(modelTick - time.Duration(time.Now().UnixNano())%modelTick)
	for _, l := range m.limits {
		l.ref.expire(time.Now())
	}
	m.settle()
}

// settle waits until nothing moves, takes over what became of the waiters, and compares.
func (m *model) settle() {
	m.t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for again := true; again; {
		again = false
		for _, s := range m.sups {
			a, err := s.settleNext()
			if err != nil {
				m.fail("%v", err)
			}
			again = again || a != nil
			if a != nil && a.admitted {
				m.alive = append(m.alive, a)
			}
		}
	}
	for _, s := range m.sups {
		if err := s.settleRest(time.Now()); err != nil {
			m.fail("%v", err)
		}
	}
	m.compareLocked()
}

// begin starts a child on a goroutine of its own and says what must become of it.
func (m *model) begin(s *modelSup) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &attempt{sup: s, class: m.rand.IntN(3), began: time.Now(), cancel: cancel, command: make(chan func(context.Context) error), help: make(chan error), restart: Restart(m.rand.IntN(3))}
	if s.k != nil {
		a.key = []string{"a", "b", "c", "vip"}[m.rand.IntN(4)]
	}
	a.do = m.rand.IntN(4) == 0
	spec := m.rand.IntN(3) == 0
	if a.do {
		a.restart = Temporary
	}
	m.note("%v start %s key %q class %d restart %v do %v", time.Now().Format("04:05.000"), s.name, a.key, a.class, a.restart, a.do)
	go m.call(ctx, a, spec)

	refused := s.judge(a.key, a.class)
	var waits bool
	switch {
	case !m.up:
	case s.head() != nil && s.head().class >= a.class && (refused == nil || refused.reason == ErrMaxPerKey): // behind the others
		refused, waits = s.enqueue(a, &refRefusal{ErrMaxChildren, s.own.path, s.own.limit.inForce()}), true
	case refused != nil:
		refused, waits = s.enqueue(a, refused), true
	}
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.up:
		if !errors.Is(a.err, ErrStopped) {
			m.fail("start of a stopped supervisor: %v", a.err)
		}
	case refused != nil:
		if err := a.refusedAs(refused); err != nil {
			m.fail("start in %s: %v", s.name, err)
		}
	case waits:
		s.wait(a) // what has become of it is settled below
	default:
		if !a.admitted {
			m.fail("start in %s refused: %v (decided %v)", s.name, a.err, a.decided)
		}
		s.take(a.key)
		m.alive = append(m.alive, a)
	}
}

// call is the start call.
func (m *model) call(ctx context.Context, a *attempt, spec bool) {
	var err error
	defer func() { // Do may end the goroutine
		m.mu.Lock()
		defer m.mu.Unlock()
		a.decided = true
		if !a.admitted {
			a.err = err
		}
	}()
	run := func(ctx context.Context) error { return m.live(ctx, a) }
	class := InClass(Class(a.class))
	var s Starter = a.sup.j
	if a.sup.k != nil {
		s = a.sup.k.At(a.key)
	}
	var c *Child
	switch {
	case a.do:
		err = s.Do(ctx, run, class)
	case spec:
		c, err = s.StartChild(ctx, ChildSpec{Run: run, Restart: a.restart, Class: Class(a.class)})
	default:
		c, err = s.Go(ctx, run, class, WithRestart(a.restart))
	}
	m.mu.Lock()
	a.child = c
	m.mu.Unlock()
}

// live is the function of a child: it does what it is told.
func (m *model) live(ctx context.Context, a *attempt) error {
	m.mu.Lock()
	a.admitted, a.decided, a.deaf = true, true, false
	a.inside++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		a.inside--
		m.mu.Unlock()
	}()
	for {
		m.mu.Lock()
		done := ctx.Done()
		if a.deaf {
			done = nil
		}
		m.mu.Unlock()
		select {
		case command := <-a.command:
			if err := command(ctx); err != errGoOn {
				return err
			}
		case <-done:
			return ctx.Err()
		case <-m.quit:
			return nil
		}
	}
}

var errGoOn = errors.New("go on")
