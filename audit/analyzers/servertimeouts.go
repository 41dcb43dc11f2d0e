package analyzers

import (
	"go/token"

	"golang.org/x/tools/go/analysis"

	"github.com/headcount-go/headcount/audit/report"
)

var serverReadTimeout = rule{
	id: "HC110", name: "server-without-read-timeout", confidence: report.High,
	summary: "an http.Server waits for a request header for ever",
	run: func(u *unit) error {
		for _, s := range u.servers() {
			if s.readTimeout(u) {
				continue
			}
			u.report(s.at, Problem{
				Message: "http.Server has neither ReadHeaderTimeout nor ReadTimeout: a client that sends nothing, or a byte now and then, holds its connection for ever",
				Remedy: `Set the time that a client has for its header, and that a connection may wait for its next request:

	ReadHeaderTimeout: 10 * time.Second,
	IdleTimeout:       2 * time.Minute,

or serve as a child, with limits on connections too:

	endpoint.New("web", addr, handler, endpoint.Limits{Conns: 20_000, ConnsPerClient: 64})

ReadHeaderTimeout is what an honest client with a bad line needs for a header: 5 to 10 s.`,
				Confidence:  s.confidence(),
				Criticality: s.Criticality,
				Fixes:       u.setDuration(s, "ReadHeaderTimeout", "10", "Second"),
			})
		}
		return nil
	},
}

var serverIdleTimeout = rule{
	id: "HC111", name: "server-without-idle-timeout", confidence: report.Medium,
	summary: "an http.Server keeps a connection that asks nothing more for ever",
	run: func(u *unit) error {
		for _, fn := range u.calls(u.root) {
			if isMethod(fn, "net/http", "Server", "SetKeepAlivesEnabled") {
				return nil // connections are not kept, or that is decided as it runs
			}
		}
		for _, s := range u.servers() {
			if !s.readTimeout(u) || s.idleTimeout(u) {
				continue // without any timeout it is HC110
			}
			u.report(s.at, Problem{
				Message: "http.Server has neither IdleTimeout nor ReadTimeout: a connection that has had its answer and asks nothing more is kept for ever",
				Remedy: `Set how long a connection may wait for its next request:

	IdleTimeout: 2 * time.Minute,

It should be longer than that of the proxy in front, so that the proxy is the one who closes.`,
				Confidence:  report.Medium,
				Criticality: s.Criticality,
				Fixes:       u.setDuration(s, "IdleTimeout", "2", "Minute"),
			})
		}
		return nil
	},
}

// setDuration adds a field to the literal of a server.
func (u *unit) setDuration(s server, field, n, unit string) []analysis.SuggestedFix {
	if s.literal == nil {
		return nil
	}
	if _, given := s.set[field]; given {
		return nil
	}
	name, edits, ok := u.importTime(s.at)
	if !ok {
		return nil
	}
	text := field + ": " + n + " * " + name + "." + unit
	pos := s.literal.Rbrace
	if elts := s.literal.Elts; len(elts) > 0 {
		last := elts[len(elts)-1].End()
		if u.lineOf(last) == u.lineOf(pos) {
			pos, text = last, ", "+text
		} else {
			text += ",\n"
		}
	}
	return []analysis.SuggestedFix{{
		Message:   "Set " + field,
		TextEdits: append(edits, analysis.TextEdit{Pos: pos, End: pos, NewText: []byte(text)}),
	}}
}

func (u *unit) lineOf(pos token.Pos) int { return u.Fset.Position(pos).Line }
