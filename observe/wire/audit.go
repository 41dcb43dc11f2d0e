package wire

import (
	"time"
)

// An Entry of the audit log is one change, made here or elsewhere.
type Entry struct {
	ID       uint64    `json:"id,string" doc:"rises with each entry"`
	Time     time.Time `json:"time"`
	Action   string    `json:"action" doc:"limit, undo, terminate_child or terminate_key"`
	Path     string    `json:"path" doc:"the supervisor"`
	Limit    string    `json:"limit,omitempty" doc:"the name of the limit"`
	From     Value     `json:"from" doc:"of a limit: the value before"`
	To       Value     `json:"to"`
	InForce  Value     `json:"in_force" doc:"of a limit: what held afterwards"`
	Child    string    `json:"child,omitempty" doc:"the id or name of the child that was terminated"`
	Key      string    `json:"key,omitempty" doc:"the key whose children were terminated"`
	Outcome  string    `json:"outcome" doc:"what came of it"`
	Source   string    `json:"source" doc:"page, api, command; or what another part of the program says"`
	By       string    `json:"by" doc:"who"`
	Verified bool      `json:"verified" doc:"whether who it was is known by authentication"`
	Why      string    `json:"why"`
	Expires  time.Time `json:"expires,omitzero"`
	Review   time.Time `json:"review,omitzero"`
	Undo     bool      `json:"undo" doc:"whether it can be undone: it was made here, and not undone yet"`
}

// An UndoRequest asks to put back the value that a change has replaced.
type UndoRequest struct {
	Entry  uint64 `json:"entry,string" doc:"the id of the change in the audit log"`
	Why    string `json:"why,omitempty" doc:"the reason; at most 500 bytes"`
	By     string `json:"by,omitempty" doc:"who; only where there is no authentication"`
	Source string `json:"source,omitempty" doc:"page, command or api, which is the default"`
}

// A TerminateRequest asks to stop a child, or all children of a key.
type TerminateRequest struct {
	Path   string `json:"path" doc:"the supervisor of the child"`
	ID     uint64 `json:"id,string,omitempty" doc:"the id of a child that came by a start"`
	Name   string `json:"name,omitempty" doc:"the name of a declared child"`
	Key    string `json:"key,omitempty" doc:"all children of this key, as it is shown"`
	Why    string `json:"why,omitempty" doc:"the reason; at most 500 bytes"`
	By     string `json:"by,omitempty" doc:"who; only where there is no authentication"`
	Source string `json:"source,omitempty" doc:"page, command or api, which is the default"`
}

// An AuditPage is some of the entries of the audit log.
type AuditPage struct {
	Entries []Entry `json:"entries" doc:"the newest first"`
	Next    uint64  `json:"next,string" doc:"go on before this id; 0 when there are no more"`
}

// An EventPage is some of the events.
type EventPage struct {
	Events []Event `json:"events" doc:"the newest first"`
}
