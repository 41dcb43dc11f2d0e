package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// measureCPU presses the button with the keyboard and waits for what comes.
func (b *browser) measureCPU() {
	b.t.Helper()
	const button = `[...document.querySelectorAll("#panel button")].find((b) => b.textContent.startsWith("Measure for"))`
	b.until(button)
	b.do(chromedp.Evaluate[chromedp.Void](button + `.focus()`))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`[...document.querySelectorAll("#panel [role=status]")].some((s) => s.textContent.includes("of CPU time"))`)
	if !eval[bool](b, `document.activeElement === `+button) {
		b.t.Error("the button has lost the focus")
	}
}

func TestTheCPUTimeIsShownByPath(t *testing.T) {
	s := newService(t)
	burner, err := s.users.At("mallory").Go(t.Context(), func(ctx context.Context) error {
		for ctx.Err() == nil {
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	b.open(s.url + "?node=shop")
	summary := `[...document.querySelectorAll("#panel summary")].find((s) => s.textContent === "CPU")`
	b.until(summary)
	b.do(chromedp.Evaluate[chromedp.Void](summary + `.focus()`))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.measureCPU()
	if err := burner.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	first := eval[string](b, summary+`.parentElement.querySelector("tbody tr").innerText`)
	if !strings.HasPrefix(first, "shop/users") {
		t.Errorf("the first row is %q, want shop/users", first)
	}
	b.picture("cpu")
}
