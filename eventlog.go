package headcount

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"
)

const (
	// maxLinesPerSecond is how many lines each kind of event may write in a
	// second. A crash storm must not become a log storm.
	maxLinesPerSecond = 20

	maxLoggedError = 1024
	maxLoggedStack = 4096
)

// logEvents writes a line to log for each event of sub, until the channel of
// sub is closed; then over is closed.
//
// A second begins with the first event after a quiet time. In it, each kind
// of event writes at most 20 lines; of what was more, one line per kind tells
// the number when the second is over, or the channel closed. Events that the
// subscription dropped are told at the same time.
//
// The handler and the methods of errors are the user's. They run on a goroutine
// that does nothing else: where they are slow or block, the subscription drops
// events; where they panic, the line is lost; where they end the goroutine,
// another one goes on.
func logEvents(sub *Subscription, log *slog.Logger) (over <-chan struct{}) {
	l := &eventLog{sub: sub, log: log, lines: map[string]int{}, over: make(chan struct{})}
	go l.live()
	return l.over
}

type eventLog struct {
	sub     *Subscription
	log     *slog.Logger
	lines   map[string]int // by kind, in the current second; suppressed ones too
	dropped uint64         // as told last
	over    chan struct{}
}

func (l *eventLog) live() {
	returned := false
	defer func() {
		if !returned {
			go l.live()
			return
		}
		close(l.over)
	}()
	l.run()
	returned = true
}

func (l *eventLog) run() {
	second := time.NewTimer(0)
	second.Stop()
	defer second.Stop()
	running := false
	for {
		if !running && len(l.lines) > 0 { // in this second or in one that the goroutine before this began
			running = true
			second.Reset(time.Second)
		}
		select {
		case e, open := <-l.sub.C():
			if !open {
				l.endSecond()
				return
			}
			l.event(e)
		case <-second.C:
			running = false
			l.endSecond()
		}
	}
}

func (l *eventLog) event(e Event) {
	level, kind := eventKind(e)
	if l.lines[kind]++; l.lines[kind] > maxLinesPerSecond {
		return
	}
	l.write(e.EventTime(), level, kind, append([]slog.Attr{slog.String("path", e.EventPath())}, eventAttrs(e)...))
}

func (l *eventLog) endSecond() {
	now := time.Now()
	lines, dropped := l.lines, l.sub.Dropped()-l.dropped
	// Before anything is written: a handler that takes the goroutine with it
	// would be asked to write the same again.
	l.lines, l.dropped = map[string]int{}, l.dropped+dropped
	for _, kind := range slices.Sorted(maps.Keys(lines)) {
		if more := lines[kind] - maxLinesPerSecond; more > 0 {
			l.write(now, slog.LevelWarn, "events not logged", []slog.Attr{
				slog.String("kind", kind), slog.Int("events", more), slog.String("why", "more than 20 of this kind in a second"),
			})
		}
	}
	if dropped > 0 {
		l.write(now, slog.LevelWarn, "events dropped", []slog.Attr{
			slog.Uint64("events", dropped), slog.String("why", "the log was too slow for the buffer"),
		})
	}
}

// write makes one record with the time at which the event happened, which the
// methods of slog.Logger have no way to say. Both handler methods are the
// user's code.
func (l *eventLog) write(when time.Time, level slog.Level, msg string, attrs []slog.Attr) {
	defer func() { _ = recover() }()
	ctx := context.Background()
	handler := l.log.Handler()
	if !handler.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(when, level, msg, 0)
	r.AddAttrs(attrs...)
	// There is nowhere to tell that the log cannot be written.
	_ = handler.Handle(ctx, r)
}

// eventKind gives the level of e and its kind, which is also its message. It
// is apart from the attributes because a storm pays for it in each event.
func eventKind(e Event) (level slog.Level, kind string) {
	switch e.(type) {
	case ChildFailed:
		return slog.LevelWarn, "child failed"
	case ChildRestarted:
		return slog.LevelInfo, "child restarted"
	case ChildGivenUp:
		return slog.LevelError, "child given up"
	case ChildStuck:
		return slog.LevelError, "child stuck"
	case ChildUnstuck:
		return slog.LevelInfo, "child unstuck"
	case StartFailed:
		return slog.LevelWarn, "start failed"
	case GroupRestarted:
		return slog.LevelWarn, "group restarted"
	case GroupHalted:
		return slog.LevelWarn, "group halted"
	case SupervisorStarted:
		return slog.LevelInfo, "supervisor started"
	case SupervisorStopped:
		return slog.LevelInfo, "supervisor stopped"
	case SupervisorGaveUp:
		return slog.LevelError, "supervisor gave up"
	case LimitChanged:
		return slog.LevelInfo, "limit changed"
	case LimitReached:
		return slog.LevelWarn, "limit reached"
	case LimitCleared:
		return slog.LevelInfo, "limit cleared"
	case LimitsRefused:
		return slog.LevelError, "limits refused"
	}
	return slog.LevelInfo, "event"
}

