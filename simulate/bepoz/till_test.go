package bepoz

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/bepoz"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a box that keeps everything in memory; its disk outlives a session.
type desk struct {
	mu    sync.Mutex
	last  map[string]int64
	taken []bepoz.Message
	rows  []bepoz.Booking
	open  map[string]string
}

func (d *desk) Hello(_ context.Context, till string, _ bepoz.Version, _ string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last[till], nil
}

func (d *desk) Take(_ context.Context, m bepoz.Message) (bepoz.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.last[m.Till]
	switch bepoz.Judge(last, m.Seq) {
	case bepoz.Next:
		d.taken = append(d.taken, m)
		d.last[m.Till] = m.Seq
		return bepoz.Answer{Ack: m.Seq}, nil
	case bepoz.Gap:
		return bepoz.Answer{Ack: last, Resend: last + 1}, nil
	}
	return bepoz.Answer{Ack: last}, nil
}

var today = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func (d *desk) List(_ context.Context, f bepoz.Filter) ([]bepoz.Booking, time.Duration, error) {
	var all []bepoz.Booking
	for _, b := range d.rows {
		if f.Shows(&b, today) {
			all = append(all, b)
		}
	}
	return all, 3 * time.Second, nil
}

func (d *desk) Show(_ context.Context, reference string) (bepoz.Booking, error) {
	for _, b := range d.rows {
		if b.Reference == reference {
			return b, nil
		}
	}
	return bepoz.Booking{}, &bepoz.Refusal{Code: bepoz.CodeUnknown, Text: "no such booking"}
}

func (d *desk) Open(ctx context.Context, _, reference string) (string, string, error) {
	b, err := d.Show(ctx, reference)
	switch {
	case err != nil:
		return "", "", err
	case !b.Seated:
		return "", "", &bepoz.Refusal{Code: bepoz.CodeNotSeated, Text: "seat the party in the Guest Center first"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[reference] == "" {
		d.open[reference] = fmt.Sprint(len(d.open) + 1)
	}
	return d.open[reference], b.Table, nil
}

// connect gives a session of a till with a box over a real socket.
func connect(t *testing.T, till *Till, d bepoz.Desk) (*Session, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = bepoz.Serve(ctx, conn, d)
		}
		served <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		stop()
		<-served
	})
	return till.Connect(conn)
}

// Numbers twice, a gap, a line cut before its answer, a till that forgets: everything is taken once and in order.
func TestQueue(t *testing.T) {
	t.Parallel()
	till, box := New("T1"), &desk{last: map[string]int64{}}
	at := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	till.Ring("12", "7", bepoz.Opened, at, bepoz.Payload{Covers: 2, Reference: "R1"})
	till.Ring("12", "7", bepoz.Ordered, at, bepoz.Payload{Lines: []bepoz.Line{{Name: "Bœuf", Group: "Mains", Quantity: 1, Price: 2500}}})
	till.Ring("14", "8", bepoz.Opened, at, bepoz.Payload{Covers: 4})
	till.Ring("12", "7", bepoz.Billed, at, bepoz.Payload{})
	till.Ring("12", "7", bepoz.Paid, at, bepoz.Payload{Method: "card", Amount: 2500})
	till.Ring("12", "7", bepoz.Closed, at, bepoz.Payload{Total: 2500})
	till.Break(Faults{Twice: map[int64]bool{2: true}, Lost: map[int64]bool{3: true}, CutAt: 5})
	s, err := connect(t, till, box)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(); !errors.Is(err, ErrCut) {
		t.Fatalf("Drain: %v", err)
	}
	if s, err = connect(t, till, box); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	till.Break(Faults{Restart: 2})
	till.Ring("14", "8", bepoz.Cancelled, at, bepoz.Payload{})
	if s, err = connect(t, till, box); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	for i, m := range box.taken {
		if m.Seq != int64(i+1) || m.Till != "T1" {
			t.Errorf("number %d is %+v", i+1, m)
		}
	}
	if waiting, sent := till.Queue(); len(box.taken) != 7 || waiting != 0 || sent < 9 {
		t.Errorf("%d taken, %d wait, %d sent", len(box.taken), waiting, sent)
	}
	if box.taken[1].Payload.Lines[0].Name != "Bœuf" {
		t.Errorf("%+v", box.taken[1])
	}
}

