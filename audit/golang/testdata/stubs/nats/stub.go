// Package nats stands for github.com/nats-io/nats.go.
package nats

type Msg struct{ Data []byte }

type MsgHandler func(msg *Msg)

type Subscription struct{}

func (s *Subscription) NextMsg(wait int) (*Msg, error) { return nil, nil }

type Conn struct{}

func Connect(url string) (*Conn, error) { return &Conn{}, nil }

func (c *Conn) Subscribe(subject string, cb MsgHandler) (*Subscription, error) { return nil, nil }
