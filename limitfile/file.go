package limitfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
)

// A Config says how a file is kept. The zero value is fine.
type Config struct {
	// Interval is the time between two looks at the file, 1 s if zero.
	Interval time.Duration
	// Reload makes the file be read at once, changed or not: a channel given to signal.Notify with SIGHUP, say.
	Reload <-chan os.Signal
	// Strict makes the first start fail if the file cannot be loaded then. Without it the service starts with the limits
	// that are in code, and the log tells.
	Strict bool
	// Root is the tree whose limits are set. If nil, it is the one that the child is in.
	Root headcount.Node
	// Logger is told of each load. Nil is slog.Default().
	Logger *slog.Logger
}

// A File keeps the limits of a tree as a file says. It is a child; all methods may be called from many goroutines, at
// any time.
type File struct {
	name, file string
	cfg        Config

	// Of the goroutine that runs it.
	entries []entry
	lines   []string // they are from
	told    map[at]bool
	applied map[*headcount.Limit]applied
	content string // of the last attempt
	seen    stamp  // at the last look
	pending bool   // it has changed since the last attempt
	missing bool   // it could not be looked at

	mu struct {
		sync.Mutex
		running bool
		status  Status
	}
}

// applied is a limit that was set as the file said.
type applied struct {
	entry *entry // nil: none matched it
	path  string
	when  time.Time
	over  bool // has expired, and the value of the code is back
}

// A stamp tells one state of a file from another without reading it.
type stamp struct {
	info os.FileInfo
}

func (s stamp) same(o stamp) bool {
	return s.info != nil && o.info != nil && os.SameFile(s.info, o.info) && s.info.ModTime().Equal(o.info.ModTime()) && s.info.Size() == o.info.Size()
}

// New makes the child that keeps the limits as the file says.
func New(name, file string, cfg Config) *File {
	if cfg.Interval == 0 {
		cfg.Interval = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	f := &File{name: name, file: file, cfg: cfg, applied: make(map[*headcount.Limit]applied)}
	f.mu.status.File = file
	return f
}

// ChildSpec makes it a permanent child, which has started when the file has been read for the first time.
func (f *File) ChildSpec() headcount.ChildSpec {
	return headcount.ChildSpec{Name: f.name, Run: f.run, AwaitReady: true}
}

func (f *File) run(ctx context.Context) error {
	if f.cfg.Interval < 0 {
		return fmt.Errorf("limitfile: Config.Interval %v is negative", f.cfg.Interval)
	}
	root := f.cfg.Root
	if root == nil {
		var ok bool
		if root, ok = headcount.Root(ctx); !ok {
			return errors.New("limitfile: no tree: Config.Root is nil, and this is not run as a child")
		}
	}
	f.mu.Lock()
	again := f.mu.running
	f.mu.running = true
	first := f.mu.status.Loads == 0
	f.mu.Unlock()
	if again {
		return headcount.ErrAlreadyStarted
	}
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.mu.running = false
	}()

	f.remember()
	if err := f.load(root, false); err != nil && first && f.cfg.Strict {
		return err
	}
	headcount.Ready(ctx)
	ticker := time.NewTicker(f.cfg.Interval)
	defer ticker.Stop()
	reload := f.cfg.Reload
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, ok := <-reload:
			if !ok {
				reload = nil // closed: nobody will ask any more
				continue
			}
			f.remember()
			_ = f.load(root, true) // told
		case <-ticker.C:
			f.tick(root)
		}
	}
}

func (f *File) look() (stamp, error) {
	info, err := os.Stat(f.file)
	return stamp{info}, err
}

// remember looks at the file that is about to be loaded. That it is missing is told by the load.
func (f *File) remember() {
	seen, err := f.look()
	f.seen, f.missing, f.pending = seen, err != nil, false
}

// tick looks at the file, and at the tree for what has come or expired.
func (f *File) tick(root headcount.Node) {
	now, err := f.look()
	switch {
	case err != nil:
		if !f.missing {
			f.missing = true
			_ = f.load(root, false) // tells what is wrong
		}
	case f.missing, !now.same(f.seen):
		f.missing, f.pending = false, true // it may be half written: it is read when it has been still for a while
	case f.pending:
		f.pending = false
		_ = f.load(root, false)
	}
	f.seen = now
	f.attend(root)
}

