// Package golangci makes the rules that need one package only a module plugin of golangci-lint. Build one with
//
//	# .custom-gcl.yml
//	version: v2.15.0
//	plugins:
//	  - module: github.com/headcount-go/headcount/audit/golangci
//	    version: latest
//
// by golangci-lint custom, and switch it on:
//
//	# .golangci.yml
//	version: "2"
//	linters:
//	  enable: [headcount]
//	  settings:
//	    custom:
//	      headcount:
//	        type: module
//	        description: Limits that are missing.
//	        settings:
//	          confidence: medium # high, medium or low
//	          disable: [HC120]
//
// golangci-lint itself is no part of this module: its licence is another.
package golangci

import (
	"fmt"
	"slices"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/headcount-go/headcount/audit/analyzers"
)

// golangci-lint finds a plugin by what it registers when it is imported; there is no other way.
func init() { register.Plugin("headcount", New) }

// Settings are those of .golangci.yml.
type Settings struct {
	// Confidence is the least confidence of what is reported: high, medium or low. Default medium.
	Confidence string `json:"confidence"`
	// Disable names the rules to leave out, such as HC120.
	Disable []string `json:"disable"`
}

type plugin struct{ rules []*analysis.Analyzer }

// New makes the plugin from its settings.
func New(settings any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](settings)
	if err != nil {
		return nil, fmt.Errorf("headcount: %w", err)
	}
	rules := analyzers.All()
	for _, id := range s.Disable {
		if !slices.ContainsFunc(rules, func(a *analysis.Analyzer) bool { return a.Name == id }) {
			return nil, fmt.Errorf("headcount: disable: there is no rule %q", id)
		}
	}
	rules = slices.DeleteFunc(rules, func(a *analysis.Analyzer) bool { return slices.Contains(s.Disable, a.Name) })
	if s.Confidence != "" {
		for _, a := range rules {
			if err := a.Flags.Set("confidence", s.Confidence); err != nil {
				return nil, fmt.Errorf("headcount: confidence %q: %w", s.Confidence, err)
			}
		}
	}
	return plugin{rules}, nil
}

func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) { return p.rules, nil }

// GetLoadMode asks for types: the rules are about them.
func (p plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
