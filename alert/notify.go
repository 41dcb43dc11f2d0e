package alert

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A Notifier tells of alerts. It is called by one goroutine at a time and should return when ctx ends, which is after
// ten seconds: one that does not leaves the child stuck at its stop. An error, or a panic, is counted and all of them
// are tried again, unless their state has changed meanwhile.
type Notifier interface {
	Notify(ctx context.Context, alerts []Alert) error
	String() string // what it is called in Status, without secrets
}

// Func makes a notifier of a function.
func Func(name string, f func(ctx context.Context, alerts []Alert) error) Notifier {
	return function{name, f}
}

type function struct {
	name string
	f    func(ctx context.Context, alerts []Alert) error
}

func (f function) Notify(ctx context.Context, alerts []Alert) error { return f.f(ctx, alerts) }
func (f function) String() string                                   { return f.name }

// A repeater wants to be told of what fires more often than the others.
type repeater interface{ repeat() time.Duration }

// A NotifierStatus tells what became of the alerts for one notifier.
type NotifierStatus struct {
	Name      string
	Told      uint64 // alerts
	Failures  uint64 // attempts
	Dropped   uint64 // alerts that found the outbox full; what still fires is put in again when there is room
	Waiting   int    // alerts in the outbox
	LastError string // of the last attempt that failed
	FailedAt  time.Time
	ToldAt    time.Time
}

const (
	maxWaiting    = 1024
	maxBatch      = 64
	attemptWithin = 10 * time.Second
	goodbyeWithin = 2 * time.Second
	backoffMin    = time.Second
	backoffMax    = time.Minute
)

// An outbox holds the newest state of each alert that one notifier has to be told. A state that changes while it waits
// takes the place of the older one, so that what waits is bounded by what can fire, and by maxWaiting.
type outbox struct {
	notifier Notifier
	repeat   time.Duration
	logger   *slog.Logger
	wake     chan struct{}

	mu struct {
		sync.Mutex
		waiting map[key]Alert
		order   []key
		told    map[key]time.Time // what fires and when it was last put in
		stats   NotifierStatus
	}
}

func newOutbox(n Notifier, cfg Config) *outbox {
	o := &outbox{notifier: n, repeat: cfg.Repeat, logger: cfg.Logger, wake: make(chan struct{}, 1)}
	if r, ok := n.(repeater); ok {
		o.repeat = r.repeat()
	}
	if l, ok := n.(labelled); ok {
		l.label(cfg.Labels)
	}
	o.mu.waiting, o.mu.told = make(map[key]Alert), make(map[key]time.Time)
	return o
}

// put enters what has changed, and of what fires that which is to be told again.
func (o *outbox) put(changed, firing []Alert, now time.Time) {
	o.mu.Lock()
	for _, a := range changed {
		if !o.putLocked(a, now) {
			o.mu.stats.Dropped++
		}
	}
	for _, a := range firing { // told last so long ago, or not at all for lack of room
		if at, ok := o.mu.told[a.key()]; !ok || o.repeat > 0 && now.Sub(at) >= o.repeat {
			o.putLocked(a, now)
		}
	}
	waiting := len(o.mu.waiting) > 0
	o.mu.Unlock()
	if waiting {
		o.notify()
	}
}

func (o *outbox) putLocked(a Alert, now time.Time) (ok bool) {
	k := a.key()
	if a.Resolved() {
		delete(o.mu.told, k)
	}
	if _, ok := o.mu.waiting[k]; !ok {
		if len(o.mu.waiting) >= maxWaiting {
			return false
		}
		o.mu.order = append(o.mu.order, k)
	}
	o.mu.waiting[k] = a
	if !a.Resolved() {
		o.mu.told[k] = now
	}
	return true
}

func (o *outbox) notify() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take gives the next alerts to be told.
func (o *outbox) take() (batch []Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(o.mu.order), maxBatch)
	for _, k := range o.mu.order[:n] {
		batch = append(batch, o.mu.waiting[k])
		delete(o.mu.waiting, k)
	}
	o.mu.order = append([]key(nil), o.mu.order[n:]...)
	return batch
}

