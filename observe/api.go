package observe

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// An operation is one thing that the API does. The list of them makes the routes, and the test of openapi.json.
type operation struct {
	method, path string
	summary      string
	query        []parameter
	request      any // of a POST
	response     any
	stream       bool
	change       bool // it needs AllowChanges
	do           func(h *Handler, c *call) (any, *problem)
}

type parameter struct {
	name, doc string
	required  bool
	number    bool
}

const apiPrefix = "/api/v1/"

var (
	pathParameter = parameter{name: "path", doc: "the path of a supervisor, such as myapp/users", required: true}
	anyPath       = parameter{name: "path", doc: "only at this supervisor and below it"}
)

var operations = []operation{
	{
		method: "GET", path: "tree", summary: "The whole tree, a row for each supervisor", response: wire.Snapshot{},
		do: func(h *Handler, c *call) (any, *problem) { return h.snapshot(), nil },
	},
	{
		method: "GET", path: "node", summary: "One supervisor with its limits", response: wire.Detail{},
		query: []parameter{pathParameter}, do: (*Handler).node,
	},
	{
		method: "GET", path: "children", summary: "A page of the children of a supervisor", response: wire.ChildPage{},
		query: []parameter{
			pathParameter, {name: "after", doc: "go on behind this id"}, {name: "limit", doc: "at most so many; 1 to 1000, by default 100", number: true},
			{name: "filter", doc: "words that the name, the key or the id contain; state:stuck for those in a state"},
		},
		do: (*Handler).children,
	},
	{
		method: "GET", path: "keys", summary: "The keys of a keyed supervisor that hold most", response: wire.TopKeys{},
		query: []parameter{pathParameter, {name: "limit", doc: "at most so many; 1 to 1000, by default 20", number: true}}, do: (*Handler).keys,
	},
	{
		method: "GET", path: "history", summary: "The last hour of a supervisor", response: wire.PastHour{},
		query: []parameter{pathParameter}, do: (*Handler).history,
	},
	{
		method: "GET", path: "events", summary: "A stream of server-sent events: snapshot, then delta", response: streamed{}, stream: true,
	},
	{
		method: "GET", path: "log", summary: "The last events at a supervisor and below it, the newest first", response: wire.EventPage{},
		query: []parameter{anyPath, {name: "limit", doc: "at most so many; 1 to 1000, by default 100", number: true}}, do: (*Handler).log,
	},
	{
		method: "GET", path: "goroutines", summary: "Whose the goroutines of the process are; read once in a second at the most", response: wire.Goroutines{},
		query: []parameter{anyPath}, do: (*Handler).goroutines,
	}, {
		method: "GET", path: "cpu", summary: "Whose the CPU time of the process is; a profile is made for it, once in ten seconds at the most", response: wire.CPUTimes{},
		query: []parameter{anyPath, {name: "seconds", doc: "how long the profile is made; 1 to 5, by default 2", number: true}}, do: (*Handler).cpu,
	},

	{
		method: "GET", path: "stack", summary: "Where a child is; read once in a second at the most", response: wire.Stack{},
		query: []parameter{
			{name: "path", doc: "the path of the child", required: true}, {name: "id", doc: "its id; without one, the present child of a declared spec"},
		},
		do: (*Handler).stack,
	},
	{
		method: "GET", path: "limits", summary: "The limits of a supervisor, its gates included", response: wire.LimitList{},
		query: []parameter{pathParameter}, do: (*Handler).limits,
	},
	{
		method: "GET", path: "limits/all", summary: "The limits of a supervisor and of all below it", response: wire.AllLimits{},
		query: []parameter{anyPath}, do: (*Handler).allLimits,
	},
	{
		method: "POST", path: "limits/preview", summary: "What a change of a limit would do", request: wire.LimitChange{}, response: wire.Preview{},
		do: (*Handler).preview,
	},
	{
		method: "POST", path: "limits", summary: "Change a limit", request: wire.LimitChange{}, response: wire.Entry{}, change: true,
		do: (*Handler).setLimit,
	},
	{
		method: "POST", path: "limits/undo", summary: "Put back the value that a change has replaced", request: wire.UndoRequest{}, response: wire.Entry{}, change: true,
		do: (*Handler).undo,
	},
	{
		method: "POST", path: "terminate", summary: "Stop a child, or all children of a key", request: wire.TerminateRequest{}, response: wire.Entry{}, change: true,
		do: (*Handler).terminate,
	},
	{
		method: "GET", path: "audit", summary: "The changes, the newest first", response: wire.AuditPage{},
		query: []parameter{
			anyPath, {name: "before", doc: "go on before this id"}, {name: "limit", doc: "at most so many; 1 to 1000, by default 100", number: true},
		},
		do: (*Handler).auditPage,
	},
}

