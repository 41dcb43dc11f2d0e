package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The part of SARIF 2.1.0 that a review needs; section numbers are those of the standard by OASIS.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string         `json:"id"`
		Name                 string         `json:"name,omitempty"`
		ShortDescription     sarifText      `json:"shortDescription"`
		HelpURI              string         `json:"helpUri"`
		Help                 *sarifText     `json:"help,omitempty"`
		DefaultConfiguration sarifLevel     `json:"defaultConfiguration"`
		Properties           map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           *int               `json:"ruleIndex,omitempty"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		CodeFlows           []sarifCodeFlow    `json:"codeFlows,omitempty"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
	sarifCodeFlow struct {
		ThreadFlows []sarifThreadFlow `json:"threadFlows"`
	}
	sarifThreadFlow struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location sarifLocation `json:"location"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification,omitempty"`
	}
)

func writeSARIF(w *bufio.Writer, r *Report) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "headcount audit", InformationURI: "https://github.com/headcount-go/headcount", Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{ExecutionSuccessful: len(r.Unread) == 0}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	index := map[string]int{}
	for i, rule := range r.Rules {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, ruleSARIF(rule))
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, resultSARIF(f, index))
	}
	for _, a := range r.Accepted {
		result := resultSARIF(a.Finding, index)
		kind := "external"
		if a.Where == ByComment {
			kind = "inSource"
		}
		result.Suppressions = []sarifSuppression{{kind, a.Reason}}
		run.Results = append(run.Results, result)
	}
	for _, u := range r.Unread {
		run.Invocations[0].ToolExecutionNotifications = append(run.Invocations[0].ToolExecutionNotifications,
			sarifNotification{Level: "error", Message: sarifText{Text: u.Reason}, Locations: locationsSARIF(u.Position, "", "")})
	}
	number(run.Results)
	return encode(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func ruleSARIF(rule Rule) sarifRule {
	out := sarifRule{
		ID: rule.ID, Name: rule.Name, ShortDescription: sarifText{Text: rule.Summary}, HelpURI: rule.URL(),
		DefaultConfiguration: sarifLevel{"warning"},
		Properties:           map[string]any{"precision": rule.Confidence.String(), "tags": []string{"reliability"}},
	}
	if rule.Confidence == Low {
		out.DefaultConfiguration.Level = "note"
	}
	if rule.Page != "" {
		out.Help = &sarifText{rule.Page, rule.Page}
	}
	return out
}

func resultSARIF(f Finding, index map[string]int) sarifResult {
	result := sarifResult{
		RuleID: f.Rule, Level: f.Severity().String(), Message: sarifText{Text: f.Message},
		Locations:           locationsSARIF(f.Position, f.Code, f.Symbol),
		PartialFingerprints: map[string]string{},
		Properties:          map[string]any{"confidence": f.Confidence.String(), "criticality": f.Criticality.String()},
	}
	if result.Locations == nil {
		result.Locations = []sarifLocation{}
	}
	if i, ok := index[f.Rule]; ok {
		result.RuleIndex = &i
	}
	if f.Remedy != "" {
		result.Properties["remedy"] = f.Remedy
	}
	// What the same finding has after lines have moved, as in a baseline (3.27.17).
	sum := sha256.Sum256([]byte(f.Key().String()))
	result.PartialFingerprints[fingerprint] = hex.EncodeToString(sum[:16])
	if len(f.Reach) > 0 {
		var flow sarifThreadFlow
		for _, s := range f.Reach {
			location := sarifLocation{Message: &sarifText{Text: s.Name}}
			if s.File != "" {
				location.Physical = physicalSARIF(s.Position, "")
			}
			flow.Locations = append(flow.Locations, sarifStep{location})
		}
		result.CodeFlows = []sarifCodeFlow{{[]sarifThreadFlow{flow}}}
	}
	return result
}

const fingerprint = "headcountKey/v1"

// number tells apart results with the same fingerprint, by their order.
func number(results []sarifResult) {
	seen := map[string]int{}
	for _, r := range results {
		key := r.PartialFingerprints[fingerprint]
		seen[key]++
		r.PartialFingerprints[fingerprint] = key + ":" + strconv.Itoa(seen[key])
	}
}

func locationsSARIF(p Position, code, symbol string) []sarifLocation {
	var l sarifLocation
	if p.File != "" {
		l.Physical = physicalSARIF(p, code)
	}
	if symbol != "" {
		l.Logical = []sarifLogical{{symbol}}
	}
	if l.Physical == nil && l.Logical == nil {
		return nil
	}
	return []sarifLocation{l}
}

func physicalSARIF(p Position, code string) *sarifPhysical {
	out := &sarifPhysical{Artifact: sarifArtifact{fileURI(p.File)}}
	if p.Line > 0 {
		out.Region = &sarifRegion{StartLine: p.Line, StartColumn: codePoint(code, p.Column)}
		if p.EndLine > p.Line {
			out.Region.EndLine = p.EndLine
		}
	}
	return out
}

// codePoint is the column of a byte, in code points.
func codePoint(code string, column int) int {
	if column > 1 && column-1 <= len(code) {
		return utf8.RuneCountInString(code[:column-1]) + 1
	}
	return column
}

// fileURI is a path as a relative reference (RFC 3986), whose first segment must not look like a scheme.
func fileURI(path string) string {
	u := url.URL{Path: path}
	s := u.EscapedPath()
	if first, _, _ := strings.Cut(s, "/"); strings.Contains(first, ":") {
		s = "./" + s
	}
	return s
}
