package observe

import (
	"errors"
	"net/http"
	"testing"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestWithoutAllowChangesNothingCanBeChanged(t *testing.T) {
	b := setup(t)
	for _, o := range operations {
		if o.change {
			b.refused("api/v1/"+o.path, "{}", 403, "read-only")
		}
	}
}

func TestNobodyComesInWithoutAToken(t *testing.T) {
	b := setup(t, AllowChanges())
	anonymous := func(r *http.Request) { r.Header.Del("Authorization") }
	for _, path := range []string{"", "page.js", "api/v1/tree", "api/v1/events"} {
		b.refused(path, nil, 401, "unauthorized", anonymous)
	}
	b.refused("api/v1/limits", limitTo("max_children", 8), 401, "unauthorized", anonymous)
	b.refused("api/v1/tree", nil, 401, "unauthorized", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret+"x") })
	if status, _, _ := b.ask("api/v1/tree", nil, func(r *http.Request) { r.SetBasicAuth("whoever", secret) }); status != 200 {
		t.Errorf("the token as a password: %d, want 200", status)
	}
}

func TestChangesFromOtherOriginsAreRefused(t *testing.T) {
	b := setup(t, AllowChanges())
	b.refused("api/v1/limits", limitTo("max_children", 8), 403, "cross-origin", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	b.refused("api/v1/limits", limitTo("max_children", 8), 403, "cross-origin", func(r *http.Request) { r.Header.Set("Origin", "https://elsewhere.example") })
	if n := b.jobs.MaxChildren().Value(); n != 4 {
		t.Errorf("the limit is %d, want 4", n)
	}
}

func TestChangesNeedAuthenticationWhereOthersCanReachThem(t *testing.T) {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{})
	for _, wrong := range []struct {
		page  *Handler
		field string
	}{
		{New("page", ":0", app, AllowChanges()), "AllowChanges"},
		{New("page", "10.0.0.1:0", app, AllowChanges()), "AllowChanges"},
		{NewHandler("page", app, AllowChanges()), "AllowChanges"},
		{New("page", "127.0.0.1:0", app, Token("ann", "short")), "Token"},
		{New("page", "127.0.0.1:0", nil), "root"},
		{New("page", "127.0.0.1:0", app, Viewers(0)), "Viewers"},
	} {
		err := wrong.page.Supervisor().Start(t.Context())
		var config *headcount.ConfigError
		if !errors.As(err, &config) || config.Field != wrong.field || config.Path != "page" {
			t.Errorf("the start says %v, want a ConfigError about %s", err, wrong.field)
		}
		if wrong.page.Addrs() != nil {
			t.Error("it has listened")
		}
	}
	for _, right := range []*Handler{
		New("page", "127.0.0.1:0", app, AllowChanges()), New("page", "[::1]:0", app, AllowChanges()), New("page", ":0", app), New("page", ":0", app, AllowChanges(), Token("ann", secret)),
	} {
		if err := headcount.Check(right.Supervisor()); err != nil {
			t.Error(err)
		}
	}
}

func TestALoopbackPageAnswersNoForeignName(t *testing.T) {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()})
	b := &bundle{t: t}
	page := New("page", "127.0.0.1:0", app, AllowChanges(), Logger(quiet()))
	b.start(app)
	b.start(page.Supervisor())
	b.url = "http://" + page.Addrs()[0].String() + "/"
	b.refused("api/v1/tree", nil, 421, "misdirected", func(r *http.Request) { r.Host = "rebound.example" })
	if s := get[wire.Snapshot](b, "api/v1/tree", nil); s.Root != "app" || !s.Changes {
		t.Errorf("the tree is %+v", s)
	}
	limit := wire.LimitChange{Path: "app", Limit: "max_children", Value: new(wire.Value), By: "bob"}
	*limit.Value = 7
	if e := get[wire.Entry](b, "api/v1/limits", limit); e.By != "bob" || e.Verified {
		t.Errorf("the entry is %+v", e)
	}
}
