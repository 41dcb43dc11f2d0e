// Package oteltest holds the tests of metrics/otel against the SDK of OpenTelemetry, which who imports metrics/otel is to
// choose and not to take from it.
package oteltest
