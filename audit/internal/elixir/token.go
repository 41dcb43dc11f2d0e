package elixir

// A kind says what a token is for the grammar.
type kind uint8

const (
	tEOF kind = iota
	tNewline
	tSemicolon
	tComma
	tDot
	tDotCall // a dot before an open parenthesis
	tLParen
	tRParen
	tLBracket
	tRBracket
	tLBrace
	tRBrace
	tLBits
	tRBits
	tMap // the % of %{
	tStruct
	tIdent
	tAlias
	tAtom
	tKeyword // key:
	tNumber
	tTextBegin // a string, charlist, sigil or quoted atom, up to its tTextEnd
	tText
	tTextEnd
	tInterpolation    // #{
	tInterpolationEnd // }
	tFn
	tDo
	tEnd
	tBlock // else, rescue, catch, after
	// The operators, by where they may stand.
	tUnary
	tAt
	tCapture
	tDual // before one operand, or between two
	tBinary
	tRange // between two, or alone
	tStep
	tArrow
	tAssoc
)

// A textKind says what the text between tTextBegin and tTextEnd is.
type textKind uint8

const (
	textString textKind = iota
	textCharlist
	textSigil
	textRawSigil // its name has upper case: nothing is interpolated
	textAtom
	textKeyword // "key":
)

// What stands right behind a name, without a space, decides what the name is.
const (
	flagParen   = 1 << iota // name(
	flagBracket             // name[
	flagUnary               // name -1: a call with the argument -1
	flagHeredoc
)

// A token is a stretch of the source. Text holds it as the grammar needs it: of an atom or a keyword without its colon, of a
// string the part that is fixed.
type token struct {
	kind   kind
	text   textKind
	flags  uint8
	op     uint8 // of an operator: its index in operators
	line   int32
	column int32
	start  int32 // of what matters in the source
	end    int32
	indent int32 // of a heredoc's lines
}

func (t *token) operator() *operator { return &operators[t.op] }

func (t *token) pos() Pos { return Pos{Line: int(t.line), Column: int(t.column)} }
