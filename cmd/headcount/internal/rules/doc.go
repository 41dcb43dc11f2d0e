// Package rules makes Prometheus rules and a Grafana dashboard for the supervisors of a program, over the metrics of
// metrics/prom.
package rules
