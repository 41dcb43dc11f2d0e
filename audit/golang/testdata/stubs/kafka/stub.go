// Package kafka stands for github.com/segmentio/kafka-go.
package kafka

import "context"

type Message struct{ Value []byte }

type Reader struct{}

func (r *Reader) FetchMessage(ctx context.Context) (Message, error) { return Message{}, nil }
