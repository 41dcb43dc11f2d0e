package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetricsAreAnsweredAtAnAddressOfTheirOwn(t *testing.T) {
	c := testConfig(t)
	c.metricsAddr, c.maxPerUser = freeAddr(t), 3
	start(t, c)
	resp, err := http.Get("http://" + c.metricsAddr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, error %v", resp.StatusCode, err)
	}
	for _, want := range []string{
		`headcount_children_per_key_limit{supervisor="myapp/users"} 3`,
		`headcount_children{supervisor="myapp/metrics/requests"} 1`,
		`headcount_gate_limit{gate="route_short",supervisor="myapp/web/requests"}`,
		"go_goroutines ",
	} {
		if !strings.Contains(string(text), "\n"+want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
