package websocket

import (
	"errors"
	"fmt"
	"math"
	"path"
	"time"

	"github.com/headcount-go/headcount"
)

// A Config holds the bounds of a connection. Zero in a field is its default; a negative value is an error.
type Config struct {
	// MaxMessage is the largest message that the peer may send, in bytes, after inflation. It is also held against what
	// a frame declares, so that a larger one is refused by its header. From 1 to 1<<30; 32 KiB by default.
	MaxMessage int
	// MessageWithin is how long a message may take from its first byte to its last. 30 s by default.
	MessageWithin time.Duration
	// MessageRate is how many messages the peer may send a second, on average. 100 by default.
	MessageRate float64
	// MessageBurst is how many messages may come at once: no more are delivered before the rate is looked at. The time
	// that a handler spends outside of Read counts for the peer, whose messages wait meanwhile: it may then have sent up
	// to four bursts more. Twice the rate by default.
	MessageBurst int
	// FrameRate is how many frames the peer may send a second: messages, their fragments, pings, pongs. Not below
	// MessageRate; ten times that by default.
	FrameRate float64
	// FrameBurst is how many frames may come at once. Not below MessageBurst; ten times that by default.
	FrameBurst int
	// IdleWithin is how long the handler waits in Read for a message. Pings and pongs are none. Zero is no bound.
	IdleWithin time.Duration

	// PingEvery is how long a peer may be silent before it is sent a ping. 30 s by default.
	PingEvery time.Duration
	// PongWithin is how long somebody must have waited in Read since that ping, without a byte from the peer, for it to
	// be taken for dead. 10 s by default.
	PongWithin time.Duration

	// SendQueue is how many messages may wait to be sent, not counting the one that is being written. 16 by default.
	SendQueue int
	// SendQueueBytes is how many bytes these may have together, and any one of them. 256 KiB by default.
	SendQueueBytes int
	// SlowConsumer is what Send does when the queue is full. By default the connection is closed.
	SlowConsumer SlowConsumer
	// ChargeQueue has what waits to be sent charged to the child by [headcount.Charge]; Send returns its refusal. Without
	// a child it does nothing. It costs two locks of the child's supervisor for each message.
	ChargeQueue bool
	// WriteWithin is how long the writing of one message to the socket may take. A pong has 5 s if that is less: so much
	// the library gives it. 10 s by default.
	WriteWithin time.Duration
	// CloseWithin is how long the end of a connection may take: what still waits is sent, then the close frame, then
	// the peer's answer is waited for. After that the connection is cut. 1 s by default.
	CloseWithin time.Duration

	// Subprotocols are those that are spoken, in the order of preference.
	Subprotocols []string
	// OriginPatterns are the hosts from whose pages a browser may connect, beside the host of the request itself:
	// patterns of [path.Match], with a scheme ("https://*.example.com") or without.
	OriginPatterns []string
	// Compression has messages compressed if the peer can do it (permessage-deflate, no context takeover). A message
	// then needs a 40 KiB reader or a 1.2 MiB writer while it is inflated or deflated. Off by default.
	Compression bool
}

// SlowConsumer says what happens to a connection whose peer reads more slowly than messages are sent.
type SlowConsumer uint8

const (
	// CloseSlow closes the connection, for [ReasonSlowConsumer]: a peer that cannot keep up comes back and starts afresh.
	CloseSlow SlowConsumer = iota
	// DropOldest makes room by dropping those that have waited longest, which [Conn.Dropped] counts.
	DropOldest
)

func (s SlowConsumer) String() string {
	switch s {
	case CloseSlow:
		return "close"
	case DropOldest:
		return "drop_oldest"
	}
	return fmt.Sprintf("SlowConsumer(%d)", uint8(s))
}

const mostMessage = 1 << 30

// Check tells what is wrong with c, each finding a [headcount.ConfigError], or nil.
func (c Config) Check() error {
	var found []error
	add := func(field string, value any, problem string) {
		found = append(found, &headcount.ConfigError{Path: "websocket", Field: "Config." + field, Value: value, Problem: problem})
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"MessageWithin", c.MessageWithin}, {"IdleWithin", c.IdleWithin}, {"PingEvery", c.PingEvery},
		{"PongWithin", c.PongWithin}, {"WriteWithin", c.WriteWithin}, {"CloseWithin", c.CloseWithin},
	} {
		if f.value < 0 {
			add(f.name, f.value, "is negative")
		}
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxMessage", c.MaxMessage}, {"MessageBurst", c.MessageBurst}, {"FrameBurst", c.FrameBurst},
		{"SendQueue", c.SendQueue}, {"SendQueueBytes", c.SendQueueBytes},
	} {
		if f.value < 0 {
			add(f.name, f.value, "is negative")
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"MessageRate", c.MessageRate}, {"FrameRate", c.FrameRate}} {
		if f.value < 0 || math.IsNaN(f.value) || math.IsInf(f.value, 0) {
			add(f.name, f.value, "is not a number of zero or more")
		}
	}
	if c.MaxMessage > mostMessage {
		add("MaxMessage", c.MaxMessage, fmt.Sprintf("is above %d", mostMessage))
	}
	if c.SlowConsumer > DropOldest {
		add("SlowConsumer", c.SlowConsumer, "is not a policy")
	}
	for _, p := range c.OriginPatterns {
		if _, err := path.Match(p, ""); err != nil {
			add("OriginPatterns", p, "is not a pattern")
		}
	}
	if len(found) > 0 {
		return errors.Join(found...)
	}

	d := c.withDefaults()
	if d.FrameRate < d.MessageRate {
		add("FrameRate", d.FrameRate, fmt.Sprintf("is below the MessageRate of %v: each message is a frame at least", d.MessageRate))
	}
	if d.FrameBurst < d.MessageBurst {
		add("FrameBurst", d.FrameBurst, fmt.Sprintf("is below the MessageBurst of %d: each message is a frame at least", d.MessageBurst))
	}
	return errors.Join(found...)
}

// withDefaults fills in the zeros of a Config that has no negative values.
func (c Config) withDefaults() Config {
	orDefault(&c.MaxMessage, 32<<10)
	orDefault(&c.MessageWithin, 30*time.Second)
	orDefault(&c.MessageRate, 100)
	orDefault(&c.MessageBurst, atLeastOne(2*c.MessageRate))
	orDefault(&c.FrameRate, 10*c.MessageRate)
	orDefault(&c.FrameBurst, atLeastOne(10*float64(c.MessageBurst)))
	orDefault(&c.PingEvery, 30*time.Second)
	orDefault(&c.PongWithin, 10*time.Second)
	orDefault(&c.SendQueue, 16)
	orDefault(&c.SendQueueBytes, 256<<10)
	orDefault(&c.WriteWithin, 10*time.Second)
	orDefault(&c.CloseWithin, time.Second)
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// atLeastOne makes a burst of a number that may be a fraction, or too large for an int on some machine.
func atLeastOne(f float64) int { return int(min(max(f, 1), math.MaxInt32)) }
