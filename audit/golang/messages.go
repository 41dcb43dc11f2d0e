package golang

import (
	"fmt"
	"strings"
)

func requestOf(what string) string {
	switch {
	case strings.HasSuffix(what, " handler"):
		return strings.TrimSuffix(what, " handler") + " request"
	case strings.HasSuffix(what, " method"):
		return strings.TrimSuffix(what, " method") + " request"
	}
	return what
}

func article(what string) string {
	if what == "" {
		return "an outsider"
	}
	first, _, _ := strings.Cut(what, " ")
	switch {
	case strings.ContainsRune("aeiouAEIO", rune(what[0])) && first != "one",
		first == "HTTP" || first == "SSH" || first == "NATS" || first == "NSQ" || first == "MQTT" || first == "SQS":
		if first == "NATS" {
			return "a " + what
		}
		return "an " + what
	}
	return "a " + what
}

func (v verdict) message(s start) string {
	how := "a goroutine"
	if s.how != "go" {
		how = "a goroutine (" + s.how + ")"
	}
	switch v.rule {
	case "HC101":
		return fmt.Sprintf("%s is started in a loop whose rounds %s decides, without a limit", how, v.what)
	case "HC102":
		return fmt.Sprintf("%s is started for %s and outlives it, without a limit", how, v.what)
	case "HC103":
		return fmt.Sprintf("%s is started for each %s, without a limit", how, bare(v.what))
	case "HC104":
		if v.late {
			return fmt.Sprintf("%s is started for each connection that is accepted; if there is a limit, only what it runs looks at it", how)
		}
		return fmt.Sprintf("%s is started for each connection that is accepted, without a limit", how)
	case "HC105":
		if v.read {
			return fmt.Sprintf("%s is started for each piece of %s, without a limit", how, v.what)
		}
		return fmt.Sprintf("%s is started for each item of %s, neither limited nor waited for", how, v.what)
	case "HC106":
		return fmt.Sprintf("%s is started in each round of a loop that %s drives, neither limited nor waited for", how, v.what)
	case "HC107":
		return fmt.Sprintf("%s in a loop runs the function that starts it, so each starts more, without a limit", how)
	}
	panic("no message for " + v.rule)
}

func bare(what string) string {
	what = strings.TrimPrefix(what, "an ")
	return strings.TrimPrefix(what, "a ")
}
