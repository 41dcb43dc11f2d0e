// Package main imports products in bulk: what HC101 has to find.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

type product struct{ ID, Name string }

type batch struct {
	Products []product
	Workers  int
}

type shop struct {
	store   *store
	imports chan product
}

type store struct{}

func (s *store) put(ctx context.Context, p product) error              { return nil }
func (s *store) search(ctx context.Context, words string) []product    { return nil }
func (s *store) expensive(ctx context.Context, min int) ([]int, error) { return nil, nil }

// A decoded body, joined or not, decides how many.
func (s *shop) importBatch(w http.ResponseWriter, r *http.Request) {
	var b batch
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var wg sync.WaitGroup
	for _, p := range b.Products {
		wg.Add(1)
		go func() { // want HC101 high
			defer wg.Done()
			s.store.put(r.Context(), p)
		}()
	}
	wg.Wait()
}

// The client says how many workers it would like.
func (s *shop) rebuild(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("workers"))
	if err != nil {
		http.Error(w, "workers", http.StatusBadRequest)
		return
	}
	for i := 0; i < n; i++ {
		go s.worker(i) // want HC101 high
	}
}

func (s *shop) worker(i int) {}

// The loop is in a function below the handler.
func (s *shop) tags(w http.ResponseWriter, r *http.Request) {
	s.refreshAll(strings.Split(r.FormValue("tags"), ","))
}

func (s *shop) refreshAll(tags []string) {
	for _, tag := range tags {
		go s.refresh(tag) // want HC101 high
	}
}

func (s *shop) refresh(tag string) {}

// What is found for a search may be short.
func (s *shop) warm(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.store.search(r.Context(), r.FormValue("q")) {
		go s.refresh(p.ID) // want HC101 low
	}
}

// A function of the program makes the list out of the request.
func (s *shop) restock(w http.ResponseWriter, r *http.Request) {
	for _, p := range body(r).Products {
		go s.refresh(p.ID) // want HC101 medium
	}
}

// sync.WaitGroup.Go is a go statement by another name.
func (s *shop) checkAll(c *gin.Context) {
	var b batch
	if err := c.ShouldBindJSON(&b); err != nil {
		c.Status(400)
		return
	}
	var wg sync.WaitGroup
	for i := range b.Products {
		wg.Go(func() { s.refresh(b.Products[i].ID) }) // want HC101 high
	}
	wg.Wait()
}

// A group without a limit is none.
func (s *shop) fetchAll(c *gin.Context) {
	var ids []string
	if err := c.ShouldBindJSON(&ids); err != nil {
		return
	}
	var g errgroup.Group
	for _, id := range ids {
		g.Go(func() error { s.refresh(id); return nil }) // want HC101 high
	}
	g.Wait()
}

// A pool without a limit is none either.
func (s *shop) pooled(c *gin.Context) {
	var ids []string
	if err := c.ShouldBindJSON(&ids); err != nil {
		return
	}
	p := pool.New()
	for _, id := range ids {
		p.Go(func() { s.refresh(id) }) // want HC101 high
	}
	p.Wait()
}

// A semaphore that the goroutine takes does not limit goroutines.
func (s *shop) tooLate(w http.ResponseWriter, r *http.Request) {
	var b batch
	if json.NewDecoder(r.Body).Decode(&b) != nil {
		return
	}
	sem := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for _, p := range b.Products {
		wg.Add(1)
		go func() { // want HC101 high
			defer wg.Done()
			sem <- struct{}{}
			defer func() { <-sem }()
			s.store.put(r.Context(), p)
		}()
	}
	wg.Wait()
}

// A channel that handlers feed goes round as often as they send.
func (s *shop) enqueue(w http.ResponseWriter, r *http.Request) {
	s.imports <- product{ID: r.FormValue("id")}
}

func (s *shop) run(ctx context.Context) {
	for p := range s.imports {
		go s.store.put(ctx, p) // want HC101 medium
	}
}

// One path takes a place, the other does not.
func (s *shop) sometimes(w http.ResponseWriter, r *http.Request) {
	sem := make(chan struct{}, 8)
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		if r.Method == http.MethodPost {
			sem <- struct{}{}
		}
		go func() { // want HC101 high
			s.refresh(tag)
			<-sem
		}()
	}
}

// The lines of a body are as many as the client sends, however few bytes a line has.
func (s *shop) lines(w http.ResponseWriter, r *http.Request) {
	sc := bufio.NewScanner(http.MaxBytesReader(w, r.Body, 1<<20))
	for sc.Scan() {
		go s.refresh(sc.Text()) // want HC101 high
	}
}

func main() {
	s := &shop{store: &store{}, imports: make(chan product, 100)}
	go s.run(context.Background())
	http.HandleFunc("POST /batch", s.importBatch)
	http.HandleFunc("/rebuild", s.rebuild)
	http.HandleFunc("/tags", s.tags)
	http.HandleFunc("/warm", s.warm)
	http.HandleFunc("/restock", s.restock)
	http.HandleFunc("/late", s.tooLate)
	http.HandleFunc("/enqueue", s.enqueue)
	http.HandleFunc("/sometimes", s.sometimes)
	http.HandleFunc("/lines", s.lines)
	e := gin.Default()
	e.POST("/check", s.checkAll)
	e.POST("/fetch", s.fetchAll)
	e.POST("/pooled", s.pooled)
	limited(s, e)
}
