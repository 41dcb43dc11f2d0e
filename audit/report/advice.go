package report

// serves says in words who decides the number of children.
func serves(c Criticality) string {
	switch c {
	case External:
		return "external; requests, connections or messages from outside decide the number"
	case UserOwned:
		return "user-owned; a user decides how many there are"
	case Unbounded:
		return "unbounded; nothing in the program bounds the number, though no outsider was seen to reach it"
	case Internal:
		return "internal; the program decides the number"
	default:
		return "not known; nothing that was read starts it"
	}
}

// notOfChildren is how to choose what is no number of children, such as a time or a size. It is empty where the remedy says it,
// or where there is nothing to choose.
var notOfChildren = map[string]string{
	"HC110": "", "HC111": "", "HC112": "", // timeouts
	"HC114": "", "HC116": "", // sizes
	"HC115": "take the largest honest form, doubled.",
	"HC130": "", "HC131": "", "HC132": "", // timers
	"HC142": "", "HC143": "", // where a supervisor belongs
	"HC212": "the queues together should stay below the pool of the repository, with room left for requests.",
	"HC213": restarts, "HC241": restarts,
	// The number of a running program comes from its peak, and stands in the remedy.
	"HC301": "", "HC302": "", "HC303": "", "HC304": "", "HC305": "", "HC306": "",
}

const restarts = "ask how many failures in a minute still mean that restarting helps; with many children under one supervisor some tens."

// choose says how to find the number for a limit.
func choose(f Finding) string {
	if f.Rule != "" && f.Rule[:min(3, len(f.Rule))] == "HC0" {
		return "" // the comments of the review itself
	}
	if advice, ok := notOfChildren[f.Rule]; ok {
		return advice
	}
	switch f.Criticality {
	case External:
		return "take the smaller of two. By memory: what the process may use for this, divided by what one takes at its worst. By work: the rate that is " +
			"served times the seconds that one lasts, doubled. Give each client a limit of its own too, such as a hundredth of it."
	case UserOwned:
		return "give each user what the busiest honest one needs, doubled, and all together what memory allows: what the process may use for this, divided " +
			"by what one takes at its worst."
	case Unbounded:
		return "take what the thing behind it sustains: connections of the database pool, cores for work that computes, what a service admits. If nothing " +
			"stands behind it, divide memory by what one takes at its worst."
	case Internal:
		return "the number that the program starts is known: write it down, so that a mistake shows as a refusal."
	default:
		return "count how many there are on a busy day, double that, and check that so many fit in memory."
	}
}