// load reads the file and sets what it says, all or nothing. A file with the same content as at the last attempt is
// left alone, unless it is asked for.
func (f *File) load(root headcount.Node, asked bool) error {
	data, err := read(f.file)
	var entries []entry
	var targets []target
	r := &report{file: f.file}
	if err == nil {
		if !asked && string(data) == f.content && f.status().Tried() {
			return f.status().Err
		}
		f.content = string(data)
		entries = parse(data, r)
		targets = resolve(entries, placesOf(root), r, true) // whatever else is wrong: all is told at once
		err = r.orNil()
	} else {
		f.content = ""
		r.add(at{}, "cannot be read: %v", err)
		err = r.orNil()
	}
	now := time.Now()
	f.mu.Lock()
	f.mu.status.LastTry, f.mu.status.Err = now, err
	if err != nil {
		f.mu.status.Failures++
	} else {
		f.mu.status.Loads++
		f.mu.status.Loaded = now
	}
	f.mu.Unlock()
	headcount.ReportLimits(root, filepath.Base(f.file), err)
	if err != nil {
		f.log("limits not loaded, the old ones stay", err)
		return err
	}
	f.entries, f.lines, f.told = entries, r.lines, make(map[at]bool)
	set, back := f.apply(targets, now)
	f.cfg.Logger.Info("limits loaded", "file", f.file, "limits", len(targets), "set", set, "back_to_code", back)
	for _, d := range f.status().ReviewsDue {
		f.cfg.Logger.Warn("the review date of a limit has passed", "file", f.file, "supervisor", d.Path, "limit", d.Limit, "owner", d.Owner, "review", d.Review.Format(time.DateOnly))
	}
	return nil
}

// log tells what is wrong, each problem by itself.
func (f *File) log(message string, err error) {
	var e *Error
	if !errors.As(err, &e) {
		return
	}
	const most = 10
	for _, p := range e.Problems[:min(len(e.Problems), most)] {
		f.cfg.Logger.Error(message, "file", f.file, "line", p.Line, "column", p.Column, "problem", p.Message, "excerpt", p.Excerpt)
	}
	if more := e.Total - most; more > 0 {
		f.cfg.Logger.Error(message+": there are more problems", "file", f.file, "more", more)
	}
}

func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // asked before it is opened: to open a pipe would wait
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// apply sets the targets, and gives back to the code what was set by the file and is no target any more.
func (f *File) apply(targets []target, now time.Time) (set, back int) {
	before := f.applied
	f.applied = make(map[*headcount.Limit]applied, len(targets))
	for _, t := range targets {
		a := applied{entry: t.entry, path: t.path, when: now}
		if t.entry.expired(now) {
			a.over = true
			if _, ok := before[t.limit.handle]; ok || t.limit.handle.Snapshot().Setting.Source == "file" {
				back += f.giveBack(t.limit.handle, "the entry in "+filepath.Base(f.file)+" has expired")
			}
		} else if set1, err := f.set(t.limit.handle, t.entry); err != nil {
			f.cfg.Logger.Error("a limit could not be set", "file", f.file, "err", err) // it has expired since it was checked
		} else {
			set += set1
		}
		a.when = time.Now()
		f.applied[t.limit.handle] = a
	}
	for l, a := range before {
		if _, ok := f.applied[l]; !ok && a.entry != nil {
			back += f.giveBack(l, "no longer in "+filepath.Base(f.file))
		}
	}
	f.count(now)
	return set, back
}

// set gives the limit what the entry says, if it has not got it already.
func (f *File) set(l *headcount.Limit, e *entry) (set int, err error) {
	s, c := l.Snapshot().Setting, e.change()
	if s.Value == e.value && s.Source == c.Source && s.By == c.By && s.Why == c.Why && s.Expires.Equal(c.Expires) && s.Review.Equal(c.Review) {
		return 0, nil
	}
	return 1, l.Set(e.value, c)
}

