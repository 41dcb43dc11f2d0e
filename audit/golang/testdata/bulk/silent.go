package main

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/headcount-go/headcount"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const mostProducts = 100

type limits struct {
	shop    *shop
	sem     chan struct{}
	weights *semaphore.Weighted
	jobs    *headcount.DynamicSupervisor
	users   *headcount.KeyedSupervisor[string]
	ants    *ants.Pool
	tokens  chan int
	workers int

	mu      sync.Mutex
	running map[string]bool
	most    int
}

func limited(s *shop, e *gin.Engine) {
	l := &limits{
		shop: s, sem: make(chan struct{}, 16), weights: semaphore.NewWeighted(16), tokens: make(chan int, 16),
		jobs:  headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(16)),
		users: headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000), headcount.MaxPerKey(4)),
		most:  64,
	}
	l.ants, _ = ants.NewPool(16)
	for i := range cap(l.tokens) {
		l.tokens <- i
	}
	for i := 0; i < runtime.NumCPU(); i++ {
		go l.shop.worker(i)
	}
	for i := 0; i < l.workers; i++ {
		go l.shop.worker(i)
	}
	for _, name := range []string{"mail", "search", "billing"} {
		go l.shop.refresh(name)
	}
	http.HandleFunc("/semaphore", l.semaphore)
	http.HandleFunc("/select", l.selected)
	http.HandleFunc("/weighted", l.weighted)
	http.HandleFunc("/try", l.try)
	http.HandleFunc("/wrapped", l.wrapped)
	http.HandleFunc("/group", l.group)
	http.HandleFunc("/pool", l.pool)
	http.HandleFunc("/children", l.children)
	http.HandleFunc("/ants", l.submit)
	http.HandleFunc("/checked", l.checked)
	http.HandleFunc("/cut", l.cut)
	http.HandleFunc("/above", l.above)
	http.HandleFunc("/tokens", l.taken)
	http.HandleFunc("/one", l.one)
	http.HandleFunc("/counted", l.counted)
	http.HandleFunc("/sequence", l.inTurn)
	http.HandleFunc("/batches", l.batches)
	http.HandleFunc("/few", l.few)
}

func body(r *http.Request) (b batch) {
	json.NewDecoder(r.Body).Decode(&b)
	return b
}

func (l *limits) semaphore(w http.ResponseWriter, r *http.Request) {
	for _, p := range body(r).Products {
		l.sem <- struct{}{}
		go func() {
			defer func() { <-l.sem }()
			l.shop.store.put(r.Context(), p)
		}()
	}
}

func (l *limits) selected(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		select {
		case l.sem <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		go func() {
			defer func() { <-l.sem }()
			l.shop.refresh(tag)
		}()
	}
}

func (l *limits) weighted(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		if err := l.weights.Acquire(r.Context(), 1); err != nil {
			return
		}
		go func() {
			defer l.weights.Release(1)
			l.shop.refresh(tag)
		}()
	}
}

func (l *limits) try(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		if !l.weights.TryAcquire(1) {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		go func() {
			defer l.weights.Release(1)
			l.shop.refresh(tag)
		}()
	}
}

func (l *limits) acquire(ctx context.Context) bool {
	select {
	case l.sem <- struct{}{}:
		return true
	default:
		return false
	}
}

func (l *limits) wrapped(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		if !l.acquire(r.Context()) {
			return
		}
		go func() {
			defer func() { <-l.sem }()
			l.shop.refresh(tag)
		}()
	}
}

func (l *limits) group(w http.ResponseWriter, r *http.Request) {
	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(8)
	for _, p := range body(r).Products {
		g.Go(func() error { return l.shop.store.put(ctx, p) })
	}
	g.Wait()
}

func (l *limits) pool(w http.ResponseWriter, r *http.Request) {
	p := pool.New().WithMaxGoroutines(8)
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		p.Go(func() { l.shop.refresh(tag) })
	}
	p.Wait()
}

func (l *limits) children(w http.ResponseWriter, r *http.Request) {
	for _, p := range body(r).Products {
		if _, err := l.jobs.Go(r.Context(), func(ctx context.Context) error { return l.shop.store.put(ctx, p) }); err != nil {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
	}
}

func (l *limits) submit(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		l.ants.Submit(func() { l.shop.refresh(tag) })
	}
}

func (l *limits) checked(w http.ResponseWriter, r *http.Request) {
	var b batch
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b.Products) > mostProducts {
		http.Error(w, "too many", http.StatusRequestEntityTooLarge)
		return
	}
	var wg sync.WaitGroup
	for _, p := range b.Products {
		wg.Add(1)
		go func() {
			defer wg.Done()
			l.shop.store.put(r.Context(), p)
		}()
	}
	wg.Wait()
}

func (l *limits) cut(w http.ResponseWriter, r *http.Request) {
	var b batch
	if json.NewDecoder(r.Body).Decode(&b) != nil {
		return
	}
	var wg sync.WaitGroup
	for i := 0; i < min(b.Workers, 8); i++ {
		wg.Go(func() { l.shop.worker(i) })
	}
	n := b.Workers
	if n > runtime.NumCPU() {
		n = runtime.NumCPU()
	}
	for i := 0; i < n; i++ {
		wg.Go(func() { l.shop.worker(i) })
	}
	wg.Wait()
}

// The place is taken one call above.
func (l *limits) above(w http.ResponseWriter, r *http.Request) {
	if err := l.weights.Acquire(r.Context(), 1); err != nil {
		return
	}
	l.start(r.FormValue("tag"))
}

func (l *limits) start(tag string) {
	go func() {
		defer l.weights.Release(1)
		l.shop.refresh(tag)
	}()
}

func (l *limits) taken(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		t := <-l.tokens
		go func() {
			l.shop.refresh(tag)
			l.tokens <- t
		}()
	}
}

func (l *limits) one(w http.ResponseWriter, r *http.Request) {
	t := <-l.tokens
	go func() {
		l.shop.refresh("one")
		l.tokens <- t
	}()
}

func (l *limits) counted(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		l.mu.Lock()
		if l.most > 0 && len(l.running) >= l.most {
			l.mu.Unlock()
			break
		}
		l.running[tag] = true
		l.mu.Unlock()
		go func() {
			l.shop.refresh(tag)
			l.mu.Lock()
			delete(l.running, tag)
			l.mu.Unlock()
		}()
	}
}

// One after another: each is waited for before the next.
func (l *limits) inTurn(w http.ResponseWriter, r *http.Request) {
	for _, tag := range strings.Fields(r.FormValue("tags")) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.shop.refresh(tag)
		}()
		<-done
	}
}

// Eight at a time, joined in each round.
func (l *limits) batches(w http.ResponseWriter, r *http.Request) {
	products := body(r).Products
	for len(products) > 0 {
		part := products[:min(len(products), 8)]
		products = products[len(part):]
		var wg sync.WaitGroup
		for _, p := range part {
			wg.Go(func() { l.shop.store.put(r.Context(), p) })
		}
		wg.Wait()
	}
}

func (l *limits) few(w http.ResponseWriter, r *http.Request) {
	var wg sync.WaitGroup
	for _, part := range [...]string{"head", "body", "foot"} {
		wg.Go(func() { l.shop.refresh(part) })
	}
	wg.Wait()
}