//go:embed openapi.json
var openAPI []byte

func (h *Handler) route() {
	for _, o := range operations {
		pattern := o.method + " " + apiPrefix + o.path
		if o.stream {
			h.mux.HandleFunc(pattern, h.stream)
			continue
		}
		h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.operate(w, r, &o) })
	}
	h.mux.HandleFunc("GET "+apiPrefix+"openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI)
	})
	h.mux.HandleFunc(apiPrefix, func(w http.ResponseWriter, r *http.Request) {
		for _, o := range operations {
			if r.URL.Path == apiPrefix+o.path {
				w.Header().Add("Allow", o.method)
			}
		}
		if w.Header().Get("Allow") != "" {
			problem{Status: http.StatusMethodNotAllowed, Code: "method", Detail: "the method is not one of this address"}.write(w)
			return
		}
		notFound("there is nothing at this address; api/v1/openapi.json lists what there is").write(w)
	})
	h.routePage()
}

func isStream(r *http.Request) bool { return r.URL.Path == apiPrefix+"events" }

// A call is one request to the API.
type call struct {
	*http.Request
	visitor
}

type visitorKey struct{}

func withVisitor(ctx context.Context, v visitor) context.Context {
	return context.WithValue(ctx, visitorKey{}, v)
}

func (h *Handler) operate(w http.ResponseWriter, r *http.Request, o *operation) {
	if o.change && !h.cfg.changes {
		problem{Status: http.StatusForbidden, Code: "read-only", Detail: "the program does not allow changes here"}.write(w)
		return
	}
	c := &call{Request: r}
	c.visitor, _ = r.Context().Value(visitorKey{}).(visitor)
	for _, q := range o.query {
		if q.required && r.URL.Query().Get(q.name) == "" {
			badRequest(q.name, "is missing: "+q.doc).write(w)
			return
		}
	}
	answer, p := o.do(h, c)
	if p != nil {
		p.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// number reads a parameter between low and high.
func (c *call) number(name string, low, high, def int) (int, *problem) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, badRequest(name, fmt.Sprintf("%s is not a whole number between %d and %d", shown(text), low, high))
	}
	return n, nil
}

func (c *call) id(name string) (uint64, *problem) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, badRequest(name, shown(text)+" is not an id")
	}
	return id, nil
}

// shown is what a request says, in an answer.
func shown(text string) string { return strconv.QuoteToGraphic(plain.Cut(text, maxWhy)) }

// body reads the request into v.
func (c *call) body(v any) *problem {
	if kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &problem{Status: http.StatusUnsupportedMediaType, Code: "media-type", Detail: "the body must be application/json"}
	}
	d := json.NewDecoder(c.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: fmt.Sprintf("the body has more than %d bytes", tooLarge.Limit)}
	}
	if err != nil {
		return badRequest("", "the body cannot be read: "+plain.Cut(err.Error(), maxWhy))
	}
	return nil
}

// find gives the supervisor at a path.
func (h *Handler) find(path string) (headcount.Node, *problem) {
	if n, ok := h.root.Find(path); ok {
		return n, nil
	}
	return nil, notFound("there is no supervisor at " + shown(path))
}

func (h *Handler) snapshot() wire.Snapshot {
	s := h.watch.now()
	s.Changes = h.cfg.changes
	return s
}

func (h *Handler) rowAt(path string) (wire.Row, bool) {
	for _, r := range h.watch.now().Rows {
		if r.Path == path {
			return r, true
		}
	}
	return wire.Row{}, false
}

func (h *Handler) node(c *call) (any, *problem) {
	d, p := h.detail(c.URL.Query().Get("path"))
	if p != nil {
		return nil, p
	}
	return d, nil
}