// giveBack sets the limit to what it is in code.
func (f *File) giveBack(l *headcount.Limit, why string) (set int) {
	s := l.Snapshot()
	if s.Setting.Source == "code" {
		return 0
	}
	if err := l.Set(s.InCode, headcount.Change{Source: "code", By: f.name, Why: why}); err != nil {
		f.cfg.Logger.Error("a limit could not be given back", "file", f.file, "err", err)
		return 0
	}
	return 1
}

// attend gives their limits to supervisors that have come since the file was loaded, forgets those that are gone, and
// gives back to the code what has expired.
func (f *File) attend(root headcount.Node) {
	if len(f.entries) == 0 {
		return
	}
	now := time.Now()
	there := make(map[*headcount.Limit]bool)
	var late []place
	for _, p := range placesOf(root) {
		news := false
		for _, l := range p.limits {
			there[l.handle] = true
			news = news || !f.knows(l.handle, p.path)
		}
		if news {
			late = append(late, p)
		}
	}
	for l, a := range f.applied {
		switch {
		case !there[l]:
			delete(f.applied, l)
		case a.entry != nil && a.entry.expired(now):
			again := a.over // then an older setting of the file may come back, when what somebody has set expires
			a.over = true
			f.applied[l] = a
			if s := l.Snapshot().Setting; !s.When.After(a.when) && (!again || s.Source == "file") { // nobody has set it since
				f.giveBack(l, "the entry in "+filepath.Base(f.file)+" has expired")
			}
		}
	}
	r := &report{file: f.file, lines: f.lines}
	for _, t := range resolve(f.entries, late, r, false) {
		if f.knows(t.limit.handle, t.path) {
			continue
		}
		a := applied{entry: t.entry, path: t.path, when: now}
		if t.entry.expired(now) {
			a.over = true
		} else if _, err := f.set(t.limit.handle, t.entry); err != nil {
			f.cfg.Logger.Error("a limit could not be set", "file", f.file, "err", err)
		}
		a.when = time.Now()
		f.applied[t.limit.handle] = a
	}
	for _, p := range late {
		for _, l := range p.limits {
			if !f.knows(l.handle, p.path) {
				f.applied[l.handle] = applied{path: p.path} // looked at; no entry is for it
			}
		}
	}
	f.tellLate(r, now)
	f.count(now)
}

// knows reports whether the limit has been looked at, in this place.
func (f *File) knows(l *headcount.Limit, path string) bool {
	a, ok := f.applied[l]
	return ok && a.path == path
}

// tellLate tells of entries that do not fit a supervisor that has come later: once for each, however often such come.
func (f *File) tellLate(r *report, now time.Time) {
	r.err.Problems = slices.DeleteFunc(r.err.Problems, func(p *Problem) bool {
		where := at{p.Line, p.Column}
		again := f.told[where]
		f.told[where] = true
		return again
	})
	r.err.Total = len(r.err.Problems)
	err := r.orNil()
	if err == nil {
		return
	}
	f.mu.Lock()
	f.mu.status.Failures++
	f.mu.status.Err, f.mu.status.LastTry = err, now
	f.mu.Unlock()
	f.log("an entry does not fit a supervisor that has come later", err)
}

// count notes what the file has in force.
func (f *File) count(now time.Time) {
	var due []Review
	limits, expired := 0, 0
	for _, a := range f.applied {
		switch {
		case a.entry == nil:
		case a.over:
			expired++
		default:
			limits++
			if r := a.entry.review; !r.IsZero() && !r.After(now) {
				due = append(due, Review{a.path, a.entry.limit, a.entry.owner, r, a.entry.where.line})
			}
		}
	}
	slices.SortFunc(due, func(a, b Review) int { return a.compare(b) })
	total := len(due)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.status.Limits, f.mu.status.Expired = limits, expired
	f.mu.status.ReviewsDue, f.mu.status.ReviewsDueTotal = due[:min(total, maxProblems)], total
}
