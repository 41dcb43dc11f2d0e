// Package elixir reads Elixir source: as much of the syntax as the questions about supervisors need, for whole files and
// without running anything of them.
package elixir

// A Node is one piece of syntax. Its dynamic type is one of the pointers below.
type Node interface {
	Position() Pos
}

// Pos is where a node begins. Lines and columns count from 1, columns in bytes.
type Pos struct{ Line, Column int }

// Position makes a Pos the position of whatever it is embedded in.
func (p Pos) Position() Pos { return p }

type (
	// A Block is a row of expressions, as in a file or between do and end.
	Block struct {
		Pos
		Exprs []Node
	}

	// An Ident is a name without arguments: a variable, or a call without parentheses and arguments.
	Ident struct {
		Pos
		Name string
	}

	// An Alias is a module's name as it is written: Foo.Bar. A part that is not a name, as in __MODULE__.Bar, is in Base.
	Alias struct {
		Pos
		Base Node // nil for most
		Name string
	}

	// An Atom is :name, and also true, false and nil.
	Atom struct {
		Pos
		Name   string
		Quoted bool // :"..."; with an interpolation Name is only what is fixed of it
		Parts  []Node
	}

	// A Number is written as Text. Int reports its value.
	Number struct {
		Pos
		Text string
	}

	// A String is "..." or a heredoc, or a charlist. Text is what is fixed of it, with escapes undone.
	String struct {
		Pos
		Text     string
		Charlist bool
		Parts    []Node // what is interpolated
	}

	// A Sigil is ~name(...)modifiers.
	Sigil struct {
		Pos
		Name, Text, Modifiers string
		Parts                 []Node
	}

	// A List is [...], and also the keywords that end the arguments of a call without brackets.
	List struct {
		Pos
		Elems    []Node // a Pair for each key: value
		Unbraced bool
	}

	// A Pair is key: value, or key => value in a map.
	Pair struct {
		Pos
		Key   Node // an Atom for key:
		Value Node
	}

	// A Tuple is {...}.
	Tuple struct {
		Pos
		Elems []Node
	}

	// A Map is %{...} or %Struct{...}; with Update it is %{update | ...}.
	Map struct {
		Pos
		Struct, Update Node
		Elems          []Node // Pairs
	}

	// A Binary is <<...>>.
	Binary struct {
		Pos
		Elems []Node
	}

	// A Call is name(args), target.name(args), target.(args) with an empty Name, each also without parentheses, with the
	// do-block it may have. Keywords at the end are one unbraced List, as they are in Elixir.
	Call struct {
		Pos
		Target   Node // nil for a local call
		Name     string
		Args     []Node
		Parens   bool
		Sections []Section // do, else, rescue, catch, after
	}

	// A Unary is an operator before its operand: @attribute, &capture, !x, -x, ^x, not x, and ...
	Unary struct {
		Pos
		Op string
		X  Node
	}

	// A Binop is an operator between its operands: =, |>, ->, when, <-, ::, \\, .. and all others. A // after .. is a Binop
	// around it.
	Binop struct {
		Pos
		Op          string
		Left, Right Node
	}

	// An Access is x[key].
	Access struct {
		Pos
		X, Key Node
	}

	// A Fn is fn clauses end.
	Fn struct {
		Pos
		Clauses []*Clause
	}

	// A Clause is args -> body, with the guard after when.
	Clause struct {
		Pos
		Args  []Node
		Guard Node
		Body  *Block
	}
)

// A Section is a part of a do-block. It has either Body or, for sections made of ->, Clauses.
type Section struct {
	Name    string
	Body    *Block
	Clauses []*Clause
}

// A File is one source file.
type File struct {
	Name string
	Body *Block
}
