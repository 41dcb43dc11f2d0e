package stream

type Callback func()

type Stream struct{}

func New() *Stream                                { return nil }
func (s *Stream) Go(f func() Callback)            {}
func (s *Stream) WithMaxGoroutines(n int) *Stream { return s }
