package elixir

import "slices"

// An operator is how a row of signs, or a word such as and, binds. The numbers are those of Elixir's own grammar
// (elixir_parser.yrl), where more binds tighter.
type operator struct {
	text  string
	prec  uint16
	right bool
	kind  kind
	// atom and dot tell where else the signs are one name: after a colon (:+), and after a dot (Kernel.+).
	atom, dot bool
	index     uint8 // in operators
}

const (
	precPipe    = 70
	precCapture = 90
	precUnary   = 300
)

// operators has the longer ones first, since the longest that fits is the one that is meant. The first of all is none.
var operators = numbered([]operator{
	{},
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
	{text: "@", kind: tAt, atom: true, dot: true},
	{text: "!", prec: precUnary, kind: tUnary, atom: true, dot: true},
	{text: "^", prec: precUnary, kind: tUnary, atom: true, dot: true},
	{text: "&", prec: precCapture, kind: tCapture, atom: true, dot: true},
	{text: "+", prec: 210, kind: tDual, atom: true, dot: true},
	{text: "-", prec: 210, kind: tDual, atom: true, dot: true},
	{text: "*", prec: 220, kind: tBinary, atom: true, dot: true},
	{text: "/", prec: 220, kind: tBinary, atom: true, dot: true},
	{text: "<", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: ">", prec: 150, kind: tBinary, atom: true, dot: true},
	{text: "=", prec: 100, right: true, kind: tBinary, atom: true, dot: true},
	{text: "|", prec: precPipe, right: true, kind: tBinary, atom: true, dot: true},
	{text: "not", prec: precUnary, kind: tUnary},
	{text: "not in", prec: 170, kind: tBinary},
	{text: "and", prec: 130, kind: tBinary},
	{text: "or", prec: 110, kind: tBinary},
	{text: "when", prec: 50, right: true, kind: tBinary},
	{text: "in", prec: 170, kind: tBinary},
})

func numbered(list []operator) []operator {
	for i := range list {
		list[i].index = uint8(i)
	}
	return list
}

// wordOperator finds an operator that is written as a word.
func wordOperator(word string) *operator {
	i := slices.IndexFunc(operators, func(o operator) bool { return o.text == word })
	return &operators[i]
}

// "not" before "in" makes one operator of two words.
var (
	opNot   = wordOperator("not")
	opNotIn = wordOperator("not in")
	opAnd   = wordOperator("and")
	opOr    = wordOperator("or")
	opWhen  = wordOperator("when")
	opIn    = wordOperator("in")
)

// operatorsByByte finds the operators of signs that begin with a byte.
var operatorsByByte = func() (table [256][]*operator) {
	for i := range operators {
		if text := operators[i].text; text != "" && !isLetter(text[0]) {
			table[text[0]] = append(table[text[0]], &operators[i])
		}
	}
	return table
}()
