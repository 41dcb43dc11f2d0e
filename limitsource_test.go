package headcount

import (
	"errors"
	"strconv"
	"testing"
)

func TestLimitsOfNobodyAreToldToNobody(t *testing.T) {
	ReportLimits(nil, "limits.yaml", errors.New("wrong"))
	ReportLimits((*Supervisor)(nil), "limits.yaml", nil)
}

func TestSourcesOfLimitsAreBounded(t *testing.T) {
	app := NewSupervisor("app", SupervisorConfig{})
	for i := range 3 * maxSources {
		ReportLimits(app, strconv.Itoa(i), nil)
	}
	ReportLimits(app, "0", errors.New("wrong"))
	all := app.Tree().LimitSources
	if len(all) != maxSources || all[0].Name != "0" || all[0].Set != 1 || all[0].Refused != 1 || all[0].Err == nil {
		t.Errorf("%d sources, the first is %+v", len(all), all[0])
	}
}
