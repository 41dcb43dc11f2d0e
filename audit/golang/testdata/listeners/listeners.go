// Package main accepts connections: HC104.
package main

import (
	"context"
	"log"
	"net"
	"sync"

	"github.com/headcount-go/headcount"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/semaphore"
)

type server struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	most  int
	wg    sync.WaitGroup
	l     net.Listener
	sem   *semaphore.Weighted
	kids  *headcount.DynamicSupervisor
	slots chan struct{}
}

func (s *server) handle(c net.Conn) { defer c.Close() }

func (s *server) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go s.handle(c) // want HC104 high
	}
}

// Counting for the end is no limit.
func (s *server) serveCounted(l *net.TCPListener) error {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			log.Print(err)
			continue
		}
		s.wg.Add(1)
		go func() { // want HC104 high
			defer s.wg.Done()
			s.handle(c)
		}()
	}
}

// The start is in a function that the loop calls.
func (s *server) serveBelow(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.take(c)
	}
}

func (s *server) take(c net.Conn) {
	go s.handle(c) // want HC104 medium
}

// The goroutine is there before anybody counts.
func (s *server) serveLate(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.admit(c) // want HC104 medium
	}
}

func (s *server) admit(c net.Conn) {
	s.mu.Lock()
	if len(s.conns) >= s.most {
		s.mu.Unlock()
		c.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	s.handle(c)
}

func (s *server) serveLimited(inner net.Listener) {
	l := netutil.LimitListener(inner, 1000)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.handle(c)
	}
}

func (s *server) open() (err error) {
	l, err := net.Listen("tcp", ":7000")
	if err != nil {
		return err
	}
	s.l = netutil.LimitListener(l, 1000)
	return nil
}

func (s *server) serveField() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		go s.handle(c)
	}
}

func (s *server) serveFull(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		full := len(s.conns) >= s.most
		s.mu.Unlock()
		if full {
			c.Close()
			continue
		}
		go s.handle(c)
	}
}

func (s *server) serveAcquired(l net.Listener) {
	for {
		if err := s.sem.Acquire(context.Background(), 1); err != nil {
			return
		}
		c, err := l.Accept()
		if err != nil {
			s.sem.Release(1)
			return
		}
		go func() {
			defer s.sem.Release(1)
			s.handle(c)
		}()
	}
}

// Without a number in the configuration there is no semaphore.
func (s *server) serveConfigured(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if s.slots == nil {
			go s.handle(c)
			continue
		}
		select {
		case s.slots <- struct{}{}:
			go func() {
				defer func() { <-s.slots }()
				s.handle(c)
			}()
		default:
			c.Close()
		}
	}
}

func (s *server) configure(most int) {
	var slots chan struct{}
	if most > 0 {
		slots = make(chan struct{}, most)
	}
	s.slots = slots
}

func (s *server) serveChildren(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if _, err := s.kids.Go(context.Background(), func(context.Context) error { s.handle(c); return nil }); err != nil {
			c.Close()
		}
	}
}

// One after another.
func (s *server) serveInTurn(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.handle(c)
	}
}

// One connection, and then no more.
func (s *server) serveOne(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		go s.handle(c)
		return
	}
}

func main() {
	s := &server{conns: map[net.Conn]struct{}{}, most: 100, sem: semaphore.NewWeighted(100)}
	l, err := net.Listen("tcp", ":7001")
	if err != nil {
		log.Fatal(err)
	}
	go s.serve(l)
	s.open()
	s.serveField()
}
