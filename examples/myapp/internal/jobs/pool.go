// Package jobs runs the jobs of myapp as children of a dynamic supervisor and keeps their state in the store.
//
// A job is stored before its work begins, and each try is written down. It is tried again by supervision: a try that
// fails or panics is an abnormal exit of a transient child, which its supervisor restarts within a budget. What a stop
// or a crash of the process interrupts is taken up again at the next start.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
)

// Config is what a pool needs. All fields are required.
type Config struct {
	Store   *store.Store
	Workers *headcount.DynamicSupervisor
	Counts  *inside.Counts
	Limits  Limits
	Tries   int           // a job fails for good after so many
	Within  time.Duration // the time of one try
	Class   func(proven bool) headcount.Class
	Log     *slog.Logger
}

// Pool runs jobs. It is safe for concurrent use.
type Pool struct {
	Config

	mu struct {
		sync.Mutex
		running map[string]struct{} // by id; as many as there are workers at most
	}
}

const (
	// storeWithin is how long a start waits for the disk.
	storeWithin = 10 * time.Second
	// maxError bounds what is kept of an error, in bytes. The value of a panic can be of any length.
	maxError = 512
)

// New returns a pool.
func New(cfg Config) *Pool {
	p := &Pool{Config: cfg}
	p.mu.running = make(map[string]struct{})
	return p
}

// Limits returns what one job may cost.
func (p *Pool) Limits() Limits { return p.Config.Limits }

// Submit stores a job and starts it, and returns its id once it is stored. The error is a *headcount.Refusal if there is
// no room for it; it wraps an error of the store if it could not be stored. Nothing is left of a job that was refused.
//
// The slot comes first and the disk second: a flood that is refused must not cost a write each.
func (p *Pool) Submit(ctx context.Context, user string, proven bool, req Request) (id string, err error) {
	input := req.Data
	req.Data = nil // kept beside the record, which is read and written more often
	raw, err := json.Marshal(req)
	if err != nil {
		return "", err
	}
	job := store.Job{ID: store.NewID(), User: user, Proven: proven, Kind: req.Kind, Request: raw}
	spec, err := p.spec(job, req, input, true)
	if err != nil {
		return "", err
	}
	_, err = p.Workers.StartChild(ctx, spec)
	return job.ID, err
}

// Resume starts all jobs that are not finished. As a child it is ready when it has listed them: jobs handed in later are
// not its own.
func (p *Pool) Resume(ctx context.Context) error {
	ids, err := p.Store.Unfinished()
	if err != nil {
		return err
	}
	headcount.Ready(ctx)
	if len(ids) > 0 {
		p.Log.Info("jobs are taken up again", "jobs", len(ids))
	}
	for _, id := range ids {
		if err := p.resume(ctx, id); err != nil {
			if ctx.Err() != nil || errors.Is(err, headcount.ErrStopped) || errors.Is(err, store.ErrClosed) {
				return nil // the next start takes up what is left
			}
			p.Log.Error("a job is not taken up again", "job", id, "err", err)
		}
	}
	return nil
}

