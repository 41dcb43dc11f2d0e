package attack

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"sync"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// JobFlood is one new user who hands in n jobs that cost something: memory, processor time, or a place for seconds.
func JobFlood(n int) Attack {
	picture := picture() // drawn before the attack, whose time it would cost
	return jobs("job flood", fmt.Sprintf("one new user hands in %d jobs that resize pictures, hash and sleep", n), n, 64,
		func(shot int) api.Job {
			switch shot % 3 {
			case 0:
				return api.Job{Kind: "resize", Data: picture, Width: 64}
			case 1:
				return api.Job{Kind: "sleep", Millis: 1000}
			default:
				return api.Job{Kind: "hash", Data: picture}
			}
		})
}

// CrashStorm is one new user who hands in n jobs that panic, with all three kinds of restart in turn.
func CrashStorm(n int) Attack {
	restarts := [...]string{"permanent", "transient", "temporary"}
	return jobs("crash storm", fmt.Sprintf("one new user hands in %d permanent, transient and temporary jobs that panic", n), n, 32,
		func(shot int) api.Job {
			return api.Job{Kind: "crash", Restart: restarts[shot%len(restarts)]}
		})
}

// Hang is one new user who hands in n jobs that do not stop when they are told to.
func Hang(n int) Attack {
	a := jobs("children that refuse to stop", fmt.Sprintf("one new user hands in %d jobs that ignore every request to stop", n), n, 32,
		func(int) api.Job { return api.Job{Kind: "hang"} })
	// Such a job never ends, so the attacker holds every one that was taken.
	a.keeps = true
	return a
}

func jobs(name, about string, n, workers int, job func(shot int) api.Job) Attack {
	return Attack{
		Name: name, About: about, Shots: n, Workers: workers,
		gun: func(a Attack, t Target, worker int, tally *Tally, _ *hold) gun {
			return &poster{api: api.NewFrom(t.From.Addr(worker), t.Addr, 1), token: t.Token("mallory"), tally: tally, job: job, keeps: a.keeps}
		},
	}
}

// poster hands in jobs over one connection.
type poster struct {
	api   *api.Client
	token string
	tally *Tally
	job   func(shot int) api.Job
	keeps bool
}

func (p *poster) fire(ctx context.Context, shot int) (kept bool) {
	try, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	id, err := p.api.PostJob(try, p.token, p.job(shot))
	p.tally.note(ctx, err)
	if err == nil && p.keeps {
		p.tally.keep(id)
	}
	return false // a job costs the attacker no descriptor, whatever becomes of it
}

func (p *poster) putDown() { p.api.Close() }

// picture is a PNG of some kilobytes that takes ten megabytes once decoded: the cheap way to make somebody else's memory
// expensive.
var picture = sync.OnceValue(func() []byte {
	const side = 1600
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.Pix[y*img.Stride+4*x+1] = 0x80
			img.Pix[y*img.Stride+4*x+3] = 0xFF
		}
	}
	var b bytes.Buffer
	// Encoding into memory does not fail for an image of a valid size.
	_ = png.Encode(&b, img)
	return b.Bytes()
})
