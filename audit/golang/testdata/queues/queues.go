// Package main works off messages: HC103.
package main

import (
	"bufio"
	"context"
	"net"
	"sync"

	"github.com/IBM/sarama"
	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"
)

type worker struct {
	sem  *semaphore.Weighted
	kill chan struct{}
}

func (w *worker) work(p []byte) {}

// Without the go statement NATS would wait for the callback.
func (w *worker) subscribe(c *nats.Conn) {
	c.Subscribe("orders", func(m *nats.Msg) {
		go w.work(m.Data) // want HC103 high
	})
	c.Subscribe("refunds", w.refund)
	c.Subscribe("quiet", func(m *nats.Msg) {
		w.work(m.Data)
	})
	c.Subscribe("limited", func(m *nats.Msg) {
		if w.sem.Acquire(context.Background(), 1) != nil {
			return
		}
		go func() {
			defer w.sem.Release(1)
			w.work(m.Data)
		}()
	})
}

func (w *worker) refund(m *nats.Msg) {
	w.later(m.Data)
}

func (w *worker) later(p []byte) {
	go w.work(p) // want HC103 high
}

func (w *worker) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		go w.work(m.Value) // want HC103 high
	}
	return nil
}

func (w *worker) kafka(ctx context.Context, r *kafka.Reader) {
	for {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return
		}
		go func() { // want HC103 high
			w.work(m.Value)
		}()
	}
}

func (w *worker) limitedKafka(ctx context.Context, r *kafka.Reader) {
	slots := make(chan bool, 10)
	for {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return
		}
		slots <- true
		go func() {
			defer func() { <-slots }()
			w.work(m.Value)
		}()
	}
}

func (w *worker) franz(ctx context.Context, c *kgo.Client) {
	for {
		fetches := c.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) {
			go w.work(r.Value) // want HC103 high
		})
	}
}

// A fetch is worked off before the next.
func (w *worker) joinedFranz(ctx context.Context, c *kgo.Client) {
	for {
		fetches := c.PollFetches(ctx)
		var wg sync.WaitGroup
		wg.Go(func() { w.both(fetches) })
		wg.Wait()
	}
}

func (w *worker) both(f kgo.Fetches) {}

func (w *worker) amqp(ch *amqp.Channel) {
	deliveries, err := ch.Consume("orders")
	if err != nil {
		return
	}
	for d := range deliveries {
		go w.work(d.Body) // want HC103 high
	}
}

func (w *worker) amqpWithStop(ch *amqp.Channel) {
	deliveries, err := ch.Consume("orders")
	if err != nil {
		return
	}
	for {
		select {
		case d := <-deliveries:
			go w.work(d.Body) // want HC103 high
		case <-w.kill:
			return
		}
	}
}

// A fixed number of workers takes from one channel.
func (w *worker) fixed(ch *amqp.Channel) {
	deliveries, err := ch.Consume("orders")
	if err != nil {
		return
	}
	for range 8 {
		go func() {
			for d := range deliveries {
				w.work(d.Body)
			}
		}()
	}
}

func (w *worker) datagrams(c *net.UDPConn) {
	buf := make([]byte, 1500)
	for {
		n, _, err := c.ReadFromUDP(buf)
		if err != nil {
			return
		}
		go w.work(append([]byte(nil), buf[:n]...)) // want HC103 high
	}
}

func (w *worker) lines(c net.Conn) {
	s := bufio.NewScanner(c)
	for s.Scan() {
		line := s.Text()
		go w.work([]byte(line)) // want HC103 medium
	}
}

// The reader runs beside the loop that it feeds, one for each connection.
func (w *worker) reading(c net.Conn) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(c)
		for s.Scan() {
			lines <- s.Text()
		}
	}()
	for l := range lines {
		w.work([]byte(l))
	}
}

func main() {
	w := &worker{sem: semaphore.NewWeighted(8)}
	c, err := nats.Connect("nats://localhost")
	if err != nil {
		return
	}
	w.subscribe(c)
}
