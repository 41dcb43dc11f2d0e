// Package erlang reads Erlang source: the forms of a file with the terms, clauses and calls in them, as much as the questions
// about supervisors need. It expands no macros and runs nothing; a form that it cannot read is named and left out.
package erlang

// A Node is one piece of an expression. Its dynamic type is one of the pointers below.
type Node interface {
	Position() Pos
}

// Pos is where a node begins. Lines and columns count from 1, columns in bytes.
type Pos struct{ Line, Column int }

// Position makes a Pos the position of whatever it is embedded in.
func (p Pos) Position() Pos { return p }

type (
	// An Atom is a name or '...'.
	Atom struct {
		Pos
		Name string
	}

	// A Var is a variable, also _.
	Var struct {
		Pos
		Name string
	}

	// An Int is a whole number or a character ($a). Known is false where it does not fit Value.
	Int struct {
		Pos
		Text  string
		Value int64
		Known bool
	}

	// A Float is a number with a fraction.
	Float struct {
		Pos
		Text string
	}

	// A String is "..." or """...""" with its escapes undone, or a row of them.
	String struct {
		Pos
		Text string
	}

	// A Tuple is {...}.
	Tuple struct {
		Pos
		Elems []Node
	}

	// A List is [...], with Tail behind a bar.
	List struct {
		Pos
		Elems []Node
		Tail  Node // nil for most
	}

	// A Map is #{...}, or Base#{...} which changes one.
	Map struct {
		Pos
		Base   Node // nil for a new one
		Fields []Field
	}

	// A Record is #name{...}, or Base#name{...} which changes one.
	Record struct {
		Pos
		Base   Node
		Name   Node // an Atom or a Macro
		Fields []Field
	}

	// A RecordField is Base#name.field, or #name.field which is its index.
	RecordField struct {
		Pos
		Base        Node
		Name, Field Node
	}

	// A Binary is <<...>>. Sizes are in Elems as operators ":"; types are left out.
	Binary struct {
		Pos
		Elems []Node
	}

	// A Call is fun(...) or mod:fun(...).
	Call struct {
		Pos
		Module Node // nil for a local call
		Fun    Node
		Args   []Node
	}

	// A Fun is fun (...) -> ... end, with the name of one that can call itself.
	Fun struct {
		Pos
		Name    string
		Clauses []*Clause
	}

	// A FunRef is fun name/1 or fun mod:name/1.
	FunRef struct {
		Pos
		Module      Node
		Name, Arity Node
	}

	// An Op is an operator between Left and Right, or before Right where Left is nil. = and ! and := and => are operators, and
	// so is : of a name that is not called.
	Op struct {
		Pos
		Op          string
		Left, Right Node
	}

	// A Block is what keywords enclose: begin, case, if, receive, try, maybe. Subject is what case and try look at, Body what
	// begin and maybe hold, Clauses the branches in order (catch and else too), After what comes behind after.
	Block struct {
		Pos
		Keyword string
		Subject []Node
		Body    []Node
		Clauses []*Clause
		Timeout Node
		After   []Node
	}

	// A Comprehension is [... || ...], << ... || ... >> or #{... || ...}.
	Comprehension struct {
		Pos
		Yield []Node
		From  []Node // generators are operators "<-" and the like, the others are filters
	}

	// A Macro is ?NAME or ?NAME(...). Called tells ?NAME() from ?NAME.
	Macro struct {
		Pos
		Name   string
		Called bool
		Args   []Node
	}

	// A Type is what stands in a place that the reader does not look into.
	Type struct {
		Pos
	}
)

// A Field is key => value or key := value of a map, or key = value of a record.
type Field struct {
	Key, Value Node
}

// A Clause is one branch of a function, a fun or a case: patterns, guards and what is done.
type Clause struct {
	Pos
	Params []Node
	Guard  []Node
	Body   []Node
}

// A Function is all clauses that stand in one form.
type Function struct {
	Pos
	Name    string
	Arity   int
	Clauses []*Clause
	EndLine int
}

// An Attribute is -name(Args). Specs and types are Attributes without Args.
type Attribute struct {
	Pos
	Name string
	Args []Node
}

// A Define is -define(NAME, Body) or -define(NAME(Params), Body). Body is nil where it is not one expression.
type Define struct {
	Pos
	Name   string
	Called bool // with parentheses
	Params []string
	Body   Node
}

// A File is what could be read of one source file.
type File struct {
	Functions  []*Function
	Attributes []*Attribute
	Defines    []*Define
	Problems   []Problem
}

// A Problem is a form that could not be read. Line is where the reading ended, Form where the form begins.
type Problem struct {
	Pos
	Form   int
	Reason string
}
