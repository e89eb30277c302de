package fias

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/protocol/ifc"
)

// TestPostingsUnderFaults posts from eight terminals while the hotel loses, delays, repeats and misnumbers its answers and
// connections are cut anywhere. Whatever a caller is told is true: answered means what the hotel's books say, not sent
// means that they hold nothing, and without a fault nothing is uncertain. No posting is sent twice, and each answer is told
// once.
func TestPostingsUnderFaults(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { underFaults(t, rand.New(rand.NewPCG(seed, 1)), 25) })
		})
	}
}

// books is what the hotel did.
type books struct {
	mu       sync.Mutex // guards what follows
	seen     map[int]int
	booked   map[int]bool
	faulty   map[int]bool // an answer was lost, late or wrong
	cut      bool         // this connection was
	answered map[int]int  // in time, by the hook
	unasked  map[int]int
}

func underFaults(t *testing.T, r *rand.Rand, connections int) {
	b := &books{seen: map[int]int{}, booked: map[int]bool{}, faulty: map[int]bool{}, answered: map[int]int{}, unasked: map[int]int{}}
	var number int
	for range connections {
		near, far := net.Pipe()
		link := NewLink(ifc.NewTCP(near, ifc.Options{}), LinkConfig{Log: quiet, Hooks: Hooks{Answer: func(a PostingAnswer, fit Fit) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if fit == InTime {
				b.answered[a.Number]++
			} else {
				b.unasked[a.Number]++
			}
		}}})
		ctx, stop := context.WithCancel(t.Context())
		var all, terminals sync.WaitGroup
		all.Go(func() { link.Run(ctx) })
		b.cut = false
		seed := r.Uint64()
		all.Go(func() { b.serve(far, rand.New(rand.NewPCG(seed, 2)), &all) })
		if link.WaitAlive(t.Context()) != nil {
			stop()
			all.Wait()
			continue
		}
		for range 8 {
			from := number
			number += 10
			terminals.Go(func() {
				for n := from + 1; n <= from+10; n++ {
					a, err := link.Post(t.Context(), PostingRequest{Posting{Number: n, PaymentMethod: "CASH", Total: 5}})
					b.judge(t, n, a, err)
				}
			})
		}
		terminals.Wait()
		time.Sleep(5 * time.Minute) // late answers
		stop()
		all.Wait()
	}
	for n, times := range b.seen {
		if times > 1 {
			t.Errorf("posting %d came %d times", n, times)
		}
	}
	if len(b.seen) < number/3 || len(b.booked) == 0 {
		t.Errorf("of %d postings the hotel saw %d", number, len(b.seen))
	}
}

// judge holds what a caller was told to the books.
func (b *books) judge(t *testing.T, n int, a PostingAnswer, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		if a.Number != n || (a.Status == OK) != b.booked[n] || b.answered[n] != 1 {
			t.Errorf("posting %d: told %s, booked %v, hook told %d times", n, a.Status, b.booked[n], b.answered[n])
		}
	case errors.Is(err, ifc.ErrNotSent):
		if b.seen[n] > 0 {
			t.Errorf("posting %d: told not sent, %v, and the hotel saw it", n, err)
		}
	case !errors.Is(err, ifc.ErrUncertain):
		t.Errorf("posting %d: %v is neither certain nor uncertain", n, err)
	default:
		if !b.faulty[n] && !b.cut {
			t.Errorf("posting %d: %v without a fault", n, err)
		}
		if b.answered[n] != 0 {
			t.Errorf("posting %d: told nobody answered, and its answer came in time", n)
		}
	}
}

