// Package sarama stands for github.com/IBM/sarama.
package sarama

type ConsumerMessage struct{ Value []byte }

type ConsumerGroupSession interface {
	MarkMessage(m *ConsumerMessage, meta string)
}

type ConsumerGroupClaim interface {
	Messages() <-chan *ConsumerMessage
}
