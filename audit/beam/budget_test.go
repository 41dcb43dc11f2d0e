package beam

import "testing"

func TestBudgetThatIsNeverUsedUpIsFound(t *testing.T) {
	for options, found := range map[string]bool{
		"max_restarts: 1_000_000, max_seconds: 1":  true,
		"max_restarts: 1_000_000, max_seconds: 60": true,
		"max_restarts: 1000, max_seconds: 5":       true,
		"max_restarts: 1000":                       true,
		"max_restarts: 999, max_seconds: 1":        false,
		"max_restarts: 1000, max_seconds: 60":      false,
		"max_restarts: 100, max_seconds: 1":        false,
		"max_seconds: 60":                          false,
		"max_restarts: max(1, 2)":                  false,
	} {
		code := children("Supervisor.start_link([MyApp.Repo], strategy: :one_for_one, " + options + ")")
		result := reviewed(t, map[string]string{"lib/a.ex": code})
		if got := len(result.Findings) == 1 && result.Findings[0].Rule == "HC213"; got != found {
			t.Errorf("%s: found %v, want %v", options, got, found)
		}
	}
}
