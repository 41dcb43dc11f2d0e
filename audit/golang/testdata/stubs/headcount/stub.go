// Package headcount stands for the library, so that the programs beside it have no requirement of their own.
package headcount

import (
	"context"
	"math"
	"time"
)

type (
	ChildLimit struct{}
	KeyLimit   struct{}
	Option     any
	Intensity  struct {
		Restarts int
		Within   time.Duration
	}
	SupervisorConfig struct {
		Strategy  int
		Intensity Intensity
	}
	Specifier interface{ ChildSpec() ChildSpec }
	ChildSpec struct {
		Name string
		Run  func(ctx context.Context) error
	}
	Child             struct{}
	Supervisor        struct{}
	DynamicSupervisor struct{}

	KeyedSupervisor[K comparable] struct{}
	Keyed[K comparable]           struct{}
)

const (
	OneForOne = iota
	OneForAll
	RestForOne
)

const Unlimited = math.MaxInt

func MaxChildren(n int) ChildLimit { return ChildLimit{} }
func MaxPerKey(n int) KeyLimit     { return KeyLimit{} }

func (c ChildSpec) ChildSpec() ChildSpec          { return c }
func (d *DynamicSupervisor) ChildSpec() ChildSpec { return ChildSpec{} }

func NewSupervisor(name string, cfg SupervisorConfig, children ...Specifier) *Supervisor { return nil }
func NewDynamicSupervisor(name string, limit ChildLimit, opts ...Option) *DynamicSupervisor {
	return nil
}
func NewKeyedSupervisor[K comparable](name string, limit ChildLimit, perKey KeyLimit, opts ...Option) *KeyedSupervisor[K] {
	return nil
}

func (d *DynamicSupervisor) Go(ctx context.Context, fn func(ctx context.Context) error) (*Child, error) {
	return nil, nil
}
func (d *DynamicSupervisor) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	return nil
}
func (k *KeyedSupervisor[K]) At(key K) Keyed[K] { return Keyed[K]{} }
func (k Keyed[K]) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	return nil
}
