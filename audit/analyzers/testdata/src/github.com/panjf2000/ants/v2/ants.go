package ants

import "math"

const DefaultAntsPoolSize = math.MaxInt32

type Option func()

type Pool struct{}

func NewPool(size int, options ...Option) (*Pool, error)                       { return nil, nil }
func NewPoolWithFunc(size int, pf func(any), options ...Option) (*Pool, error) { return nil, nil }
func NewMultiPool(size, sizePerPool int, lbs int, o ...Option) (*Pool, error)  { return nil, nil }
func Submit(task func()) error                                                 { return nil }
func (p *Pool) Submit(task func()) error                                       { return nil }
