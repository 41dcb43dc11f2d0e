package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

func (h *Handler) limits(c *call) (any, *problem) {
	n, p := h.find(c.URL.Query().Get("path"))
	if p != nil {
		return nil, p
	}
	t := n.Tree()
	return listLimits(&t), nil
}

func (h *Handler) allLimits(c *call) (any, *problem) {
	n, p := h.find(cmp.Or(c.URL.Query().Get("path"), h.root.Path()))
	if p != nil {
		return nil, p
	}
	all := wire.AllLimits{Supervisors: []wire.LimitList{}}
	for _, p := range collect(n) {
		all.Supervisors = append(all.Supervisors, listLimits(p.TreeNode))
	}
	return all, nil
}

func listLimits(t *headcount.TreeNode) wire.LimitList {
	return wire.LimitList{Path: t.Path, Kind: t.Kind.String(), Queue: t.Queue, MaxBytes: t.Counts.MaxBytes, Limits: viewLimits(t)}
}

func viewLimits(t *headcount.TreeNode) []wire.Limit {
	views := []wire.Limit{}
	for _, l := range t.Limits {
		views = append(views, viewLimit(l))
	}
	for _, s := range t.Gates {
		v := viewLimit(s.LimitSnapshot)
		v.Gate, v.Observing, v.Refused, v.Observed = true, s.Observing, s.Refused, s.Observed
		views = append(views, v)
	}
	return views
}

// findLimit gives a limit of a supervisor, or that of a gate.
func findLimit(n headcount.Node, name string) (*headcount.Limit, *problem) {
	for _, l := range n.Limits() {
		if l.Name() == name {
			return l, nil
		}
	}
	for _, g := range n.Gates() {
		if g.Name() == name {
			return g.Limit(), nil
		}
	}
	return nil, notFound(n.Path() + " has no limit of the name " + strconv.QuoteToGraphic(plain.Cut(name, maxName)))
}

// change reads a change and what it is about.
func (h *Handler) change(c *call) (req wire.LimitChange, n headcount.Node, l *headcount.Limit, p *problem) {
	if p = c.body(&req); p != nil {
		return
	}
	if req.Value == nil {
		return req, nil, nil, badRequest("value", `is missing: a whole number or "unlimited"`)
	}
	if p = checkWords(req.Why, req.By, &req.Source); p != nil {
		return
	}
	if n, p = h.find(req.Path); p != nil {
		return
	}
	l, p = findLimit(n, req.Limit)
	return
}

func checkWords(why, by string, source *string) *problem {
	switch {
	case len(why) > maxWhy || !plain.Is(why):
		return badRequest("why", fmt.Sprintf("is not one line of at most %d bytes", maxWhy))
	case by != "" && !isName(by):
		return badRequest("by", fmt.Sprintf("is not a name of at most %d bytes", maxName))
	}
	if *source = cmp.Or(*source, "api"); !slices.Contains(ownSources, *source) {
		return badRequest("source", shown(*source)+" is none of page, command, api")
	}
	return nil
}

// who is by whom a change is: who the visitor is known to be, or says.
func (c *call) who(claimed string) (by string, verified bool) {
	if c.verified {
		return c.by, true
	}
	return cmp.Or(claimed, "somebody on this machine"), false
}

func (h *Handler) preview(c *call) (any, *problem) {
	req, n, l, p := h.change(c)
	if p != nil {
		return nil, p
	}
	v, p := previewOf(n, l, *req.Value)
	if p != nil {
		return nil, p
	}
	v.Allowed = h.cfg.changes
	return v, nil
}

func previewOf(n headcount.Node, l *headcount.Limit, value wire.Value) (wire.Preview, *problem) {
	s := l.Snapshot()
	if p := checkValue(s, value); p != nil {
		return wire.Preview{}, p
	}
	v := wire.Preview{Path: n.Path(), Limit: s.Name, From: wire.Value(s.Setting.Value), To: value, InForce: value, Children: -1, Effects: []string{}}
	say := func(format string, args ...any) { v.Effects = append(v.Effects, fmt.Sprintf(format, args...)) }
	capped := ""
	for _, cap := range s.Caps {
		if wire.Value(cap.Value) < v.InForce {
			v.InForce, capped = wire.Value(cap.Value), fmt.Sprintf("The cap %s holds it at %s since %s: the new value comes into force when the cap is lifted.",
				plain.Shown(cap.Name), wire.Value(cap.Value), cap.Since.UTC().Format("2006-01-02 15:04:05 MST"))
		}
	}
	t := n.Tree()
	waiting := 0
	switch s.Name {
	case "max_children":
		v.Children, waiting = t.Counts.Running, t.Counts.Waiting
	case "max_descendants":
		v.Children = t.Descendants
	case "max_per_key":
		if keyed, ok := n.(keyedNode); ok {
			for _, k := range keyed.TopShown(1000) {
				if wire.Value(k.Count) > v.InForce {
					v.KeysAbove++
				}
			}
		}
	}
	if v.To == v.From {
		say("The value stays as it is.")
	}
	if v.Children >= 0 && wire.Value(v.Children) > v.InForce {
		v.Above = v.Children - int(v.InForce)
	}
	switch {
	case v.Above > 0:
		say("%s above the new limit go on; new starts are refused until %s have ended.", plain.Number(int64(v.Above)), plain.Number(int64(v.Above)+1))
	case v.KeysAbove > 0:
		say("%d keys hold more than the new limit; what they hold goes on, and new starts of theirs are refused.", v.KeysAbove)
	case v.Children >= 0 && v.InForce != wire.Unlimited && wire.Value(v.Children) == v.InForce:
		say("It is full with what there is: new starts are refused.")
	case v.Children >= 0 && v.InForce != wire.Unlimited:
		say("%s of %s are in use then; %s are free.", plain.Number(int64(v.Children)), v.InForce, plain.Number(int64(v.InForce)-int64(v.Children)))
	case v.Children < 0:
		say("Nothing that runs is ended; from now on starts are judged by the new value.")
	}
	if waiting > 0 && v.InForce > wire.Value(s.InForce) {
		say("Of %d starts that wait, as many as fit are admitted at once.", waiting)
	}
	if v.InForce == 0 {
		say("Zero admits nothing.")
	}
	if v.InForce == wire.Unlimited {
		say("Without a limit, nothing bounds what an outsider can start here.")
	}
	if capped != "" {
		say("%s", capped)
	}
	return v, nil
}

