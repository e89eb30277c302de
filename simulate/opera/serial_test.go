package opera

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/protocol/ifc"
)

// line is a vendor on a pseudo-terminal.
func line(t *testing.T, s *Simulator, o ifc.Options) *vendor {
	t.Helper()
	a, b := openPty(t)
	v := &vendor{t: t, raw: a, conn: ifc.NewSerial(a, o)}
	serve(t, func(ctx context.Context) error { return s.ServeLine(ctx, b) })
	t.Cleanup(func() { v.conn.Close() })
	return v
}

// quick are timers that a test can wait for.
var quick = ifc.Options{Answer: 200 * time.Millisecond, Enquiry: 200 * time.Millisecond}

// A link over a pseudo-terminal, with the protocol of serial lines under it.
func TestSerial(t *testing.T) {
	s := newSim(t, Config{})
	v := line(t, s, ifc.Options{})
	v.script(handshake)
	v.inquire(1, "2781")
	for i := range 50 { // their check characters take many values
		v.say(posting(i+2, 100+i))
		v.expect(posted(i+2, 4711+i))
	}
	v.quiet()
	if n := len(s.Hotel().Ledger(0)); n != 50 {
		t.Errorf("%d postings, want 50", n)
	}
	if st := s.State(); len(st.Links) != 1 || !st.Links[0].Serial || !st.Links[0].Alive {
		t.Errorf("state %+v", st)
	}
	// After LE the line stays, and the next record begins anew (fias.md 3.4).
	v.script("> LE|DA250301|TI120000|\n< LE|DA250301|TI120000|\n> PR|PI101|P#1|WS1|\n" + handshake)
}

// Damage on the line: nothing is booked twice and nothing gets lost, but where the vendor is told so.
func TestSerialFaults(t *testing.T) {
	for _, test := range []struct {
		f Fault
		o ifc.Options // of the vendor
	}{
		{Fault{Kind: CorruptIn, Count: 1}, ifc.Options{}},       // NAK: the vendor repeats
		{Fault{Kind: CorruptIn, Count: 3}, ifc.Options{}},       // the last of its repeats arrives
		{Fault{Kind: CorruptOut, Count: 1}, ifc.Options{}},      // the vendor answers NAK, the hotel repeats
		{Fault{Kind: CorruptOut, Count: 3}, ifc.Options{}},      //
		{Fault{Kind: AckLost, Count: 1}, quick},                 // ENQ brings the ACK
		{Fault{Kind: AckWrong, Count: 1}, quick},                // so does it here
		{Fault{Kind: AckWrong, Data: "15", Count: 1}, quick},    // NAK for ACK: the vendor repeats what was taken
		{Fault{Kind: Garbage, Data: "00ff7f0a"}, ifc.Options{}}, // noise between records
		{Fault{Kind: Split, Count: 1}, ifc.Options{}},
		{Fault{Kind: Restarted, Count: 1}, ifc.Options{}},
	} {
		t.Run(string(test.f.Kind)+" "+test.f.Data, func(t *testing.T) {
			s := newSim(t, Config{})
			v := line(t, s, test.o)
			v.script(handshake)
			v.inquire(1, "2781")
			inject(t, s, test.f)
			v.say(posting(2, 100))
			v.expect(posted(2, 4711))
			want := 1
			if test.f.Data == "15" {
				v.expect(posted(2, 4712)) // the line lied, and FIAS cannot know
				want = 2
			}
			v.quiet()
			if n := len(s.Hotel().Ledger(0)); n != want {
				t.Errorf("%d postings, want %d", n, want)
			}
			if _, struck := s.faults.list(); struck[test.f.Kind] == 0 {
				t.Error("the fault did not strike")
			}
		})
	}
}

// A vendor whose every frame is damaged is told: nothing arrived, nothing is booked.
func TestSerialRefused(t *testing.T) {
	s := newSim(t, Config{})
	v := line(t, s, ifc.Options{})
	v.script(handshake)
	v.inquire(1, "2781")
	inject(t, s, Fault{Kind: CorruptIn})
	err := v.conn.Send(t.Context(), []byte(posting(2, 100)))
	if !errors.Is(err, ifc.ErrNotSent) {
		t.Errorf("Send = %v, want ErrNotSent", err)
	}
	s.Lift("")
	v.quiet()
	if n := len(s.Hotel().Ledger(0)); n != 0 {
		t.Errorf("%d postings", n)
	}
}

