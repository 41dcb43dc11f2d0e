module example.com/queues

go 1.26.0

require github.com/nats-io/nats.go v0.0.0

replace github.com/nats-io/nats.go => ../stubs/nats

require github.com/IBM/sarama v0.0.0

replace github.com/IBM/sarama => ../stubs/sarama

require github.com/segmentio/kafka-go v0.0.0

replace github.com/segmentio/kafka-go => ../stubs/kafka

require github.com/twmb/franz-go v0.0.0

replace github.com/twmb/franz-go => ../stubs/kgo

require github.com/rabbitmq/amqp091-go v0.0.0

replace github.com/rabbitmq/amqp091-go => ../stubs/amqp

require golang.org/x/sync v0.0.0

replace golang.org/x/sync => ../stubs/sync