// checkValue finds what is wrong with a value before it is set, by the rule of [headcount.Limit.Set].
func checkValue(s headcount.LimitSnapshot, value wire.Value) *problem {
	switch {
	case value < 0:
		return badRequest("value", fmt.Sprintf(`%d is negative; 0 admits nothing, "unlimited" any number`, value))
	case int(value) > s.Ceiling:
		return badRequest("value", fmt.Sprintf("%s is above the ceiling of %s that the program has set", value, wire.Value(s.Ceiling)))
	case value > headcount.MaxLimit && value != wire.Unlimited:
		return badRequest("value", fmt.Sprintf("%s is above %s", value, wire.Value(headcount.MaxLimit)))
	}
	return nil
}

func (h *Handler) setLimit(c *call) (any, *problem) {
	req, n, l, p := h.change(c)
	if p != nil {
		return nil, p
	}
	s := l.Snapshot()
	if p := checkValue(s, *req.Value); p != nil {
		return nil, p
	}
	if now := time.Now(); !req.Expires.IsZero() && !req.Expires.After(now) {
		return nil, badRequest("expires", req.Expires.UTC().Format(time.RFC3339)+" lies in the past")
	}
	by, verified := c.who(req.By)
	e := wire.Entry{
		Action: "limit", Path: n.Path(), Limit: l.Name(), To: *req.Value, Outcome: "changed", Source: req.Source, By: by, Verified: verified, Why: req.Why,
		Expires: req.Expires, Review: req.Review,
	}
	return h.set(l, e, func(s headcount.Setting) *problem {
		if req.Expected != nil && wire.Value(s.Value) != *req.Expected {
			return &problem{
				Status: http.StatusConflict, Code: "conflict", Field: "expected",
				Detail: fmt.Sprintf("the limit is %s by now, set by %s", wire.Value(s.Value), cmp.Or(plain.Shown(s.By), plain.Shown(s.Source))),
			}
		}
		return nil
	})
}

// set sets a limit and writes it down. Changes are made here one at a time, so that what is judged is what is replaced;
// other parts of the program may still come between: then the last writer wins, and the log shows both.
func (h *Handler) set(l *headcount.Limit, e wire.Entry, judge func(headcount.Setting) *problem) (wire.Entry, *problem) {
	h.changing.Lock()
	defer h.changing.Unlock()
	before := l.Snapshot().Setting
	if p := judge(before); p != nil {
		return wire.Entry{}, p
	}
	h.audit.expect(changeOf(&e))
	err := l.Set(int(e.To), headcount.Change{Source: e.Source, By: e.By, Why: e.Why, Expires: e.Expires, Review: e.Review})
	if err != nil {
		h.audit.heard(changeOf(&e)) // it will not be
	}
	if invalid := (*headcount.ConfigError)(nil); errors.As(err, &invalid) {
		return wire.Entry{}, badRequest("value", plain.Cut(err.Error(), maxWhy))
	} else if err != nil {
		return wire.Entry{}, &problem{Status: http.StatusConflict, Code: "conflict", Detail: plain.Cut(err.Error(), maxWhy)}
	}
	after := l.Snapshot()
	e.From, e.InForce, e.Undo = wire.Value(before.Value), wire.Value(after.InForce), before.Expires.IsZero()
	return h.audit.add(recorded{e, before, after.Setting}), nil
}