// A vendor who hears no ACK at all cannot know; here it was booked.
func TestSerialSilent(t *testing.T) {
	s := newSim(t, Config{})
	v := line(t, s, quick)
	v.script(handshake)
	v.inquire(1, "2781")
	inject(t, s, Fault{Kind: Silent})
	err := v.conn.Send(t.Context(), []byte(posting(2, 100)))
	if !errors.Is(err, ifc.ErrUncertain) {
		t.Errorf("Send = %v, want ErrUncertain", err)
	}
	eventually(t, "it is booked", func() bool { return len(s.Hotel().Ledger(0)) == 1 })
}

// The line is cut in the middle of a record.
func TestSerialCut(t *testing.T) {
	s := newSim(t, Config{})
	v := line(t, s, quick)
	v.script(handshake)
	v.inquire(1, "2781")
	inject(t, s, Fault{Kind: Cut, At: 20, On: OnPosting, Count: 1})
	if err := v.conn.Send(t.Context(), []byte(posting(2, 100))); err == nil || errors.Is(err, ifc.ErrNotSent) {
		t.Errorf("Send = %v, want an uncertain end", err)
	}
	if n := len(s.Hotel().Ledger(0)); n != 0 {
		t.Errorf("%d postings", n)
	}
}

// Without a peer: LS, three ENQ three seconds apart, and LS again, for ever (fias.md 1.4).
func TestSerialAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{Log: nil})
		a, b := net.Pipe()
		serve(t, func(ctx context.Context) error { return s.ServeLine(ctx, b) })
		defer a.Close()
		start := time.Now()
		const frame = "\x02LS|DA250301|TI120000|\x03"
		var got []string
		for len(got) < 10 {
			buf := make([]byte, 64)
			n, err := a.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			what := string(buf[:n])
			if strings.HasPrefix(what, frame) {
				what = "LS"
			} else if what == "\x05" {
				what = "ENQ"
			}
			got = append(got, what+" "+time.Since(start).Round(time.Second).String())
		}
		if want := "LS 0s,ENQ 3s,ENQ 6s,ENQ 9s,LS 15s,ENQ 18s,ENQ 21s,ENQ 24s,LS 30s,ENQ 33s"; strings.Join(got, ",") != want {
			t.Errorf("heard %s\nwant  %s", strings.Join(got, ","), want)
		}
	})
}

// A vendor that writes byte for byte what Oracle's traces have; the answers are bytes, too.
func TestSerialBytes(t *testing.T) {
	s := newSim(t, Config{Line: ifc.Options{Answer: time.Minute}})
	a, b := openPty(t)
	serve(t, func(ctx context.Context) error { return s.ServeLine(ctx, b) })
	read := func(n int) string {
		t.Helper()
		a.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, n)
		if _, err := io.ReadFull(a, buf); err != nil {
			t.Fatalf("%q, %v", buf, err)
		}
		return string(buf)
	}
	expect := func(want string) {
		t.Helper()
		if got := read(len(want)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	frame := func(r string) string { return string(ifc.AppendSerial(nil, []byte(r))) }
	expect(frame("LS|DA250301|TI120000|"))
	a.WriteString("\x06" + frame("LD|DA161117|TI102203|V#1.0|IFWW|"))
	expect("\x06")
	a.WriteString("\x02LR|RIPS|FLRNPTTASODATIP#|\x03X") // a wrong check character
	expect("\x15")
	a.WriteString("\x05") // ENQ: the NAK again
	expect("\x15")
	for _, r := range []string{"LR|RIPS|FLRNPTTASODATIP#|", "LR|RIPA|FLRNASP#|"} {
		a.WriteString(frame(r))
		expect("\x06")
	}
	answered := func(r, want string) {
		t.Helper()
		a.WriteString(frame(r))
		want = frame(want)
		if got := read(1 + len(want)); got != "\x06"+want && got != want+"\x06" { // both directions run at once
			t.Fatalf("got %q, want ACK and %q", got, want)
		}
		a.WriteString("\x06")
	}
	answered("LA|DA161117|TI102204|", "LA|DA250301|TI120000|")
	// Check characters that look like the link's own bytes (fias.md 1.4).
	for i, p := range []string{"1732", "69", "68", "19", "29"} {
		r := "PS|RN2781|PTC|SO100|TA1450|DA000915|TI124254|P#" + p + "|"
		if lrc := ifc.LRC([]byte(r)); lrc != []byte{0x0A, 0x02, 0x03, 0x05, 0x06}[i] {
			t.Fatalf("LRC of %s = %02X", r, lrc)
		}
		answered(r, "PA|RN2781|ASOK|P#"+p+"|")
		a.WriteString("\x05") // a byte has come since our ACK: it is forgotten, or it is told again; nothing is booked again
		if got := read(1); got != "\x06" && got != "\x15" {
			t.Fatalf("ENQ answered by %q", got)
		}
	}
	if n := len(s.Hotel().Ledger(0)); n != 5 {
		t.Errorf("%d postings, want 5", n)
	}
}
