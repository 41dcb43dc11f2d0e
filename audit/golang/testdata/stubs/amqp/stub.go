// Package amqp stands for github.com/rabbitmq/amqp091-go.
package amqp

type Delivery struct{ Body []byte }

type Channel struct{}

func (c *Channel) Consume(queue string) (<-chan Delivery, error) { return nil, nil }
