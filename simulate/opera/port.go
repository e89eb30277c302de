package opera

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

// maxQueued is how many guest changes wait for a vendor who is away; then the oldest go.
const maxQueued = 10_000

// maxNumbers is how many posting numbers a port remembers to tell a repeated one.
const maxNumbers = 1_000_000

// A port is where one vendor connects: what is kept for it from one connection to the next.
type port struct {
	s *Simulator
	Port
	serial bool

	mu      sync.Mutex // guards what follows
	links   []*link
	queue   []Change // while nobody is alive (fias.md 3.4)
	lost    int      // of queue
	parted  []item   // answers kept for the next connection
	numbers map[int64]uint64
}

// admit says whether a new connection is taken at all.
func (p *port) admit() bool {
	away := func() bool {
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		if p.s.closed || p.s.authFailed || time.Now().Before(p.s.awayUntil) {
			p.s.refused++
			return true
		}
		return false
	}()
	if away {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Clients == Refuse && len(p.links) > 0 {
		p.s.mu.Lock()
		p.s.refused++
		p.s.mu.Unlock()
		return false
	}
	return true
}

// serve is one connection from its start to its end.
func (p *port) serve(ctx context.Context, rw io.ReadWriteCloser) {
	l := newLink(p, rw)
	p.mu.Lock()
	var older []*link
	if p.Clients == Newest {
		older = slices.Clone(p.links)
	}
	p.links = append(p.links, l)
	p.mu.Unlock()
	for _, o := range older {
		o.wire.Close()
	}
	l.run(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = slices.DeleteFunc(p.links, func(o *link) bool { return o == l })
}

func (p *port) open() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.links)
}

func (p *port) queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue)
}

// tell sends c to who is alive, or keeps it. With Simulator.moving held.
func (p *port) tell(c Change) {
	told := false
	for _, l := range p.open() {
		if l.speak.alive() {
			l.speak.change(c)
			told = true
		}
	}
	if told || p.Dialect != FIAS {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == maxQueued {
		p.queue = slices.Delete(p.queue, 0, 1)
		p.lost++
	}
	p.queue = append(p.queue, c)
}

// flush sends l what waited for it. With Simulator.moving held.
func (p *port) flush(l *link) {
	p.mu.Lock()
	queue, parted := p.queue, p.parted
	p.queue, p.parted = nil, nil
	p.mu.Unlock()
	for _, it := range parted {
		l.out.push(it, false)
	}
	for _, c := range queue {
		l.speak.change(c)
	}
}

// keep holds an answer for the next connection.
func (p *port) keep(it item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parted) < maxQueued {
		p.parted = append(p.parted, it)
	}
}

// repeated notes the number of a posting and tells whether it was there before.
func (p *port) repeated(number int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.numbers) >= maxNumbers {
		clear(p.numbers)
	}
	p.numbers[number]++
	return p.numbers[number] > 1
}