// resume starts one stored job, waiting for room as long as it takes.
func (p *Pool) resume(ctx context.Context, id string) error {
	job, err := p.Store.Get(id)
	if err != nil {
		return err
	}
	if job.Tries >= p.Tries {
		// Each of its tries ended with the process. It must not be what ends this one too.
		_, err := p.Store.Update(id, func(j *store.Job) {
			j.State, j.Error = store.Failed, fmt.Sprintf("interrupted in try %d", j.Tries)
		})
		return err
	}
	var req Request
	if err := json.Unmarshal(job.Request, &req); err != nil {
		return fmt.Errorf("the stored request: %w", err)
	}
	spec, err := p.spec(job, req, nil, false)
	if err != nil {
		return err
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		_, err := p.Workers.StartChild(ctx, spec)
		if !errors.Is(err, headcount.ErrRefused) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// spec describes the child that does a job: a new one, which is to be stored first, or one that is stored already.
func (p *Pool) spec(job store.Job, req Request, input []byte, isNew bool) (headcount.ChildSpec, error) {
	restart, err := req.restart()
	if err != nil {
		return headcount.ChildSpec{}, err
	}
	d := &doing{pool: p, job: job, req: req, input: input, isNew: isNew, last: p.Tries}
	if restart == headcount.Temporary {
		d.last = job.Tries + 1
	}
	return headcount.ChildSpec{
		Name:        "job-" + job.ID,
		Run:         d.run,
		Restart:     restart,
		AwaitReady:  true,
		ReadyWithin: storeWithin,
		// The pool counts the tries of a job, over all lives of the process. The budget is the same number; its period only
		// has to be longer than all tries take.
		Intensity: headcount.Intensity{Restarts: p.Tries - 1, Within: 24 * time.Hour},
		Class:     p.Class(job.Proven),
	}, nil
}

// doing is one job as a child. Its fields are only touched by the runs of the child, one after the other.
type doing struct {
	pool  *Pool
	job   store.Job
	req   Request
	input []byte // of a new job, until its first try is over
	isNew bool
	last  int // the try whose failure is the end
}

// run is one try.
func (d *doing) run(ctx context.Context) error {
	p := d.pool
	if !p.enter(d.job.ID) {
		return nil // stuck in an earlier life of the supervisor, and still running
	}
	defer p.leave(d.job.ID)
	p.Counts.Jobs.Enter()
	defer p.Counts.Jobs.Leave()

	if err := d.begin(); err != nil {
		return err
	}
	headcount.Ready(ctx)
	if d.job.State.Finished() {
		return nil
	}
	result, err := d.try(ctx)
	return d.end(ctx, result, err)
}

// begin writes down that a try begins.
func (d *doing) begin() (err error) {
	if d.isNew {
		d.job.State, d.job.Tries = store.Running, 1
		if err := d.pool.Store.Put(d.job, d.input); err != nil {
			return err
		}
		d.isNew = false
		return nil
	}
	d.job, err = d.pool.Store.Update(d.job.ID, func(j *store.Job) {
		j.State = store.Running
		j.Tries++
	})
	return err
}

// try does the work with its own limit of time. A panic is written down for the user and goes on to the supervisor,
// which treats it as any failure and keeps its stack.
func (d *doing) try(ctx context.Context) (json.RawMessage, error) {
	defer func() {
		if v := recover(); v != nil {
			d.fail(fmt.Errorf("panic: %v", v))
			panic(v)
		}
	}()
	input, err := d.takeInput()
	if err != nil {
		return nil, err
	}
	size := int64(len(input))
	if err := headcount.Charge(ctx, size); err != nil {
		return nil, err
	}
	defer headcount.Charge(ctx, -size)
	ctx, cancel := context.WithTimeoutCause(ctx, d.pool.Within, fmt.Errorf("not done within %v", d.pool.Within))
	defer cancel()
	result, err := work(ctx, d.req, input, d.job.Tries, d.pool.Config.Limits)
	if err != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	return result, err
}

func (d *doing) takeInput() ([]byte, error) {
	if input := d.input; input != nil {
		d.input = nil // later tries read it again rather than hold it while they wait
		return input, nil
	}
	return d.pool.Store.Input(d.job.ID)
}

// end writes down how a try ended, and returns what the supervisor is to make of it.
func (d *doing) end(ctx context.Context, result json.RawMessage, err error) error {
	var problem *Problem
	switch {
	case err == nil:
		return d.update(func(j *store.Job) { j.State, j.Result, j.Error = store.Done, result, "" })
	case ctx.Err() != nil:
		// Interrupted by a stop, so it does not count. What this cannot write, the next start finds out by itself.
		_ = d.update(func(j *store.Job) { j.State, j.Tries = store.Queued, j.Tries-1 })
		return ctx.Err()
	case errors.As(err, &problem):
		return d.update(func(j *store.Job) { j.State, j.Error = store.Failed, problem.Text })
	}
	return errors.Join(err, d.fail(err))
}

// fail writes down a failed try: the job is queued for another, or has failed.
func (d *doing) fail(err error) error {
	return d.update(func(j *store.Job) {
		text := err.Error()
		j.State, j.Error = store.Queued, text[:min(len(text), maxError)]
		if j.Tries >= d.last {
			j.State = store.Failed
		}
	})
}

func (d *doing) update(change func(*store.Job)) (err error) {
	d.job, err = d.pool.Store.Update(d.job.ID, change)
	return err
}

func (p *Pool) enter(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, runs := p.mu.running[id]; runs {
		return false
	}
	p.mu.running[id] = struct{}{}
	return true
}

func (p *Pool) leave(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.mu.running, id)
}
