package audit

import (
	"os"
	"path/filepath"
	"strings"
)

// A unit is a code base that is reviewed as a whole.
type unit struct {
	language language
	root     string   // the directory of its go.mod, mix.exs or rebar.config
	files    []string // of Elixir and Erlang: all; of Go: those below the paths that were given
}

type language int

const (
	goCode   language = iota
	beamCode          // Elixir and Erlang
)

func languageOf(file string) (language, bool) {
	switch filepath.Ext(file) {
	case ".go":
		return goCode, true
	case ".ex", ".exs", ".erl", ".hrl":
		return beamCode, true
	}
	return 0, false
}

// abs is a file that the review of the unit names.
func (u *unit) abs(file string) string {
	file = filepath.FromSlash(file)
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(u.root, file)
}

// moduleOf finds the nearest directory with a go.mod.
func moduleOf(dir string) string {
	return nearest(dir, func(dir string) bool { return exists(filepath.Join(dir, "go.mod")) })
}

// projectOf finds the project of Elixir or Erlang that a directory belongs to. An application below the apps of an umbrella belongs to that.
func projectOf(dir string) string {
	root := nearest(dir, isProject)
	if apps := filepath.Dir(root); root != "" && filepath.Base(apps) == "apps" && isProject(filepath.Dir(apps)) {
		return filepath.Dir(apps)
	}
	return root
}

func isProject(dir string) bool {
	return exists(filepath.Join(dir, "mix.exs")) || exists(filepath.Join(dir, "rebar.config"))
}

func nearest(dir string, is func(string) bool) string {
	for {
		if is(dir) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func exists(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// leftOut reports whether a directory holds what is not the code base's own, or not part of what runs.
func leftOut(dir string) bool {
	name, parent := filepath.Base(dir), filepath.Dir(dir)
	switch {
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		return true
	case name == "node_modules", name == "vendor", name == "testdata":
		return true
	case name == "deps", name == "test":
		return isProject(parent)
	}
	return false
}
