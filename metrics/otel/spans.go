package otelmetrics

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/headcount-go/headcount"
)

// Spans makes a span of each run of a child, for [headcount.Around] or SupervisorConfig.Around; a restarted child has one
// for each of its runs. The span is named after the supervisor and ends with the run, so it is for work that ends, such as
// jobs, more than for sessions that last for days. It is a child of the span in the context of the run, which has one if
// the child was started with [headcount.WithValues], and the run's context carries it in turn.
//
// A key is an attribute as the supervisor shows it: see [headcount.SecretKeys].
func Spans(tracer trace.Tracer) headcount.AroundFunc {
	return func(ctx context.Context, info headcount.ChildInfo, next func(context.Context) error) error {
		path := supervisorOf(info)
		attrs := []attribute.KeyValue{
			pathKey.String(path), attribute.String("headcount.child.name", info.Name),
			attribute.Int64("headcount.child.id", int64(info.ID)), attribute.Int("headcount.child.restarts", info.Restarts),
		}
		if info.Key != "" {
			attrs = append(attrs, attribute.String("headcount.child.key", info.Key))
		}
		spanned, span := tracer.Start(ctx, path, trace.WithAttributes(attrs...))
		returned := false
		defer func() {
			// A panic is looked at by the supervisor, with its stack, which recovering it here would lose.
			if !returned {
				span.SetStatus(codes.Error, "panic or runtime.Goexit")
			}
			span.End()
		}()
		err := next(spanned)
		returned = true
		if stopped := ctx.Err() != nil && errors.Is(err, ctx.Err()); err != nil && !stopped {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		}
		return err
	}
}

// supervisorOf is the path of the child's supervisor: of many children one name, as tracing asks for.
func supervisorOf(info headcount.ChildInfo) string {
	path := strings.TrimSuffix(info.Path, "/"+info.Name)
	if info.Key != "" {
		path = strings.TrimSuffix(path, "/"+info.Key)
	}
	return path
}
