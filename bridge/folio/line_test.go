package folio

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"aboyeur/protocol/ifc"
	"aboyeur/simulate/opera"
)

// The link is cut at every byte of a posting and of its answer: what the box shows is what the hotel has, or that nobody
// knows.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, d := range []struct {
		name    string
		dialect opera.Dialect
		make    func(*house) PMS
		bytes   int64
	}{{"fias", opera.FIAS, fiasLink, 170}, {"xmlpos", opera.XMLPOS, xmlLink, 480}} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, opera.Config{Dialect: d.dialect}, speaking(d.make))
			states := map[string]int{}
			step := int64(1)
			if raceDetector || testing.Short() {
				step = 7
			}
			check := int64(0)
			for _, dir := range []opera.Dir{opera.In, opera.Out} {
				for at := int64(0); at < d.bytes; at += step {
					if err := h.sim.Lift(opera.Cut); err != nil {
						t.Fatal(err)
					}
					h.wait("the link", func() bool { return h.s.gate() == "" })
					h.inject(opera.Fault{Kind: opera.Cut, On: opera.OnPosting, Count: 1, Dir: dir, At: at, Reset: at%2 == 0})
					check++
					r := charge(100, number(int(check)))
					r.Room, r.Reservation, r.Table = "104", "24305", ""
					p := h.place(waiter, number(int(check)), r)
					states[p.State]++
					booked := len(bookings(h, p.Check))
					switch {
					case p.State == Posted && booked != 1, p.State == Refused && booked != 0, booked > 1, !settled(p.State):
						t.Errorf("cut at byte %d of what goes %s: %s %q, booked %d", at, dir, p.State, p.Reason, booked)
					}
				}
			}
			if states[Unknown] == 0 {
				t.Errorf("no cut left anybody in doubt: %v", states)
			}
		})
	}
}

// serialLink speaks FIAS over lines with LRC, ACK and NAK; a pipe stands for the cable.
func serialLink(h *house) PMS {
	f, err := NewFIAS(FIASConfig{
		Dial: func(ctx context.Context, o ifc.Options) (ifc.Conn, error) {
			ours, theirs := net.Pipe()
			h.cables.Go(func() { _ = h.sim.ServeLine(context.Background(), theirs) })
			o.Answer = unhurried // the disk may take its time before an answer is acknowledged
			return ifc.NewSerial(ours, o), nil
		},
		Peer: "cable", Location: h.config.Calendar.Location, Currency: "EUR", AnswerTimeout: h.config.AnswerTimeout, StartWait: 50 * time.Millisecond,
		Backoff: ifc.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, Now: h.now, Log: quiet,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// On a serial line an answer is on disk before it is acknowledged.
func TestSerialLine(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{Line: ifc.Options{Answer: unhurried}}, speaking(serialLink))
	t.Cleanup(func() {
		h.stop()
		h.sim.Close()
		h.cables.Wait()
	})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := charge(100, number(i+1))
			r.Room, r.Reservation = "104", "24305"
			p, _, err := h.s.Place(t.Context(), waiter, number(i+1), Order{Request: r, Wait: unhurried})
			if err != nil || p.State != Posted || p.Answer != "OK" || p.Resolution != nil {
				t.Errorf("posting %d: %+v %v", i, p, err)
			}
		})
	}
	all.Wait()
	if n := len(h.ledger()); n != 8 {
		t.Errorf("booked %d", n)
	}
	h.inject(opera.Fault{Kind: opera.Refused, On: opera.OnPosting, Status: "DN", Count: 1})
	r := charge(100, "9")
	r.Room, r.Reservation = "104", "24305"
	if p := h.place(waiter, "9", r); p.State != Refused || p.Reason != "dn" {
		t.Errorf("a refusal: %+v", p)
	}
}

// A night audit whose end never comes is over some time, and outlasts a connection until then.
func TestNightWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, speaking(func(h *house) PMS {
		f, err := NewFIAS(FIASConfig{
			Dial: tcpDial(h), Location: h.config.Calendar.Location, Currency: "EUR", AnswerTimeout: h.config.AnswerTimeout, StartWait: 50 * time.Millisecond,
			NightLimit: time.Hour, Backoff: ifc.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, Now: h.now, Log: quiet,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		return f
	}))
	h.inject(opera.Fault{Kind: opera.NightBegins})
	h.wait("night", func() bool { return h.s.gate() == Audit })
	if p := h.place(waiter, "k", charge(100, "1")); p.Reason != "na" {
		t.Errorf("at night: %+v", p)
	}
	h.set(h.now().Add(2 * time.Hour))
	h.inject(opera.Fault{Kind: opera.DropLink})
	h.wait("the morning", func() bool { return h.s.gate() == "" })
}
