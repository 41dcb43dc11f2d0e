package beam

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// FuzzReviewElixir shows that no code that can be read makes the review panic or go on without end. The text is taken for
// code and for configuration at once.
func FuzzReviewElixir(f *testing.F) {
	for _, program := range []string{"chat", "umbrella", "limited"} {
		dir := filepath.Join("testdata", program)
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				text, _ := os.ReadFile(path)
				f.Add(string(text))
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Add("defmodule A do\n use DynamicSupervisor\n @a @a\n def init(x), do: DynamicSupervisor.init(Keyword.merge(init(x), init(x)))\nend")
	f.Add("config :a, k: Keyword.merge(Application.get_env(:a, :k), Application.get_env(:a, :k))\n{DynamicSupervisor, Application.get_env(:a, :k)}")
	f.Add("a = b\nb = a\n{DynamicSupervisor, a ++ b}")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := elixir.Parse("a.ex", []byte(text))
		if err != nil {
			return
		}
		p := &program{modules: map[string]*module{}, config: &config{values: map[string][]term{}}}
		p.addFile(&source{path: "config/config.exs", file: file})
		p.addFile(&source{path: "lib/a.ex", file: file})
		reviewProgram(p, report.Result{})
	})
}
