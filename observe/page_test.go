package observe

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestThePageIsReadableWithoutAScriptAndEscapesWhatIsForeign(t *testing.T) {
	b := setup(t)
	const evil = `<script>alert(1)</script>`
	if _, err := b.users.At(evil).Go(t.Context(), func(ctx context.Context) error { return errors.New(evil) }); err != nil {
		t.Fatal(err)
	}
	if err := b.jobs.MaxChildren().Set(9, headcount.Change{By: evil, Why: evil}); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool { return len(get[wire.EventPage](b, "api/v1/log", nil).Events) >= 2 })
	b.page.watch.look(time.Now())
	status, head, text := b.ask("?node=app/jobs&filter="+evil, nil)
	if status != 200 || strings.Contains(text, evil) {
		t.Errorf("the page is %d %s", status, text)
	}
	_, _, text = b.ask("", nil)
	for _, want := range []string{"app/jobs", "app/users", "of 50", "max_children changed from 4 to 9"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(text, evil) || strings.Contains(text, " style=") || strings.Contains(text, "onclick") {
		t.Error("the page has foreign markup, or what its policy forbids")
	}
	policy := head.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || head.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the header is %v", head)
	}
	_, _, text = b.ask("?filter=state:full+unlimited", nil)
	if !strings.Contains(text, "No supervisor matches") {
		t.Error("the filter of the page without a script finds what it should not")
	}
}

func TestAReviewDateIsShownAndThatItHasPassed(t *testing.T) {
	b := setup(t)
	for review, want := range map[time.Time]string{
		time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC): "its review date has passed: it was to be looked at again on 2020-02-03",
		time.Date(2100, 2, 3, 0, 0, 0, 0, time.UTC): "<small>to be looked at again on 2100-02-03",
	} {
		if err := b.jobs.MaxChildren().Set(7, headcount.Change{Source: "file", Review: review}); err != nil {
			t.Fatal(err)
		}
		if _, _, page := b.ask("?node=app/jobs", nil); !strings.Contains(page, want) {
			t.Errorf("the page does not show %q:\n%s", want, page)
		}
	}
}

func TestThePageTellsTheRestartsOfTheLastMinuteAndNotTheBudgetOfEachChild(t *testing.T) {
	b := setup(t)
	var runs atomic.Int64
	_, err := b.jobs.Go(t.Context(), func(ctx context.Context) error {
		if runs.Add(1) <= 3 {
			return errors.New("not yet")
		}
		<-ctx.Done()
		return nil
	}, headcount.WithRestart(headcount.Permanent))
	if err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool {
		_, _, page := b.ask("?filter=app/jobs", nil)
		return strings.Contains(page, `<td class="n opt">3</td>`) && !strings.Contains(page, "budget")
	})
}

func TestALimitFromNobodyKnownIsShownAsSuch(t *testing.T) {
	b := setup(t)
	if err := b.jobs.MaxChildren().Set(7, headcount.Change{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool {
		d := get[wire.Detail](b, "api/v1/node?path=app/jobs", nil)
		return d.Row.Source == "unknown" && d.Limits[0].Source == "unknown"
	})
}

func TestAFileOfLimitsThatIsRefusedIsShown(t *testing.T) {
	b := setup(t)
	headcount.ReportLimits(b.app, "limits.yaml", errors.New("line 3: <no> such limit"))
	if s := get[wire.Detail](b, "api/v1/node?path=app", nil).Sources; len(s) != 1 || s[0].Name != "limits.yaml" || s[0].Refused != 1 || s[0].Error != "line 3: <no> such limit" {
		t.Errorf("the API has %+v", s)
	}
	_, _, page := b.ask("?node=app", nil)
	if !strings.Contains(page, "what limits.yaml says about the limits is refused, the old ones stay: line 3: &lt;no&gt; such limit") {
		t.Errorf("the page does not show it:\n%s", page)
	}
}
