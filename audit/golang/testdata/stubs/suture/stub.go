// Package suture stands for github.com/thejerf/suture/v4.
package suture

import "context"

type Service interface {
	Serve(ctx context.Context) error
}

type ServiceToken struct{}

type Supervisor struct{}

func NewSimple(name string) *Supervisor { return &Supervisor{} }

func (s *Supervisor) Add(service Service) ServiceToken { return ServiceToken{} }
