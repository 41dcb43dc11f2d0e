// Package orderpb is what protoc-gen-go-grpc makes of a service.
package orderpb

import (
	"context"

	"google.golang.org/grpc"
)

type Order struct{ Lines []string }

type Receipt struct{}

type OrdersServer interface {
	Place(context.Context, *Order) (*Receipt, error)
	Follow(OrdersFollowServer) error
}

type OrdersFollowServer interface {
	Recv() (*Order, error)
	grpc.ServerStream
}

type UnimplementedOrdersServer struct{}

func (UnimplementedOrdersServer) Place(context.Context, *Order) (*Receipt, error) { return nil, nil }
func (UnimplementedOrdersServer) Follow(OrdersFollowServer) error                 { return nil }

func RegisterOrdersServer(s grpc.ServiceRegistrar, srv OrdersServer) {}
