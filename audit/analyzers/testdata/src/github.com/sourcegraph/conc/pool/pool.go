package pool

type Pool struct{}

func New() *Pool                              { return nil }
func (p *Pool) Go(f func())                   {}
func (p *Pool) Wait()                         {}
func (p *Pool) WithMaxGoroutines(n int) *Pool { return p }
func (p *Pool) WithErrors() *ErrorPool        { return nil }

type ErrorPool struct{}

func (p *ErrorPool) Go(f func() error)                  {}
func (p *ErrorPool) WithMaxGoroutines(n int) *ErrorPool { return p }

type ResultPool[T any] struct{}

func NewWithResults[T any]() *ResultPool[T]                     { return nil }
func (p *ResultPool[T]) Go(f func() T)                          {}
func (p *ResultPool[T]) WithMaxGoroutines(n int) *ResultPool[T] { return p }