func (h *Handler) detail(path string) (wire.Detail, *problem) {
	n, p := h.find(path)
	if p != nil {
		return wire.Detail{}, p
	}
	r, ok := h.rowAt(n.Path())
	if !ok { // it has come since the last look
		h.watch.look(time.Now())
		r, ok = h.rowAt(n.Path())
	}
	if !ok {
		return wire.Detail{}, notFound("the supervisor has just come or gone")
	}
	t := n.Tree()
	_, keyed := n.(keyedNode)
	d := wire.Detail{
		Row: r, Since: t.Since, Queue: t.Queue, Reserve: t.Reserve, Bytes: t.Counts.Bytes, MaxBytes: t.Counts.MaxBytes,
		Started: t.Counts.Started, Restarts: t.Counts.Restarts, Refused: t.Counts.Refused.Total(), Exits: wire.Exits(t.Counts.Exits), Keyed: keyed,
		Limits: viewLimits(&t), Sources: viewSources(t.LimitSources),
	}
	return d, nil
}

// A keyedNode is a keyed supervisor with keys of any type.
type keyedNode interface {
	headcount.Node
	TopShown(n int) []headcount.KeyCount[string]
}

// A listedNode is a supervisor whose children come and go.
type listedNode interface {
	headcount.Node
	Children(headcount.Query) ([]headcount.ChildInfo, uint64)
	Terminate(ctx context.Context, id uint64) error
}

func (h *Handler) children(c *call) (any, *problem) {
	q := c.URL.Query()
	n, p := h.find(q.Get("path"))
	if p != nil {
		return nil, p
	}
	limit, p := c.number("limit", 1, 1000, 100)
	if p != nil {
		return nil, p
	}
	after, p := c.id("after")
	if p != nil {
		return nil, p
	}
	page := wire.ChildPage{Path: n.Path(), Children: []wire.Child{}}
	match := childFilter(q.Get("filter"))
	listed, ok := n.(listedNode)
	if !ok { // its children are declared, and few
		t := n.Tree()
		for _, w := range t.Workers {
			if match == nil || match(w) {
				page.Children = append(page.Children, viewChild(w))
			}
		}
		return page, nil
	}
	infos, next := listed.Children(headcount.Query{After: after, Limit: limit, Match: match})
	for _, i := range infos {
		page.Children = append(page.Children, viewChild(i))
	}
	page.Next = next
	return page, nil
}

func childFilter(text string) func(headcount.ChildInfo) bool {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return nil
	}
	return func(i headcount.ChildInfo) bool {
		for _, w := range words {
			if state, ok := strings.CutPrefix(w, "state:"); ok {
				if string(i.State) != state {
					return false
				}
				continue
			}
			if !strings.Contains(strings.ToLower(i.Name), w) && !strings.Contains(strings.ToLower(i.Key), w) && strconv.FormatUint(i.ID, 10) != w {
				return false
			}
		}
		return true
	}
}

func (h *Handler) keys(c *call) (any, *problem) {
	n, p := h.find(c.URL.Query().Get("path"))
	if p != nil {
		return nil, p
	}
	limit, p := c.number("limit", 1, 1000, 20)
	if p != nil {
		return nil, p
	}
	keyed, ok := n.(keyedNode)
	if !ok {
		return nil, badRequest("path", "is not that of a keyed supervisor")
	}
	t := wire.TopKeys{Path: n.Path(), Keys: []wire.KeyCount{}}
	for _, k := range keyed.TopShown(limit) {
		t.Keys = append(t.Keys, wire.KeyCount{Key: plain.Shown(k.Name), Count: k.Count})
	}
	return t, nil
}

func (h *Handler) history(c *call) (any, *problem) {
	n, p := h.find(c.URL.Query().Get("path"))
	if p != nil {
		return nil, p
	}
	points, ok := h.watch.historyOf(n.Path())
	if points == nil {
		points = []wire.Point{}
	}
	return wire.PastHour{Path: n.Path(), Step: int(historyStep.Seconds()), Kept: ok, Points: points}, nil
}

func (h *Handler) log(c *call) (any, *problem) {
	limit, p := c.number("limit", 1, 1000, 100)
	if p != nil {
		return nil, p
	}
	path := cmp.Or(c.URL.Query().Get("path"), h.root.Path())
	return wire.EventPage{Events: h.watch.eventsAt(path, limit)}, nil
}

func (h *Handler) auditPage(c *call) (any, *problem) {
	limit, p := c.number("limit", 1, 1000, 100)
	if p != nil {
		return nil, p
	}
	before, p := c.id("before")
	if p != nil {
		return nil, p
	}
	entries, next := h.audit.page(c.URL.Query().Get("path"), before, limit)
	return wire.AuditPage{Entries: entries, Next: next}, nil
}

// below reports whether path is a place below that of a supervisor.
func below(path, supervisor string) bool {
	rest, ok := strings.CutPrefix(path, supervisor)
	return ok && strings.HasPrefix(rest, "/")
}