// undo puts back the value that a change has replaced, if the change is still in place. A value that was to expire is not
// put back: it would have to come with what it gives way to.
func (h *Handler) undo(c *call) (any, *problem) {
	var req wire.UndoRequest
	if p := c.body(&req); p != nil {
		return nil, p
	}
	if p := checkWords(req.Why, req.By, &req.Source); p != nil {
		return nil, p
	}
	was, ok := h.audit.find(req.Entry)
	if !ok {
		return nil, notFound("the audit log has no such entry any more")
	}
	conflict := func(detail string) *problem {
		return &problem{Status: http.StatusConflict, Code: "conflict", Detail: detail, Field: "entry"}
	}
	if !was.Undo {
		return nil, conflict("it cannot be undone: it was undone already, was made elsewhere, or replaced a value that was to expire")
	}
	n, p := h.find(was.Path)
	if p != nil {
		return nil, p
	}
	l, p := findLimit(n, was.Limit)
	if p != nil {
		return nil, p
	}
	by, verified := c.who(req.By)
	e := wire.Entry{
		Action: "undo", Path: was.Path, Limit: was.Limit, To: was.From, Outcome: fmt.Sprintf("undone: %d", was.ID), Source: req.Source, By: by,
		Verified: verified, Why: cmp.Or(req.Why, fmt.Sprintf("undo of change %d", was.ID)), Review: was.before.Review,
	}
	made, p := h.set(l, e, func(s headcount.Setting) *problem {
		if s != was.after {
			return conflict("the limit has been changed since: it is " + wire.Value(s.Value).String() + " now")
		}
		return nil
	})
	if p != nil {
		return nil, p
	}
	h.audit.undone(was.ID)
	return made, nil
}

// terminateWithin bounds the wait for what is terminated. A child that takes longer goes on stopping.
const terminateWithin = 10 * time.Second

func (h *Handler) terminate(c *call) (any, *problem) {
	var req wire.TerminateRequest
	if p := c.body(&req); p != nil {
		return nil, p
	}
	if p := checkWords(req.Why, req.By, &req.Source); p != nil {
		return nil, p
	}
	given := 0
	for _, is := range []bool{req.ID != 0, req.Name != "", req.Key != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, badRequest("id", "give one of id, name and key")
	}
	n, p := h.find(req.Path)
	if p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(c.Context(), terminateWithin)
	defer cancel()
	by, verified := c.who(req.By)
	e := wire.Entry{
		Action: "terminate_child", Path: n.Path(), Key: plain.Cut(req.Key, maxName), Child: plain.Cut(req.Name, maxName), Outcome: "ended",
		Source: req.Source, By: by, Verified: verified, Why: req.Why,
	}
	var err error
	listed, comeAndGo := n.(listedNode)
	switch {
	case req.Name != "":
		declared, ok := n.(interface {
			TerminateChild(ctx context.Context, name string) error
		})
		if !ok {
			return nil, badRequest("name", "is for declared children; this supervisor's have an id")
		}
		err = declared.TerminateChild(ctx, req.Name)
	case !comeAndGo:
		return nil, badRequest("path", "is that of a supervisor with declared children, which are terminated by name")
	case req.ID != 0:
		e.Child = strconv.FormatUint(req.ID, 10)
		err = listed.Terminate(ctx, req.ID)
	default:
		e.Action = "terminate_key"
		var ended int
		ended, err = terminateKey(ctx, listed, req.Key)
		e.Outcome = fmt.Sprintf("%d ended", ended)
		if ended == 0 && err == nil {
			return nil, notFound("the key holds no child")
		}
	}
	stuck := (*headcount.StuckError)(nil)
	switch {
	case errors.Is(err, headcount.ErrNotFound):
		return nil, notFound("there is no such child any more")
	case errors.As(err, &stuck):
		e.Outcome = "asked to stop; it is stuck"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e.Outcome = "asked to stop; it has not ended yet"
	case err != nil:
		return nil, &problem{Status: http.StatusConflict, Code: "conflict", Detail: plain.Cut(err.Error(), maxWhy)}
	}
	e = h.audit.add(recorded{Entry: e})
	h.cfg.logger.Info("observe: terminated", "path", e.Path, "child", e.Child, "key", e.Key, "outcome", e.Outcome, "by", e.By, "why", e.Why)
	return e, nil
}

// terminateKey stops the children of a key, which is known by how it is shown only. Those that start meanwhile are met too,
// as long as there are any within a bounded number of pages.
func terminateKey(ctx context.Context, n listedNode, key string) (ended int, err error) {
	var ids []uint64
	for after := uint64(0); ; {
		infos, next := n.Children(headcount.Query{After: after, Limit: 1000, Match: func(i headcount.ChildInfo) bool { return i.Key == key }})
		for _, i := range infos {
			ids = append(ids, i.ID)
		}
		if after = next; next == 0 || ctx.Err() != nil {
			break
		}
	}
	// All are asked before any is waited for: with a context that is over, Terminate asks and does not wait.
	over, cancel := context.WithCancel(ctx)
	cancel()
	for _, id := range ids {
		_ = n.Terminate(over, id)
	}
	for _, id := range ids {
		switch e := n.Terminate(ctx, id); {
		case e == nil, errors.Is(e, headcount.ErrNotFound):
			ended++
		default:
			err = e
		}
	}
	return ended, err
}
