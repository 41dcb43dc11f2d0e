package beam

// A kind is a module that makes supervisors.
type kind struct {
	name string
	// limit is the option that bounds the children; "" where children are declared.
	limit string
	// rule is about those without a limit.
	rule string
}

var kinds = map[string]kind{
	"DynamicSupervisor":       {"DynamicSupervisor", "max_children", "HC201"},
	"Task.Supervisor":         {"Task.Supervisor", "max_children", "HC202"},
	"Horde.DynamicSupervisor": {"Horde.DynamicSupervisor", "max_children", "HC203"},
	"Horde.Supervisor":        {"Horde.Supervisor", "max_children", "HC203"},
	"ConsumerSupervisor":      {"ConsumerSupervisor", "max_demand", "HC204"},
	"Supervisor":              {"Supervisor", "", ""},
	"PartitionSupervisor":     {"PartitionSupervisor", "", ""},
	":supervisor":             {":supervisor", "", ""},
}

// dynamicKind is what a Supervisor with the strategy :simple_one_for_one is.
var dynamicKind = kind{"simple_one_for_one", "", "HC205"}

// isStatic reports whether the children of a supervisor of this kind are declared in its options.
func (k kind) isStatic() bool { return k.limit == "" && k.rule == "" }
