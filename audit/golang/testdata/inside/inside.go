// Package main works for itself: HC105, HC106 and HC107.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

type crawler struct {
	mu    sync.Mutex
	peers map[string]string
	tasks chan string
}

func (c *crawler) poll(ctx context.Context) {}

func (c *crawler) tell(peer string) {}

// Nobody waits, and the map grows.
func (c *crawler) broadcast() {
	for _, p := range c.peers {
		go c.tell(p) // want HC105 low
	}
}

func (c *crawler) broadcastJoined() {
	var wg sync.WaitGroup
	for _, p := range c.peers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.tell(p)
		}()
	}
	wg.Wait()
}

func (c *crawler) broadcastLimited() error {
	var g errgroup.Group
	g.SetLimit(4)
	for _, p := range c.peers {
		g.Go(func() error { c.tell(p); return nil })
	}
	return g.Wait()
}

// A poll that takes longer than its period piles up.
func (c *crawler) every(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			go c.poll(ctx) // want HC106 medium
		case <-ctx.Done():
			return
		}
	}
}

func (c *crawler) rangeTicks(ctx context.Context, t *time.Ticker) {
	for range t.C {
		go c.poll(ctx) // want HC106 medium
	}
}

func (c *crawler) sleeping(ctx context.Context) {
	for {
		time.Sleep(time.Minute)
		go c.poll(ctx) // want HC106 medium
	}
}

// With a time of its own few overlap.
func (c *crawler) probe(ctx context.Context, t *time.Ticker) {
	for range t.C {
		go func() { // want HC106 low
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			c.poll(ctx)
		}()
	}
}

// The next round begins when this one has ended, or there is none.
func (c *crawler) oneByOne(ctx context.Context) {
	for task := range c.tasks {
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.tell(task)
		}()
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}

func (c *crawler) inTurn(ctx context.Context, t *time.Ticker) {
	for range t.C {
		c.poll(ctx)
	}
}

// After a signal everything is over.
func (c *crawler) untilSignal(ctx context.Context, stop chan os.Signal) {
	for {
		select {
		case <-stop:
			go c.poll(ctx)
			return
		case <-ctx.Done():
			return
		}
	}
}

func (c *crawler) fed() {
	for task := range c.tasks {
		go c.tell(task) // want HC106 low
	}
}

// Each directory starts one for each of its own.
func (c *crawler) walk(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			go c.walk(filepath.Join(dir, e.Name())) // want HC107 medium
		}
	}
}

// The length of a table, a file or an archive is no limit.
func (c *crawler) rows(rows *sql.Rows) {
	for rows.Next() {
		go c.tell("row") // want HC105 medium
	}
}

func (c *crawler) lines(f *os.File) {
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		go c.tell(sc.Text()) // want HC105 medium
	}
}

func (c *crawler) records(r *csv.Reader) error {
	for {
		record, err := r.Read()
		if err != nil {
			return err
		}
		go c.tell(record[0]) // want HC105 medium
	}
}

// Waiting for all of them after the loop lets all of them run at once.
func (c *crawler) rowsJoined(rows *sql.Rows) {
	var wg sync.WaitGroup
	for rows.Next() {
		wg.Add(1)
		go func() { // want HC105 low
			defer wg.Done()
			c.tell("row")
		}()
	}
	wg.Wait()
}

func (c *crawler) rowsLimited(rows *sql.Rows) {
	slots := make(chan struct{}, 8)
	for rows.Next() {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			c.tell("row")
		}()
	}
}

// All is read before the one is started.
func (c *crawler) readFirst(ctx context.Context, sc *bufio.Scanner) {
	n := 0
	for sc.Scan() {
		n++
	}
	go c.poll(ctx)
}

func (c *crawler) firstLine(sc *bufio.Scanner) {
	for sc.Scan() {
		if sc.Text() != "" {
			go c.tell(sc.Text())
			return
		}
	}
}

func main() {
	c := &crawler{}
	for i := 0; i < 4; i++ {
		go c.poll(context.Background())
	}
	c.broadcast()
	c.fed()
	c.walk(".")
}
