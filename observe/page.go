package observe

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
)

//go:embed assets
var assets embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"num":   func(n any) string { return number(n) },
	"ago":   func(t, now time.Time) string { return age(now.Sub(t)) },
	"stamp": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") },
	"kind":  func(s string) string { return strings.TrimSuffix(s, "_supervisor") },
}).ParseFS(assets, "assets/page.html"))

func number(n any) string {
	switch n := n.(type) {
	case int:
		return grouped(int64(n))
	case uint64:
		return grouped(int64(n))
	case limitValue:
		return n.String()
	}
	return fmt.Sprint(n)
}

// A use is how much of what limit is used, as the tree shows it.
type use struct {
	Count int
	Limit limitValue
}

// Use is that of the subtree where it has a limit, since the children of a supervisor with declared ones are as many as
// were declared.
func (r row) Use() use {
	if r.MaxDescendants != unlimited && r.Kind == headcount.SupervisorKind.String() {
		return use{r.Descendants, r.MaxDescendants}
	}
	return use{r.Children, r.Limit}
}

func (u use) Bounded() bool { return u.Limit != unlimited }

// Fill is how much of a meter 100 wide is filled.
func (u use) Fill() int {
	if u.Limit == 0 {
		return min(100, u.Count*100)
	}
	return min(100, u.Count*100/int(u.Limit))
}

// age is a time span in words that are short enough for a table.
func age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// pageData is what the page is rendered from.
type pageData struct {
	snapshot
	Filter  string
	Shown   []row
	More    int // rows that the first paint leaves out
	Node    *detail
	Missing string // a path that is asked for and not there
	Log     []happening
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
	d := pageData{snapshot: h.snapshot(), Filter: cutText(r.URL.Query().Get("filter"), maxName)}
	for _, row := range d.Rows {
		if matches(&row, d.Filter) {
			d.Shown = append(d.Shown, row)
		}
	}
	d.More = max(0, len(d.Shown)-firstRows)
	d.Shown = d.Shown[:len(d.Shown)-d.More]
	slices.Reverse(d.Events)
	if path := r.URL.Query().Get("node"); path != "" {
		node, p := h.detail(path)
		if p != nil {
			d.Missing = cutText(path, maxWhy)
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

// matches reports whether a row has all words of a filter: a part of its path, state: and a status, or unlimited. The
// script has the same rule.
func matches(r *row, filter string) bool {
	for _, word := range strings.Fields(strings.ToLower(filter)) {
		state, isState := strings.CutPrefix(word, "state:")
		switch {
		case isState && state == "full":
			if r.Status != statusFull && r.Status != statusRefusing && r.Status != statusAbove {
				return false
			}
		case isState && state == "problem":
			if r.Rank < ranks[statusAbove] {
				return false
			}
		case isState:
			if strings.ReplaceAll(string(r.Status), " ", "-") != state && r.State != state {
				return false
			}
		case word == unlimitedWord:
			if r.Limit != unlimited {
				return false
			}
		case !strings.Contains(strings.ToLower(r.Path), word):
			return false
		}
	}
	return true
}

// Where is where the value of a limit comes from, in words.
func (l limitView) Where() string {
	return cmp.Or(l.By, l.Source)
}
