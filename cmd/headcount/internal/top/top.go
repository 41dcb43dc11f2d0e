package top

import (
	"context"
	"io"
	"iter"

	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

// A Program is what is watched: a [client.Client].
type Program interface {
	Address() string
	Follow(ctx context.Context) iter.Seq[client.Update]
	Node(ctx context.Context, path string) (*wire.Detail, error)
	TopKeys(ctx context.Context, path string, n int) (*wire.TopKeys, error)
	Preview(ctx context.Context, change wire.LimitChange) (*wire.Preview, error)
	SetLimit(ctx context.Context, change wire.LimitChange) (*wire.Entry, error)
}

// Run shows a program on a terminal until the user quits or the context ends. By is who changes are made by where the
// program has no authentication. A program that cannot be reached at first is an error; later it is waited for.
func Run(ctx context.Context, p Program, by string, in io.Reader, out io.Writer) error {
	return run(ctx, p, by, tea.WithInput(in), tea.WithOutput(out))
}

func run(ctx context.Context, p Program, by string, opts ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancel(ctx)
	updates, done := make(chan client.Update), make(chan struct{})
	go func() {
		defer close(done)
		defer close(updates)
		for u := range p.Follow(ctx) {
			select {
			case updates <- u:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { cancel(); <-done }()

	first, ok := <-updates
	switch {
	case !ok:
		return ctx.Err()
	case first.Err != nil:
		return first.Err
	}
	state, _ := New(p.Address(), by).Update(first)
	screen := tea.NewProgram(&model{ctx, p, state}, append(opts, tea.WithContext(ctx), tea.WithoutSignalHandler())...)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for u := range updates {
			screen.Send(u)
		}
	}()
	defer func() { cancel(); <-fed }()
	_, err := screen.Run()
	if ctx.Err() != nil {
		return ctx.Err() // a killed program is how the library tells of it
	}
	return err
}

// A model is a State on a terminal: it has the effects take place.
type model struct {
	ctx     context.Context // of Run; the library hands none on
	program Program
	state   State
}

func (m *model) Init() tea.Cmd { return nil }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var e effect
	m.state, e = m.state.Update(msg)
	return m, m.command(e)
}

func (m *model) View() tea.View {
	v := tea.NewView(m.state.View())
	v.AltScreen = true
	return v
}

// command has an effect take place, and gives the message that tells of it.
func (m *model) command(e effect) tea.Cmd {
	switch e := e.(type) {
	case quit:
		return tea.Quit
	case suspend:
		return tea.Suspend
	case look:
		return func() tea.Msg {
			l := looked{path: e.path}
			if l.node, l.err = m.program.Node(m.ctx, e.path); l.err == nil && l.node.Keyed {
				l.keys, l.err = m.program.TopKeys(m.ctx, e.path, 10)
			}
			return l
		}
	case askPreview:
		return func() tea.Msg {
			p, err := m.program.Preview(m.ctx, e.change)
			return previewed{e.change, p, err}
		}
	case makeChange:
		return func() tea.Msg {
			entry, err := m.program.SetLimit(m.ctx, e.change)
			return changed{e.change, entry, err}
		}
	}
	return nil
}
