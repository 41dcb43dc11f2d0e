package elixir

// An operator is how a row of signs, or a word such as and, binds. The numbers are those of Elixir's own grammar
// (elixir_parser.yrl), where more binds tighter.
type operator struct {
	text  string
	prec  uint16
	right bool
	kind  kind
	// atom and dot tell where else the signs are one name: after a colon (:+), and after a dot (Kernel.+).
	atom, dot bool
}

const (
	precPipe    = 70
	precCapture = 90
	precUnary   = 300
	precAt      = 320
)

// operators has the longer ones first, since the longest that fits is the one that is meant.
var operators = []operator{
	{text: "~~~", prec: precUnary, kind: tUnary, atom: true, dot: true},
	{text: "===", prec: 140, kind: tBinary, atom: true, dot: true},
	{text: "!==", prec: 140, kind: tBinary, atom: true, dot: true},
	{text: "&&&", prec: 130, kind: tBinary, atom: true, dot: true},
	{text: "|||", prec: 110, kind: tBinary, atom: true, dot: true},
	{text: "<<<", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: ">>>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "~>>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "<<~", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "<~>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "<|>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "^^^", prec: 180, kind: tBinary, atom: true, dot: true},
	{text: "+++", prec: 200, right: true, kind: tBinary, atom: true, dot: true},
	{text: "---", prec: 200, right: true, kind: tBinary, atom: true, dot: true},
	{text: "==", prec: 140, kind: tBinary, atom: true, dot: true},
	{text: "=~", prec: 140, kind: tBinary, atom: true, dot: true},
	{text: "!=", prec: 140, kind: tBinary, atom: true, dot: true},
	{text: "<=", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: ">=", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: "&&", prec: 130, kind: tBinary, atom: true, dot: true},
	{text: "||", prec: 110, kind: tBinary, atom: true, dot: true},
	{text: "|>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "~>", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "<~", prec: 160, kind: tBinary, atom: true, dot: true},
	{text: "<-", prec: 40, kind: tBinary, atom: true, dot: true},
	{text: `\\`, prec: 40, kind: tBinary, atom: true, dot: true},
	{text: "++", prec: 200, right: true, kind: tBinary, atom: true, dot: true},
	{text: "--", prec: 200, right: true, kind: tBinary, atom: true, dot: true},
	{text: "<>", prec: 200, right: true, kind: tBinary, atom: true, dot: true},
	{text: "**", prec: 230, kind: tBinary, atom: true, dot: true},
	{text: "..", prec: 200, right: true, kind: tRange, atom: true, dot: true},
	{text: "::", prec: 60, right: true, kind: tBinary, dot: true},
	{text: "->", kind: tArrow, atom: true},
	{text: "//", prec: 190, right: true, kind: tStep},
	{text: "=>", kind: tAssoc},
	{text: "@", prec: precAt, kind: tUnary, atom: true, dot: true},
	{text: "!", prec: precUnary, kind: tUnary, atom: true, dot: true},
	{text: "^", prec: precUnary, kind: tUnary, atom: true, dot: true},
	{text: "&", prec: precCapture, kind: tUnary, atom: true, dot: true},
	{text: "+", prec: 210, kind: tDual, atom: true, dot: true},
	{text: "-", prec: 210, kind: tDual, atom: true, dot: true},
	{text: "*", prec: 220, kind: tBinary, atom: true, dot: true},
	{text: "/", prec: 220, kind: tBinary, atom: true, dot: true},
	{text: "<", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: ">", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: "=", prec: 100, right: true, kind: tBinary, atom: true, dot: true},
	{text: "|", prec: precPipe, right: true, kind: tBinary, atom: true, dot: true},
}

// notOp and notIn are told apart from all others: "not" before "in" makes one operator of two words.
var (
	notOp = operator{text: "not", prec: precUnary, kind: tUnary}
	notIn = operator{text: "not in", prec: 170, kind: tBinary}
)

// wordOperators are operators written as words.
var wordOperators = map[string]*operator{
	"not":  &notOp,
	"and":  {text: "and", prec: 130, kind: tBinary},
	"or":   {text: "or", prec: 110, kind: tBinary},
	"when": {text: "when", prec: 50, right: true, kind: tBinary},
	"in":   {text: "in", prec: 170, kind: tBinary},
}

// operatorsByByte finds the operators that begin with a byte.
var operatorsByByte = func() (table [256][]*operator) {
	for i := range operators {
		first := operators[i].text[0]
		table[first] = append(table[first], &operators[i])
	}
	return table
}()