// eventAttrs gives the attributes of e but its path.
func eventAttrs(e Event) []slog.Attr {
	switch e := e.(type) {
	case ChildFailed:
		return append(failureAttrs(e.Err), idAttr(e.ID), slog.Bool("restart", e.Restart))
	case ChildRestarted:
		return append(errorAttrs(e.Err), idAttr(e.ID), slog.Int("restarts", e.Restarts), slog.Duration("delay", e.Delay))
	case ChildGivenUp:
		return append(errorAttrs(e.Err), idAttr(e.ID), slog.Int("restarts", e.Restarts), slog.Duration("within", e.Within))
	case ChildStuck:
		return []slog.Attr{idAttr(e.ID), slog.Duration("after", e.After)}
	case ChildUnstuck:
		return []slog.Attr{idAttr(e.ID), slog.Duration("stuck", e.Stuck)}
	case StartFailed:
		return failureAttrs(e.Err)
	case GroupRestarted:
		return append(errorAttrs(e.Err), slog.String("strategy", e.Strategy), slog.String("child", e.Child))
	case GroupHalted:
		return []slog.Attr{slog.String("child", e.Child)}
	case SupervisorStarted:
		return nil
	case SupervisorStopped:
		return errorAttrs(e.Err)
	case SupervisorGaveUp:
		return errorAttrs(e.Err)
	case LimitChanged:
		attrs := []slog.Attr{
			slog.String("limit", e.Limit), slog.String("from", limitText(e.From)), slog.String("to", limitText(e.To)),
			slog.String("in_force", limitText(e.InForce)),
		}
		for _, said := range []struct{ key, text string }{{"source", e.Source}, {"by", e.By}, {"why", e.Why}} {
			if said.text != "" {
				attrs = append(attrs, slog.String(said.key, cut(said.text, maxLoggedError)))
			}
		}
		return attrs
	case LimitsRefused:
		return append(errorAttrs(e.Err), slog.String("source", e.Source))
	case LimitReached:
		return observedAttr(e.Observed, slog.String("reason", e.Reason), slog.String("limit", limitText(e.Limit)))
	case LimitCleared:
		return observedAttr(e.Observed, slog.String("reason", e.Reason), slog.Uint64("refused", e.Refused), slog.Duration("for", e.For))
	}
	return []slog.Attr{slog.String("event", oneLine(e.String(), maxLine))}
}

// observedAttr marks what was only observed, so that nobody takes it for a refusal.
func observedAttr(observed bool, attrs ...slog.Attr) []slog.Attr {
	if observed {
		attrs = append(attrs, slog.Bool("observed_only", true))
	}
	return attrs
}

func idAttr(id uint64) slog.Attr { return slog.Uint64("id", id) }

// failureAttrs gives err as text, with the stack if it was a panic: where a failure is told first, not where it is told
// again.
func failureAttrs(err error) []slog.Attr {
	attrs := errorAttrs(err)
	if p := panicOf(err); p != nil {
		attrs = append(attrs, slog.String("stack", cut(string(p.Stack[:min(len(p.Stack), maxLoggedStack+1)]), maxLoggedStack)))
	}
	return attrs
}

// errorAttrs gives err as text. It is text and not the error itself, so that its size is bounded and its methods are
// called here and not in the handler.
func errorAttrs(err error) []slog.Attr {
	if err == nil {
		return nil
	}
	return []slog.Attr{slog.String("err", cut(textOf(err), maxLoggedError))}
}

// panicOf finds the panic in err. The Unwrap and As methods on the way there
// are the user's and may panic themselves.
func panicOf(err error) (p *PanicError) {
	defer func() {
		if recover() != nil {
			p = nil
		}
	}()
	if errors.As(err, &p) {
		return p
	}
	return nil
}
