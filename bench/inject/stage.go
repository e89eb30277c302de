package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A stage is everything of one measurement: the box, its printers, its screens, the floor beside it, and the connections.
// open starts it in the order in which the parts need each other, close ends all it started.
type stage struct {
	o      options
	dir    string
	watch  stopwatch
	book   *book
	layout layout

	box     *box
	floor   *process
	paper   papers
	screens []*screen

	orders, floors   *client
	toBox            []template
	toFloor, toEcho  []template
	boxCage, fltCage *cage

	cancel context.CancelFunc
	wg     sync.WaitGroup
	faults faults
	mute   atomic.Int64 // refusals without Retry-After
}

// A papers is the printers of a stage, whatever they are made of.
type papers interface {
	addresses() []string // as the box's configuration names them
	run(ctx context.Context) error
	poll() error // takes in what has come out since, where it does not come by itself
	kind() string
	close() error
}

// faults gathers what went wrong on goroutines that nobody waits for one by one.
type faults struct {
	mu  sync.Mutex
	all []error
}

func (f *faults) add(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	f.all = append(f.all, err)
	f.mu.Unlock()
}

func (f *faults) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.all...)
}

// openStage starts the parts. paper is the kind of printers; withFloor also starts the floor server.
func openStage(ctx context.Context, o options, name string, salt uint16, paper string, withFloor bool) (s *stage, err error) {
	s = &stage{o: o, dir: filepath.Join(o.data, "inject-"+name), watch: newStopwatch(),
		layout: layout{stations: o.printers, screens: o.screens}}
	if o.box != "" {
		s.layout = layout{stations: 1, screens: len(o.screenNames), loose: true}
	}
	s.book = newBook(salt, s.layout)
	ctx, s.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := os.RemoveAll(s.dir); err != nil { // of a measurement before, when -data was given
		return s, err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s, err
	}
	var slow time.Duration
	if o.profile == "pi" {
		slow = piSync
		if s.boxCage, err = newCage(fmt.Sprintf("aboyeur-bench-%d-%s-box", os.Getpid(), name), piLimits); err != nil {
			return s, err
		}
		if withFloor {
			if s.fltCage, err = newCage(fmt.Sprintf("aboyeur-bench-%d-%s-floor", os.Getpid(), name), piLimits); err != nil {
				return s, err
			}
		}
	}
	if withFloor {
		if err := s.startFloor(ctx, slow); err != nil {
			return s, err
		}
	}
	if o.box != "" {
		s.box = &box{base: "http://" + o.box, addr: o.box, orders: o.token, reads: o.token, screen: o.token}
		if err := s.box.waitReady(ctx); err != nil {
			return s, err
		}
	} else {
		if s.paper, err = newPapers(paper, s); err != nil {
			return s, err
		}
		s.wg.Go(func() { s.faults.add(s.paper.run(ctx)) })
		if s.box, err = startBox(ctx, o.aboyeur, s.dir, s.layout, s.paper.addresses(), s.boxCage, slow); err != nil {
			return s, err
		}
	}
	if err := s.watchScreens(ctx); err != nil {
		return s, err
	}
	return s, s.connect()
}

// piSync is what profile pi adds to each fsync: the upper half of what SD cards of class A1 take.
const piSync = 10 * time.Millisecond

func (s *stage) startFloor(ctx context.Context, slow time.Duration) (err error) {
	dir := filepath.Join(s.dir, "floor")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	first := newFirstLine()
	s.floor, err = start(launch{name: "floor", argv: []string{s.o.floor, "-dir", dir}, out: first, log: filepath.Join(s.dir, "floor.log"), cage: s.fltCage, sync: slow})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patienceReady)
	defer cancel()
	addr, err := first.wait(ctx, s.floor)
	if err != nil {
		return err
	}
	s.floors = newClient(addr, 256, s.watch.now)
	return nil
}

