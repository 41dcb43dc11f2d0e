package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONHoldsNothingThatATerminalTakesForACommand(t *testing.T) {
	const text = "esc \x1b csi \u009b bidi \u202e tag \U000e0041 quote \" zürich 東京 <b>"
	var b strings.Builder
	if err := writeJSON(&b, []string{text}, false); err != nil {
		t.Fatal(err)
	}
	var back []string
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back[0] != text {
		t.Errorf("error %v, read back %q", err, back)
	}
	if got, want := b.String(), `["esc \u001b csi \u009b bidi \u202e tag \udb40\udc41 quote \" zürich 東京 <b>"]`+"\n"; got != want {
		t.Errorf("written %q, want %q", got, want)
	}
}

func TestColumnsAreAsWideAsOnTheScreen(t *testing.T) {
	var b strings.Builder
	if err := writeTable(&b, []string{"NAME", "N"}, "lr", [][]string{{"東京", "1"}, {"a", "1,000"}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME      N\n東京      1\na     1,000\n"; b.String() != want {
		t.Errorf("the table is\n%q, want\n%q", b.String(), want)
	}
}
