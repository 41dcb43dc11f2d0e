package headcount

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// A reserve is of the limits above, and a root has none: whoever wrote it meant something else. Checked by itself, or
// below another supervisor, it is no mistake.
func TestAReserveOfARootIsAnErrorAndStartsNothing(t *testing.T) {
	spec := ChildSpec{Name: "w", Run: obedient}
	for name, root := range map[string]Node{
		"static":  NewSupervisor("app", SupervisorConfig{Reserve: 3, Logger: quiet}, spec),
		"dynamic": NewDynamicSupervisor("app", MaxChildren(5), Reserve(3), WithLogger(quiet)),
		"keyed":   NewKeyedSupervisor[string]("app", MaxChildren(5), MaxPerKey(1), Reserve(3), WithLogger(quiet)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check(root); err != nil {
				t.Errorf("Check: %v", err)
			}
			var problem *ConfigError
			if err := root.Start(t.Context()); !errors.As(err, &problem) {
				t.Fatalf("Start: got %v, want a ConfigError", err)
			}
			if problem.Path != "app" || problem.Field != "Reserve" || problem.Value != 3 {
				t.Errorf("the error does not say what is wrong: %+v", *problem)
			}
			if root.Counts().Started != 0 {
				t.Error("something was started")
			}
			var out bytes.Buffer
			if code := Main(t.Context(), root, MainConfig{Output: &out}); code != 2 || !strings.Contains(out.String(), "app: Reserve: 3 ") {
				t.Errorf("Main: exit code %d, want 2:\n%s", code, out.String())
			}
			up(t, NewSupervisor("above", SupervisorConfig{Logger: quiet}, root))
		})
	}
}