// putBack enters what could not be told, in front, but for what has a newer state. A newcomer may have taken the last
// place meanwhile: the oldest of what could not be told goes then.
func (o *outbox) putBack(batch []Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var front []key
	for i := len(batch) - 1; i >= 0; i-- {
		k := batch[i].key()
		if _, newer := o.mu.waiting[k]; newer {
			continue
		}
		if len(o.mu.waiting) >= maxWaiting {
			o.mu.stats.Dropped++
			continue
		}
		o.mu.waiting[k] = batch[i]
		front = append([]key{k}, front...)
	}
	o.mu.order = append(front, o.mu.order...)
}

// run tells what waits until ctx ends, then tries once more.
func (o *outbox) run(ctx context.Context) {
	if c, ok := o.notifier.(interface{ closeIdle() }); ok {
		defer c.closeIdle()
	}
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			o.goodbye(ctx, wait > 0)
			return
		case <-o.wake:
		}
		for batch := o.take(); len(batch) > 0; batch = o.take() {
			err := o.attempt(ctx, attemptWithin, batch)
			if err == nil {
				if wait > 0 {
					o.logger.Info("alerts are told again", "notifier", o.notifier.String())
				}
				wait = 0
				continue
			}
			o.putBack(batch)
			if ctx.Err() != nil {
				break
			}
			if wait == 0 {
				o.logger.Warn("alerts could not be told; they are tried again", "notifier", o.notifier.String(), "err", cut(err.Error()))
			}
			wait = min(max(2*wait, backoffMin), backoffMax)
			timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			timer.Stop()
			if ctx.Err() != nil {
				break
			}
		}
	}
}

// goodbye tells what waits at the end. A notifier that fails anyway is not waited for.
func (o *outbox) goodbye(ctx context.Context, failing bool) {
	if failing {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeWithin)
	defer cancel()
	for batch := o.take(); len(batch) > 0; batch = o.take() {
		if o.attempt(ctx, goodbyeWithin, batch) != nil {
			o.putBack(batch)
			return
		}
	}
}

// attempt tells a batch once.
func (o *outbox) attempt(ctx context.Context, within time.Duration, batch []Alert) (err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	func() {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		err = o.notifier.Notify(ctx, batch)
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.mu.stats.Failures++
		o.mu.stats.LastError, o.mu.stats.FailedAt = cut(err.Error()), time.Now()
		return err
	}
	o.mu.stats.Told += uint64(len(batch))
	o.mu.stats.ToldAt = time.Now()
	return nil
}

// couldNot notes that nothing could even be tried.
func (o *outbox) couldNot(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.stats.Failures++
	o.mu.stats.LastError, o.mu.stats.FailedAt = cut(err.Error()), time.Now()
}

func (o *outbox) status() NotifierStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.mu.stats
	s.Name, s.Waiting = o.notifier.String(), len(o.mu.waiting)
	return s
}

// Slog writes each alert as one line to the logger; nil is slog.Default(). Info alerts and resolved ones have the level
// Info, warnings Warn, critical ones Error.
func Slog(l *slog.Logger) Notifier { return logNotifier{l} }

type logNotifier struct{ logger *slog.Logger }

func (n logNotifier) String() string { return "slog" }

func (n logNotifier) Notify(ctx context.Context, alerts []Alert) error {
	logger := n.logger
	if logger == nil {
		logger = slog.Default()
	}
	for _, a := range alerts {
		level, message := slog.LevelWarn, "alert fires"
		switch {
		case a.Resolved():
			level, message = slog.LevelInfo, "alert resolved"
		case a.Severity == Info:
			level = slog.LevelInfo
		case a.Severity == Critical:
			level = slog.LevelError
		}
		attrs := []slog.Attr{slog.String("rule", a.Rule), slog.String("severity", string(a.Severity)), slog.String("supervisor", a.Path)}
		if a.Limit != "" {
			attrs = append(attrs, slog.String("limit", a.Limit))
		}
		attrs = append(attrs, slog.String("details", a.Details))
		if a.Resolved() {
			attrs = append(attrs, slog.Duration("lasted", a.Ended.Sub(a.Began)))
		} else {
			attrs = append(attrs, slog.String("summary", a.Summary), slog.String("runbook", a.Runbook))
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	}
	return nil
}
