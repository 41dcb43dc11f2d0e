// Package headcount has the parts of Headcount that the rules know.
package headcount

import (
	"context"
	"math"
)

const Unlimited = math.MaxInt

type (
	ChildLimit      struct{}
	KeyLimit        struct{}
	DescendantLimit struct{}
	LimitOption     func()
	Option          interface{}
	Child           struct{}
	ChildSpec       struct{}
	Gate            struct{}
	Specifier       interface{ ChildSpec() ChildSpec }
)

func MaxChildren(n int, opts ...LimitOption) ChildLimit                        { return ChildLimit{} }
func MaxPerKey(n int, opts ...LimitOption) KeyLimit                            { return KeyLimit{} }
func MaxDescendants(n int, opts ...LimitOption) DescendantLimit                { return DescendantLimit{} }
func KeyShare(a float64) Option                                                { return nil }
func NewGate(name string, n int, enforce func(int), opts ...LimitOption) *Gate { return nil }

type node struct{}

func (n *node) Start(ctx context.Context) error { return nil }
func (n *node) Stop(ctx context.Context) error  { return nil }
func (n *node) ChildSpec() ChildSpec            { return ChildSpec{} }

type SupervisorConfig struct{}

type Supervisor struct{ node }

func NewSupervisor(name string, cfg SupervisorConfig, children ...Specifier) *Supervisor { return nil }

type DynamicSupervisor struct{ node }

func NewDynamicSupervisor(name string, limit ChildLimit, opts ...Option) *DynamicSupervisor {
	return nil
}

func (d *DynamicSupervisor) Go(ctx context.Context, fn func(context.Context) error) (*Child, error) {
	return nil, nil
}

type KeyedSupervisor[K comparable] struct{ node }

func NewKeyedSupervisor[K comparable](name string, limit ChildLimit, perKey KeyLimit, opts ...Option) *KeyedSupervisor[K] {
	return nil
}

type Keyed[K comparable] struct{}

func (s *KeyedSupervisor[K]) At(key K) Keyed[K] { return Keyed[K]{} }

func (k Keyed[K]) Go(ctx context.Context, fn func(context.Context) error) (*Child, error) {
	return nil, nil
}