// serve is the hotel on one connection.
func (b *books) serve(far net.Conn, r *rand.Rand, all *sync.WaitGroup) {
	conn := ifc.NewTCP(far, ifc.Options{})
	defer conn.Close()
	ctx := context.Background()
	say := func(record string) { conn.Send(ctx, []byte(record)) }
	var host Host
	var view Record
	say("LS|DA250301|TI120000|")
	for {
		raw, err := conn.Receive(ctx)
		if err != nil || Parse(raw, &view) != nil {
			return
		}
		step := host.Take(&view, Codec{})
		if step.Reply != 0 {
			say(step.Reply.String() + "|DA250301|TI120000|")
		}
		if step.Close {
			return
		}
		if !step.Process {
			continue
		}
		n := number(&view, PNum)
		fate := r.IntN(100)
		cut := fate < 3 && r.IntN(4) == 0
		if fate < 3 && !cut {
			fate = 99
		}
		b.mu.Lock()
		b.seen[n]++
		b.booked[n] = fate >= 10 && fate < 95
		b.faulty[n] = fate < 30
		b.cut = b.cut || cut
		b.mu.Unlock()
		ok := fmt.Sprintf("PA|ASOK|P#%d|", n)
		later := func(record string, wait time.Duration) {
			all.Go(func() { time.Sleep(wait); say(record) })
		}
		switch {
		case fate < 1: // the line is cut before it is booked
			return
		case fate < 2: // in the middle of the answer
			far.Write([]byte("\x02PA|ASUR|P"))
			return
		case fate < 3: // after a whole answer that says no
			far.Write(ifc.AppendFrame(nil, fmt.Appendf(nil, "PA|ASUR|P#%d|", n)))
			return
		case fate < 10: // never booked, never answered
		case fate < 17: // booked, answer lost
		case fate < 24:
			later(ok, DefaultPostWait+time.Duration(r.IntN(100))*time.Second)
		case fate < 30:
			say(fmt.Sprintf("PA|ASOK|P#%d|", MaxNumber-n)) // another number
		case fate < 40:
			say(ok)
			say(ok)
		case fate < 60:
			later(ok, time.Duration(r.IntN(50))*time.Second)
		case fate < 95:
			say(ok)
		default:
			say(fmt.Sprintf("PA|ASNP|P#%d|", n))
		}
	}
}

// TestHostileHotel: endless frames, records of a million fields, slow bytes, a link that flaps. The link stands, or ends
// with an error, and its memory stays bounded.
func TestHostileHotel(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		raw := func(p []byte) { // past the limits of our own encoder
			h.far.SetWriteDeadline(time.Time{})
			if _, err := h.far.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		chunk := bytes.Repeat([]byte("GNx|"), 1<<14)
		raw([]byte{ifc.STX})
		for range 256 { // 16 MiB
			raw(chunk)
		}
		million := append([]byte("PL|"), bytes.Repeat([]byte("RN1|"), 1<<20)...)
		raw(ifc.AppendFrame(nil, million))
		many := append([]byte("PL|P#1|"), bytes.Repeat([]byte("RN1|G#1|"), 8000)...)
		mixed := []byte("GI|RN1|")
		for a := byte('!'); a < 0x7F; a++ {
			for b := byte('!'); b < 0x7F; b++ {
				if tag(a, b).Valid() {
					mixed = append(mixed, a, b, '|')
				}
			}
		}
		for range 20 {
			raw(ifc.AppendFrame(nil, many))
			raw(ifc.AppendFrame(nil, mixed))
		}
		for _, b := range ifc.AppendFrame(nil, []byte("GI|RN7|G#7|GSN|")) {
			raw([]byte{b})
			time.Sleep(5 * time.Second)
		}
		synctest.Wait()
		if got := h.heard(); !slices.Contains(got, "GI 7 7 swap false") {
			t.Error("the slow record is missing")
		}
		for range 2000 {
			raw([]byte("\x02LS|\x03\x02LA|\x03\x02NS|\x03\x02NE|\x03\x02DS|\x03\x02DE|\x03\x02\x03\x03\x02|\x03"))
		}
		time.Sleep(time.Minute)
		h.say("LS|")
		for {
			r := h.next(10 * time.Second)
			if r == "" {
				break
			}
			if strings.HasPrefix(r, "LA|") {
				h.say("LA|")
			}
		}
		done := post(t.Context(), h, 1)
		h.expect("PR|")
		h.say("PA|ASOK|P#1|")
		if _, err := done(); err != nil {
			t.Errorf("a posting after all that: %v", err)
		}
		h.heard()
		runtime.GC()
		runtime.ReadMemStats(&after)
	})
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	// A hotel that says LE as soon as somebody comes.
	for range 50 {
		bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
			h.say("LE|")
			<-h.ended
			if h.err != ErrEnded {
				t.Errorf("Run = %v", h.err)
			}
		})
	}
}
