// Package ants stands for github.com/panjf2000/ants/v2.
package ants

type Pool struct{}

func NewPool(size int) (*Pool, error) { return &Pool{}, nil }

func (p *Pool) Submit(task func()) error { return nil }