func (s *stage) watchScreens(ctx context.Context) error {
	names := s.o.screenNames
	if s.o.box == "" {
		names = nil
		for i := range s.layout.screens {
			names = append(names, screenName(i))
		}
	}
	for i, name := range names {
		x := newScreen(i, name, s.box.base, s.box.screen, s.book, s.watch.now)
		s.screens = append(s.screens, x)
		s.wg.Go(func() { x.run(ctx) })
	}
	patience := time.After(10 * time.Second)
	for _, x := range s.screens {
		select {
		case <-x.ready:
		case <-patience:
			problem := "no answer"
			if p := x.problem.Load(); p != nil {
				problem = *p
			}
			return fmt.Errorf("screen %s has had no event in 10 s: %s", x.name, problem)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// connect opens the connections and makes the requests.
func (s *stage) connect() (err error) {
	run := fmt.Sprintf("%x", time.Now().UnixNano())
	now := time.Now()
	if s.toBox, err = templates("/v1/orders", s.box.addr, s.box.orders, run, s.layout.stations, now); err != nil {
		return err
	}
	s.orders = newClient(s.box.addr, s.o.connections, s.watch.now)
	if err := s.orders.warm(8); err != nil {
		return err
	}
	if s.floors == nil {
		return nil
	}
	if s.toFloor, err = templates("/floor", s.floors.addr, s.box.orders, run, s.layout.stations, now); err != nil {
		return err
	}
	if s.toEcho, err = templates("/echo", s.floors.addr, s.box.orders, run, s.layout.stations, now); err != nil {
		return err
	}
	return s.floors.warm(8)
}

// close ends the box first, so that its printers and screens are there until it has gone.
func (s *stage) close() error {
	var all []error
	if s.orders != nil {
		s.orders.close()
	}
	if s.floors != nil {
		s.floors.close()
	}
	if s.box != nil && s.box.process != nil {
		all = append(all, s.box.process.stop(8*time.Second))
	}
	if s.floor != nil {
		all = append(all, s.floor.stop(3*time.Second))
	}
	s.cancel()
	s.wg.Wait()
	if s.paper != nil {
		all = append(all, s.paper.close())
	}
	for _, c := range []*cage{s.boxCage, s.fltCage} {
		if c != nil {
			all = append(all, c.remove())
		}
	}
	all = append(all, s.faults.err())
	return errors.Join(all...)
}

// newPapers makes the printers of a stage.
func newPapers(kind string, s *stage) (papers, error) {
	switch kind {
	case "light":
		return newLightPapers(s)
	case "simulate":
		return newSimulatedPapers(s)
	}
	return nil, fmt.Errorf("-paper %q: use light or simulate", kind)
}

// lightPapers are the light printers, inside the generator.
type lightPapers struct{ all []*lightPrinter }

func newLightPapers(s *stage) (*lightPapers, error) {
	p := &lightPapers{}
	for i := range s.layout.stations {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.all = append(p.all, newLightPrinter(i, l, s.book, s.watch.now))
	}
	return p, nil
}

func (p *lightPapers) kind() string {
	return "light printers in the generator: they answer and draw nothing"
}
func (p *lightPapers) poll() error { return nil }

func (p *lightPapers) addresses() []string {
	var a []string
	for _, x := range p.all {
		a = append(a, "tcp:"+x.address())
	}
	return a
}

func (p *lightPapers) run(ctx context.Context) error {
	var wg sync.WaitGroup
	var f faults
	for _, x := range p.all {
		wg.Go(func() { f.add(x.run(ctx)) })
	}
	wg.Wait()
	var lost int64
	for _, x := range p.all {
		lost += x.unknown.Load()
	}
	if lost > 0 {
		f.add(fmt.Errorf("the light printers could not frame %d commands", lost))
	}
	return f.err()
}

func (p *lightPapers) close() error {
	for _, x := range p.all {
		if err := x.listener.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
			return err
		}
	}
	return nil
}
