package pond

type Option func()

func WithQueueSize(size int) Option { return nil }

type Pool interface{ Submit(task func()) }

type ResultPool[R any] interface{ Submit(task func() R) }

func NewPool(maxConcurrency int, options ...Option) Pool                       { return nil }
func NewResultPool[R any](maxConcurrency int, options ...Option) ResultPool[R] { return nil }
func Submit(task func())                                                       {}
