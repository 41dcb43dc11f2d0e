package prom_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/metrics/prom"
)

func Example() {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, jobs)

	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(prom.Config{}, app))
	http.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))

	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "headcount_children_limit{") {
			fmt.Print(line)
		}
	}
	// Output:
	// headcount_children_limit{supervisor="myapp"} 1000
	// headcount_children_limit{supervisor="myapp/jobs"} 64
}