func rows() []bepoz.Booking {
	var all []bepoz.Booking
	for i, d := range []int{-7, -1, 0, 0, 0, 1, 2, 6, 7} {
		day := today.AddDate(0, 0, d)
		all = append(all, bepoz.Booking{Reference: fmt.Sprintf("R%d", i), Day: day, At: day.Add(19 * time.Hour), Name: fmt.Sprintf("Guest %c", 'A'+i), Covers: 2, Table: fmt.Sprint(i), Seated: i == 3, Over: i == 4, State: "scheduled"})
	}
	return all
}

// The filters of the booking list; a booking is opened when its party sits, and twice gives the same check.
func TestBookingList(t *testing.T) {
	t.Parallel()
	till, box := New("T1"), &desk{last: map[string]int64{}, rows: rows(), open: map[string]string{}}
	s, err := connect(t, till, box)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		item, sub int
		text      string
		want      string
	}{
		{bepoz.All, bepoz.AllDays, "", "R0R1R2R3R4R5R6R7R8"},
		{bepoz.Seated, bepoz.AllDays, "", "R3"},
		{bepoz.NotSeated, bepoz.Today, "", "R2R4"},
		{bepoz.Active, bepoz.Today, "", "R2R3"},
		{bepoz.NotSeated | bepoz.Active, bepoz.Today, "", "R2"},
		{bepoz.All, bepoz.Tomorrow, "", "R5"},
		{bepoz.All, bepoz.Next3Days, "", "R2R3R4R5R6"},
		{bepoz.All, bepoz.Next7Days, "", "R2R3R4R5R6R7"},
		{bepoz.All, bepoz.Yesterday, "", "R1"},
		{bepoz.All, bepoz.LastWeek, "", "R0R1"},
		{bepoz.All, bepoz.Yesterday | bepoz.Tomorrow, "", "R1R5"},
		{bepoz.All, bepoz.Asked, "\t2026-11-22\t2026-11-24", "R5R6"},
		{bepoz.Search, bepoz.AllDays, "guest c", "R2"},
		{bepoz.Search, bepoz.AllDays, "r7", "R7"},
	} {
		found, err := s.List(c.item, c.sub, c.text)
		got := ""
		for _, r := range found {
			got += r[5]
		}
		if err != nil || got != c.want {
			t.Errorf("LIST %d %d %q = %s, %v; want %s", c.item, c.sub, c.text, got, err, c.want)
		}
	}
	var r *Refusal
	if _, err := s.Ask("OPEN", "R2"); !errors.As(err, &r) || r.Code != bepoz.CodeNotSeated {
		t.Errorf("a party that does not sit: %v", err)
	}
	for range 2 {
		if f, err := s.Ask("OPEN", "R3"); err != nil || f[1] != "1" || f[2] != "3" {
			t.Errorf("OPEN R3: %v, %v", f, err)
		}
	}
	for line, code := range map[string]string{"GRID": bepoz.CodeNotSupported, "SHOW\tR99": bepoz.CodeUnknown, "LIST\t64\t0": bepoz.CodeMalformed, "EVT\t1": bepoz.CodeMalformed, "JUMP": bepoz.CodeMalformed,
		"EVT\t1\t12\t7\topened\tnow\t{}": bepoz.CodeMalformed, "LIST\t0\t2\t\tsoon": bepoz.CodeMalformed} {
		if _, err := s.Ask(line); !errors.As(err, &r) || r.Code != code {
			t.Errorf("%s: %v, want %s", line, err, code)
		}
	}
}

func TestVersionAndRights(t *testing.T) {
	t.Parallel()
	box := &desk{last: map[string]int64{}, rows: rows(), open: map[string]string{}}
	var r *Refusal
	for v, good := range map[string]bool{"4.6.1.20": true, "4.6.1.9": false, "4.10.0.0": true, "4.6.1": false, "5": true, "4.6.1.20b": false, "": false} {
		till := New("T1")
		till.Version = v
		_, err := connect(t, till, box)
		if good != (err == nil) || err != nil && !errors.As(err, &r) {
			t.Errorf("version %q: %v", v, err)
		}
	}
	till := New("T1")
	till.Rights = []bepoz.Right{bepoz.AccessStores}
	s, err := connect(t, till, box)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ask("OPEN", "R3"); !errors.As(err, &r) || r.Code != bepoz.CodeRight {
		t.Errorf("without the right: %v", err)
	}
}
