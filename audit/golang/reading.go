package golang

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// pulling calls take the next piece of something that is read as it comes: rows, lines, records, parts.
var pulling = map[method]bool{
	{"database/sql", "Rows", "Next"}:                        true,
	{"github.com/jackc/pgx", "Rows", "Next"}:                true,
	{"go.mongodb.org/mongo-driver/mongo", "Cursor", "Next"}: true,
	{"encoding/csv", "Reader", "Read"}:                      true,
	{"encoding/json", "Decoder", "More"}:                    true,
	{"encoding/json", "Decoder", "Token"}:                   true,
	{"encoding/xml", "Decoder", "Decode"}:                   true,
	{"encoding/xml", "Decoder", "Token"}:                    true,
	{"archive/tar", "Reader", "Next"}:                       true,
	{"mime/multipart", "Reader", "NextPart"}:                true,
	{"mime/multipart", "Reader", "NextRawPart"}:             true,
}

// judgeReading looks at a loop that goes on while there is something to read: the length of a file or of a table is no limit.
func (p *program) judgeReading(s start, l *loop) verdict {
	call := p.pulledIn(l, s.instr)
	if call == nil || p.endsAfterOne(l, s) {
		return verdict{}
	}
	if from := readFrom(call.Common()); from != nil {
		if o := p.originOf(from); o.from == outside {
			return fromOutside(o)
		}
	}
	v := verdict{rule: "HC105", sure: report.Medium, what: "what is read as it comes", read: true}
	if p.endOf(s, nil) == joined {
		if s.how != "go" && !strings.HasPrefix(s.how, "sync.") {
			return verdict{} // the rules about groups say it
		}
		v.sure = report.Low
	}
	return v
}

// readFrom is what a call reads from: its receiver, or the first argument of a function.
func readFrom(c *ssa.CallCommon) ssa.Value {
	if c.IsInvoke() {
		return c.Value
	}
	if len(c.Args) == 0 {
		return nil
	}
	return c.Args[0]
}

// pulledIn finds the call in the rounds of a loop itself, before the start, that takes the next piece.
func (p *program) pulledIn(l *loop, instr ssa.Instruction) *ssa.Call {
	if l.body != nil {
		return nil
	}
	for _, b := range l.fn.Blocks {
		if !l.blocks[b] {
			continue
		}
		for _, i := range b.Instrs {
			c, ok := i.(*ssa.Call)
			if !ok || !before(i, instr) {
				continue
			}
			if m := invoked(c.Common()); !readers[m] && !pulling[m] {
				continue
			}
			if loops := p.around(i); len(loops) > 0 && loops[0] == l {
				return c
			}
		}
	}
	return nil
}
