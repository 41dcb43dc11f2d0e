package observe

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

//go:embed assets
var assets embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"num":   func(n any) string { return number(n) },
	"ago":   func(t, now time.Time) string { return plain.Age(now.Sub(t)) },
	"stamp": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") },
	"kind":  func(s string) string { return strings.TrimSuffix(s, "_supervisor") },
}).ParseFS(assets, "assets/page.html"))

func number(n any) string {
	switch n := n.(type) {
	case int:
		return plain.Number(int64(n))
	case uint64:
		return plain.Number(int64(n))
	case wire.Value:
		return n.String()
	}
	return fmt.Sprint(n)
}

// pageData is what the page is rendered from.
type pageData struct {
	wire.Snapshot
	Filter  string
	Shown   []wire.Row
	More    int // rows that the first paint leaves out
	Node    *wire.Detail
	Missing string // a path that is asked for and not there
	Log     []wire.Event
}

// firstRows bounds the rows of the first paint. The script shows all.
const firstRows = 1000

func (h *Handler) routePage() {
	for file, kind := range map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		content, err := assets.ReadFile("assets/" + file)
		if err != nil {
			panic(err) // it is embedded
		}
		h.mux.HandleFunc("GET /"+file, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(content)
		})
	}
	h.mux.HandleFunc("GET /{$}", h.page)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		notFound("there is nothing at this address").write(w)
	})
}

// page renders the first paint: all that there is to see of the tree, without a script.
func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	d := pageData{Snapshot: h.snapshot(), Filter: plain.Cut(r.URL.Query().Get("filter"), maxName)}
	for _, row := range d.Rows {
		if row.Matches(d.Filter) {
			d.Shown = append(d.Shown, row)
		}
	}
	d.More = max(0, len(d.Shown)-firstRows)
	d.Shown = d.Shown[:len(d.Shown)-d.More]
	slices.Reverse(d.Events)
	if path := r.URL.Query().Get("node"); path != "" {
		node, p := h.detail(path)
		if p != nil {
			d.Missing = plain.Cut(path, maxWhy)
		} else {
			d.Node = &node
			d.Log = h.watch.eventsAt(node.Row.Path, 20)
		}
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, d); err != nil {
		h.cfg.logger.Error("observe: the page cannot be rendered", "err", err)
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "the page cannot be rendered; the log has the reason"}.write(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
