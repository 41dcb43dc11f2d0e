package oteltest

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/headcount-go/headcount"
	otelmetrics "github.com/headcount-go/headcount/metrics/otel"
)

func TestSpansAreTheRunsOfChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := tracetest.NewSpanRecorder()
		provider := trace.NewTracerProvider(trace.WithSpanProcessor(recorder))
		tracer := provider.Tracer("test")
		users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(9), headcount.MaxPerKey(9),
			headcount.WithLogger(quiet), headcount.Around(otelmetrics.Spans(tracer)), headcount.RestartIntensity(1, time.Minute))
		start(t, users)

		last := func(want int) trace.ReadOnlySpan {
			t.Helper()
			synctest.Wait()
			ended := recorder.Ended()
			if len(ended) != want {
				t.Fatalf("%d spans have ended, want %d", len(ended), want)
			}
			return ended[want-1]
		}
		run := func(f func(context.Context) error, opts ...headcount.StartOption) {
			t.Helper()
			c, err := users.At("alice").Go(t.Context(), f, opts...)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Wait(t.Context())
		}

		ctx, request := tracer.Start(t.Context(), "request")
		run(func(context.Context) error { time.Sleep(3 * time.Second); return nil }, headcount.Named("ride"), headcount.WithValues(ctx))
		s := last(1)
		if s.Name() != "users" || s.Status().Code != codes.Unset || s.EndTime().Sub(s.StartTime()) != 3*time.Second {
			t.Errorf("span %s, status %v, lasted %v", s.Name(), s.Status(), s.EndTime().Sub(s.StartTime()))
		}
		if s.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Error("the span is no child of that of the request whose values the child was given")
		}
		attrs := attribute.NewSet(s.Attributes()...)
		for key, want := range map[attribute.Key]string{
			"headcount.supervisor.path": "users", "headcount.child.name": "ride", "headcount.child.key": "alice",
		} {
			if got, _ := attrs.Value(key); got.AsString() != want {
				t.Errorf("%s is %q, want %s", key, got.AsString(), want)
			}
		}

		run(func(context.Context) error { return errors.New("no bread") }, headcount.WithRestart(headcount.Transient))
		s = last(3) // two runs
		if s.Status().Code != codes.Error || s.Status().Description != "no bread" || len(s.Events()) != 1 {
			t.Errorf("status %v, events %v, want the error", s.Status(), s.Events())
		}
		run(func(context.Context) error { panic("no") })
		if s = last(4); s.Status().Code != codes.Error {
			t.Errorf("status %v of a panic", s.Status())
		}
		run(func(context.Context) error { runtime.Goexit(); return nil })
		if s = last(5); s.Status().Code != codes.Error {
			t.Errorf("status %v of a Goexit", s.Status())
		}

		c, err := users.At("alice").Go(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s = last(6); s.Status().Code != codes.Unset {
			t.Errorf("status %v of a child that was stopped", s.Status())
		}
		if err := provider.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
