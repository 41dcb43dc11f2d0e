package beam

import (
	"regexp"
	"strings"
	"testing"
)

// around is the code that the examples of a page stand in.
var around = map[string]string{
	"HC204": "defmodule MyApp.Sup do\n  use ConsumerSupervisor\n  def init(children) do\n%s\n  end\nend\n",
	"HC205": "defmodule MyApp.Sup do\n  use Supervisor\n  def init(_) do\n%s\n  end\nend\n",
	"HC207": "defmodule MyAppWeb.UserController do\n  use Phoenix.Controller\n%s\nend\n",
	"HC208": "defmodule MyApp.Uploads do\n  use GenServer\n%s\nend\n",
	"HC209": "defmodule MyAppWeb.UserController do\n  use Phoenix.Controller\n  def index(conn, %%{\"urls\" => urls}) do\n%s\n  end\nend\n",
	"HC214": "%s",
	"HC212": "import Config\n%s\n",
}

var example = regexp.MustCompile("(?s)## (Bad|Good)\n\n```elixir\n(.*?)```")

func TestExamplesOfThePagesAreFoundAndNotFound(t *testing.T) {
	for _, r := range Rules() {
		if r.ID >= "HC240" {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			examples := example.FindAllStringSubmatch(r.Page, -1)
			if len(examples) != 2 {
				t.Fatalf("%d examples", len(examples))
			}
			for _, e := range examples {
				frame, ok := around[r.ID]
				if !ok {
					frame = "defmodule MyApp do\n  def run(urls) do\n%s\n  end\nend\n"
				}
				file := "lib/my_app.ex"
				if strings.HasPrefix(frame, "import Config") {
					file = "config/config.exs"
				}
				code := strings.Replace(strings.ReplaceAll(frame, "%%", "%"), "%s", e[2], 1)
				result := reviewed(t, map[string]string{file: code})
				if len(result.Unread) > 0 {
					t.Fatal(result.Unread)
				}
				if got := len(result.Findings) == 1 && result.Findings[0].Rule == r.ID; e[1] == "Bad" && !got {
					t.Errorf("the bad example gives %v", found(result))
				}
				if e[1] == "Good" && len(result.Findings) > 0 {
					t.Errorf("the good example gives %v", found(result))
				}
			}
		})
	}
}

func TestPagesHaveTheSectionsOfAPage(t *testing.T) {
	for _, r := range Rules() {
		at := 0
		for _, section := range []string{"## What it finds", "## Why it matters", "## When it is silent", "## Bad", "## Good"} {
			i := strings.Index(r.Page, section)
			if i < at {
				t.Errorf("%s: no %q in its place", r.ID, section)
			}
			at = max(at, i)
		}
	}
}

func TestPageWithoutConfidenceIsRefused(t *testing.T) {
	for page, want := range map[string]string{
		"# HC299 name\n\nSummary.\n":                          "Confidence",
		"# HC299 name\n\nConfidence: high\n":                  "summary",
		"# HC298 name\n\nSummary.\n\nConfidence: high\n":      "heading",
		"# HC299 name\n\nSummary.\n\nConfidence: certainly\n": "Confidence",
	} {
		if _, err := parsePage("HC299", page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", page, err, want)
		}
	}
}
