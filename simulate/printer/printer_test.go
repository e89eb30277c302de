package printer

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A host is the other end of a printer's cable: it writes bytes and remembers what came back.
type host struct {
	t    *testing.T
	conn net.Conn
	mu   sync.Mutex
	got  []byte
	err  error
	done chan struct{}
}

func newHost(t *testing.T, conn net.Conn) *host {
	h := &host{t: t, conn: conn, done: make(chan struct{})}
	go func() {
		defer close(h.done)
		buf := make([]byte, 512)
		for {
			n, err := conn.Read(buf)
			h.mu.Lock()
			h.got = append(h.got, buf[:n]...)
			if err != nil {
				h.err = err
			}
			h.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-h.done })
	return h
}

// connect plugs a host into p inside a synctest bubble.
func connect(t *testing.T, p *Printer) *host {
	t.Helper()
	a, b := net.Pipe()
	var served sync.WaitGroup
	served.Go(func() { p.ServeConn(context.Background(), b) })
	t.Cleanup(served.Wait)
	h := newHost(t, a)
	synctest.Wait()
	return h
}

// send writes hexadecimal bytes, 'text' in single quotes.
func (h *host) send(s string) {
	h.t.Helper()
	if _, err := h.conn.Write(code(s)); err != nil {
		h.t.Fatalf("send %s: %v", s, err)
	}
}

// expect compares what came back since the last call, once everything in the bubble has come to rest.
func (h *host) expect(want string) {
	h.t.Helper()
	synctest.Wait()
	if got := h.take(); got != strings.ToUpper(want) {
		h.t.Errorf("answers = %q, want %q", got, strings.ToUpper(want))
	}
}

func (h *host) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := fmt.Sprintf("% X", h.got)
	h.got = nil
	return s
}

func code(s string) []byte {
	var b []byte
	for s != "" {
		if s[0] == '\'' {
			text, rest, _ := strings.Cut(s[1:], "'")
			b, s = append(b, text...), rest
			continue
		}
		word, rest, _ := strings.Cut(s, "'")
		if rest != "" || strings.HasSuffix(s, "'") {
			rest = "'" + rest
		}
		x, err := hex.DecodeString(strings.ReplaceAll(word, " ", ""))
		if err != nil {
			panic(err)
		}
		b, s = append(b, x...), rest
	}
	return b
}

func newPrinter(t *testing.T, c Config) *Printer {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// bubble runs a test with a printer and a host that are plugged together.
func bubble(t *testing.T, c Config, f func(t *testing.T, p *Printer, h *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPrinter(t, c)
		f(t, p, connect(t, p))
	})
}

const (
	start  = "1B40 1C2E 1B5200 1D61FF 1B7410"
	cut    = "1D5642 00"
	tokenP = "1D2848 0600 3030 '!!!P'"
	tokenC = "1D2848 0600 3030 '!!!C'"
	echoP  = "37 22 21 21 21 50 00"
	echoC  = "37 22 21 21 21 43 00"
	well   = "10 00 00 00"
	order  = "'Table 12' 0A '2 Margherita' 0A"
	ticket = start + order + "'END 0142' 0A" + tokenP + cut + tokenC
)

const orderText = "Table 12\n2 Margherita\n"

// texts gives the tickets as their text lines without trailing blanks.
func texts(p *Printer) []string {
	var all []string
	for _, k := range p.Tickets() {
		all = append(all, trim(k.Text))
	}
	return all
}

func trim(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// The stream of one ticket, escpos.md 10.3, brings exactly the frame that GS a asks for, P and C, however it is split.
func TestTicketAnswersPThenC(t *testing.T) {
	whole := code(ticket)
	for _, step := range []int{len(whole), 1, 7} {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			for b := range chunks(whole, step) {
				h.conn.Write(b)
			}
			h.expect(well + " " + echoP + " " + echoC)
			if got, want := texts(p), orderText+"END 0142\n"; len(got) != 1 || got[0] != want {
				t.Errorf("in steps of %d: paper = %q, want %q", step, got, want)
			}
		})
	}
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			k := min(n, len(b))
			if !yield(b[:k]) {
				return
			}
			b = b[k:]
		}
	}
}

func TestTicketIsInTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ledger bytes.Buffer
		p := newPrinter(t, Config{Ledger: &ledger})
		h := connect(t, p)
		h.send(start)
		time.Sleep(1500 * time.Microsecond)
		h.send(order + "'** REPRINT 2 **' 0A '-- END 0142 --' 0A")
		time.Sleep(time.Second)
		h.send(cut)
		time.Sleep(time.Second)
		h.send(tokenC)
		synctest.Wait()
		var got Ticket
		if err := json.Unmarshal(ledger.Bytes(), &got); err != nil {
			t.Fatalf("ledger %q: %v", ledger.Bytes(), err)
		}
		zero := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where a bubble's clock starts
		if n := len(code(start + order + "'** REPRINT 2 **' 0A '-- END 0142 --' 0A" + cut)); got.Bytes != int64(n-len(code("1D61FF"))) {
			t.Errorf("bytes = %d, want the ticket's %d without GS a", got.Bytes, n-3)
		}
		if !got.FirstByteAt.Equal(zero) || !got.LastByteAt.Equal(zero.Add(time.Second+1500*time.Microsecond)) || !got.At.Equal(got.LastByteAt) {
			t.Errorf("times = %v %v %v", got.FirstByteAt, got.LastByteAt, got.At)
		}
		if got.N != 1 || !got.Banner || got.Partial || got.Sequence != 142 || got.Ended != Cut || bytes.Count(ledger.Bytes(), []byte("\n")) != 1 {
			t.Errorf("ticket = %+v", got)
		}
	})
}

func TestWhatIsNotOnPaper(t *testing.T) {
	for _, test := range []struct{ name, send, want, hanging string }{
		{"half a line", "1B40 'one' 0A 'two'", "", "one\n"},
		{"ESC @ drops half a line", "'one' 0A 'two' 1B40 'three' 0A" + cut, "one\nthree\n", ""},
		{"cut in the middle of a line is ignored", "'one'" + cut + "0A", "", "one\n"},
		{"blank paper", "0A 1B6403" + cut, "", ""},
		{"another device selected", "'one' 0A 1B3D02 'two' 0A 1B3D01 'three' 0A" + cut, "one\nthree\n", ""},
		{"two tickets without a cut between", "'one' 0A 1B40 'two' 0A" + cut, "one\ntwo\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
				h.send(test.send)
				h.expect("")
				if got := strings.Join(texts(p), "--\n"); got != test.want {
					t.Errorf("paper = %q, want %q", got, test.want)
				}
				if got := trim(p.Paper()); got != test.hanging {
					t.Errorf("hanging out = %q, want %q", got, test.hanging)
				}
			})
		})
	}
}

func TestRealTimeOvertakesTheQueue(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1D61FF")
		h.expect(well)
		p.Inject(Fault{Kind: PaperOut})
		h.expect("18 00 0C 00")
		h.send("1D7201" + order + tokenP + "1D4942")
		h.expect("")
		h.send("100401 100402 100403 100404")
		h.expect("1A 32 12 72")
		p.Lift(PaperOut)
		h.expect(well + " 00 " + echoP + " 5F 45 50 53 4F 4E 00")
	})
}

// In one write the real-time answer comes first though its question stands last.
func TestStatusIsNoFence(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send(order + tokenP + "100401")
		h.expect("12 " + echoP)
	})
}

func TestRealTimeInsideAPicture(t *testing.T) {
	for _, send := range []string{"1D763000 0400 0200 00 100401 00 100404", "1D763000 0400 0200 00 10"} {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			h.send(send)
			if strings.HasSuffix(send, "10") { // split inside
				h.expect("")
				h.send("0401 00 100404")
			}
			h.expect("12 12")
			h.send(tokenP)
			h.expect(echoP)
			if s := p.State(); s.Wanting != 0 {
				t.Errorf("%d bytes wanted after a whole picture", s.Wanting)
			}
		})
	}
}

func TestAbilities(t *testing.T) {
	const questions = "1D61FF 1D7201 1D7202 1B76 1D4902 1D4941 1D6732001400" + tokenP + "100401"
	for _, test := range []struct {
		name   string
		config Config
		want   string
	}{
		{"all", Config{Firmware: "1.0"}, "12 10 00 00 00 00 00 00 02 5F 31 2E 30 00 5F 30 00 " + echoP},
		{"no process id", Config{Without: ProcessID, Firmware: "1"}, "12 10 00 00 00 00 00 00 02 5F 31 00 5F 30 00"},
		{"TM-U220 has no process id", Config{Model: "epson-tm-u220", Firmware: "1"}, "12 10 00 00 00 00 00 00 02 5F 31 00 5F 30 00"},
		{"no fence", Config{Without: Fence, Firmware: "1"}, "12 10 00 00 00 02 5F 31 00 5F 30 00 " + echoP},
		{"no ASB", Config{Without: ASB, Firmware: "1"}, "12 00 00 00 02 5F 31 00 5F 30 00 " + echoP},
		{"no identity, no counters", Config{Without: Identify | Counters}, "12 10 00 00 00 00 00 00 " + echoP},
		{"no real time", Config{Without: RealTime | Identify | Counters}, "10 00 00 00 00 00 00 " + echoP},
		{"byte 4", Config{ASBByte4: 0x0F, Without: ^ASB}, "10 00 00 0F"},
		{"silent", Config{Silent: true}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, test.config, func(t *testing.T, p *Printer, h *host) {
				h.send(questions)
				h.expect(test.want)
			})
		})
	}
}

func TestPaperOutInTheMiddle(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		p.Inject(Fault{Kind: PaperOut, At: int64(len(code(start + "'Table 12' 0A '2 Mar'")))})
		h.send(ticket)
		h.expect(well + " 18 00 0C 00")
		if got := trim(p.Paper()); got != "Table 12\n" {
			t.Errorf("paper so far = %q", got)
		}
		h.send("1004021004")
		h.expect("32")
		h.send("04")
		h.expect("72")
		p.Lift(PaperOut)
		h.expect(well + " " + echoP + " " + echoC)
		k := p.Tickets()
		if len(k) != 1 || trim(k[0].Text) != orderText+"END 0142\n" || fmt.Sprint(k[0].Interrupted) != "[paper_out]" {
			t.Errorf("tickets = %+v", k)
		}
	})
}

func TestCoverInTheMiddleIsAnError(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1D61FF")
		h.expect(well)
		p.Inject(Fault{Kind: Cover, For: Duration(time.Second)})
		h.expect("38 00 00 00")
		h.send("100401100402100403100404")
		h.expect("1A 16 12 12")
		time.Sleep(time.Second)
		h.expect(well)
		h.send(order)
		p.Inject(Fault{Kind: Cover})
		h.expect("38 40 00 00")
		h.send("100402100403")
		h.expect("56 52")
		h.send(tokenP)
		p.Lift(Cover)
		h.expect(well + " " + echoP)
	})
}

func TestCutterJam(t *testing.T) {
	jam := func(t *testing.T, p *Printer, h *host) {
		p.Inject(Fault{Kind: Cutter})
		h.send(ticket)
		h.expect(well + " " + echoP + " 18 08 00 00")
		h.send("100402100403")
		h.expect("52 1A")
		h.send("100501") // still jammed
		h.expect("")
		p.Lift(Cutter)
		h.expect("")
		if s := p.State(); s.Online || s.Reason != "cutter" {
			t.Errorf("state = %+v, want the error to stay", s)
		}
	}
	t.Run("DLE ENQ 1 cuts and goes on", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			jam(t, p, h)
			h.send("100501")
			h.expect(well + " " + echoC)
			if k := p.Tickets(); len(k) != 1 || k[0].Partial {
				t.Errorf("tickets = %+v", k)
			}
		})
	})
	t.Run("DLE ENQ 2 clears", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			jam(t, p, h)
			h.send("100502")
			h.expect("37 25 00 " + well)
			if k := p.Tickets(); len(k) != 1 || !k[0].Partial || k[0].Ended != Cleared {
				t.Errorf("tickets = %+v", k)
			}
			h.send(ticket)
			h.expect(well + " " + echoP + " " + echoC)
		})
	})
}

func TestClearThrowsTheRestAway(t *testing.T) {
	for _, clear := range []string{"1014 08 01 03 14 01 06 02 08", "100502"} {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			p.Inject(Fault{Kind: PaperOut, At: int64(len(code(start + "'Table 12' 0A")))})
			h.send(ticket)
			h.expect(well + " 18 00 0C 00")
			h.send(clear + "'new'")
			h.expect("37 25 00")
			p.Lift(PaperOut)
			h.expect(well)
			h.send("0A" + cut + tokenC)
			h.expect(echoC)
			if got := strings.Join(texts(p), "--\n"); got != "Table 12\n--\nnew\n" {
				t.Errorf("paper = %q", got)
			}
		})
	}
}

func TestPowerCycle(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		p.Inject(Fault{Kind: PowerCycle, At: int64(len(code(start + "'Table 12' 0A '2 Ma'")))})
		p.Inject(Fault{Kind: PaperOut})
		h.send(ticket + "1D61FF")
		h.expect("")
		p.Lift(PaperOut)
		h.expect(well) // and then the power goes
		if h.err == nil {
			t.Fatal("the connection stays")
		}
		if s := p.State(); s.Power || s.Queued != 0 || s.PowerCycles != 1 {
			t.Errorf("state = %+v", s)
		}
		if h := connect(t, p); h.err == nil {
			t.Error("a printer without power takes connections")
		}
		time.Sleep(DefaultPowerPause + time.Millisecond)
		h = connect(t, p)
		h.send(tokenC + "100401")
		h.expect("12 " + echoC)
		p.Inject(Fault{Kind: PaperLow}) // ASB is off after power-up
		h.expect("")
		if k := p.Tickets(); len(k) != 1 || !k[0].Partial || k[0].Ended != Power || trim(k[0].Text) != "Table 12\n" {
			t.Errorf("tickets = %+v", k)
		}
	})
}

func TestCountersSurvivePower(t *testing.T) {
	const cuts, lines, lifetime = "1D67 3200 3200", "1D67 3200 1400", "1D67 3200 B200"
	bubble(t, Config{Without: ASB}, func(t *testing.T, p *Printer, h *host) {
		h.send("'a' 0A" + cut + "'b' 0A 1B6402" + cut)
		p.Inject(Fault{Kind: PowerCycle, For: Duration(time.Second)})
		time.Sleep(2 * time.Second)
		h = connect(t, p)
		h.send(cuts + lines)
		h.expect("5F 32 00 5F 34 00")
		h.send("1D67 3000 3200" + cuts + lifetime)
		h.expect("5F 30 00 5F 32 00")
	})
}

func TestPowerOffSequence(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1D2844 0300 14 0200")
		h.send("1014020108") // switched off: nothing happens
		h.expect("")
		h.send("1B40")
		h.send("1014020108")
		h.expect("3B 30 00")
		if p.State().Power {
			t.Error("power stays on")
		}
		p.Lift(PowerCycle)
		if !p.State().Power {
			t.Error("power stays off")
		}
	})
}

func TestOnlyTheNewestEchoIsKept(t *testing.T) {
	t.Run("held", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			p.Inject(Fault{Kind: HoldReplies, For: Duration(time.Minute)})
			h.send("1D7201" + tokenP + tokenC)
			h.expect("")
			time.Sleep(time.Minute)
			h.expect("00 " + echoC)
		})
	})
	t.Run("host does not read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPrinter(t, Config{})
			a, b := net.Pipe()
			var served sync.WaitGroup
			served.Go(func() { p.ServeConn(context.Background(), b) })
			defer served.Wait()
			a.Write(code("1D4901")) // the write of its answer blocks
			synctest.Wait()
			for i := range 600 {
				a.Write(code(fmt.Sprintf("1D2848 0600 3030 '%04d' 1D7201", i)))
			}
			time.Sleep(time.Second)
			h := newHost(t, a)
			synctest.Wait()
			got, _ := hex.DecodeString(strings.ReplaceAll(h.take(), " ", ""))
			if len(got) > 2*maxReplies {
				t.Errorf("%d bytes waited for the host", len(got))
			}
			if echoes := bytes.Count(got, []byte{0x37, 0x22}); echoes != 1 || !bytes.Contains(got, []byte("0599")) {
				t.Errorf("%d echoes in %q, want the newest alone", echoes, got)
			}
			a.Close()
		})
	})
}

func TestEchoFaults(t *testing.T) {
	const foreign = "37 22 7E 58 58 7E 00"
	for _, test := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Kind: EchoLost}, ""},
		{Fault{Kind: EchoLost, Count: 1}, echoC},
		{Fault{Kind: EchoForeign}, foreign + " " + echoP + " " + foreign + " " + echoC},
		{Fault{Kind: EchoForeign, Count: 1, Data: "41424344"}, "37 22 41 42 43 44 00 " + echoP + " " + echoC},
		{Fault{Kind: EchoDuplicate, Count: 1}, echoP + " " + echoP + " " + echoC},
		{Fault{Kind: ASBBetween}, well + " " + echoP + " " + well + " " + echoC},
		{Fault{Kind: Garbage}, "FF 42 C3 " + echoP + " " + echoC},
		{Fault{Kind: Garbage, Data: "00ff", At: int64(len(code(order + tokenP)))}, echoP + " 00 FF " + echoC},
		{Fault{Kind: Silent}, ""},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
				if err := p.Inject(test.fault); err != nil {
					t.Fatal(err)
				}
				h.send(order + tokenP + cut + tokenC)
				h.expect(test.want)
				if k := p.Tickets(); len(k) != 1 || k[0].Partial {
					t.Errorf("tickets = %+v", k)
				}
			})
		})
	}
}

func TestAutomaticStatus(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1D6108") // paper only
		h.expect(well)
		p.Inject(Fault{Kind: Drawer})
		p.Inject(Fault{Kind: Hot})
		h.expect("")
		p.Inject(Fault{Kind: PaperLow})
		h.expect("1C 40 03 00")
		p.Lift("")
		h.expect(well)
		h.send("1B40")
		p.Inject(Fault{Kind: PaperLow})
		h.expect("")
		h.send("10140701") // now
		h.expect("10 00 03 00")
	})
}

func TestStuckInterpreter(t *testing.T) {
	for _, test := range []struct{ name, cure, answer string }{
		{"NULs", strings.Repeat("00", 8192), ""},
		{"clear", "1014 08 01 03 14 01 06 02 08", "37 25 00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
				p.Inject(Fault{Kind: Stuck, At: 4})
				h.send("'abc' 0A" + order + tokenP + "100401")
				h.expect("12") // real time alone
				if s := p.State(); s.Wanting == 0 || !s.Online {
					t.Errorf("state = %+v", s)
				}
				h.send(test.cure)
				h.expect(test.answer)
				h.send(ticket)
				h.expect(well + " " + echoP + " " + echoC)
			})
		})
	}
}

func TestSpeed(t *testing.T) {
	bubble(t, Config{Speed: Speed{LinesPerSecond: 4, Cut: time.Second}}, func(t *testing.T, p *Printer, h *host) {
		start := time.Now()
		h.send(order + "'END 1' 0A 0A" + tokenP + cut + tokenC + "100401")
		h.expect("12")
		time.Sleep(999 * time.Millisecond)
		h.expect("")
		time.Sleep(time.Millisecond)
		h.expect(echoP)
		time.Sleep(999 * time.Millisecond)
		h.expect("")
		time.Sleep(time.Millisecond)
		h.expect(echoC)
		if k := p.Tickets()[0]; !k.LastByteAt.Equal(stamp(start)) || k.At.Sub(start) != time.Second {
			t.Errorf("ticket = %+v: arrival and cut are not told apart", k)
		}
		time.Sleep(time.Hour) // idle time is not caught up
		p.Inject(Fault{Kind: Slow, LinesPerSecond: 1})
		h.send(order + tokenP)
		time.Sleep(1900 * time.Millisecond)
		h.expect("")
		time.Sleep(100 * time.Millisecond)
		h.expect(echoP)
		p.Lift(Slow)
		h.send(order + tokenP)
		h.expect("")
		time.Sleep(time.Second / 2)
		h.expect(echoP)
	})
}

func TestBytesPerSecond(t *testing.T) {
	bubble(t, Config{Speed: Speed{BytesPerSecond: 1000}}, func(t *testing.T, p *Printer, h *host) {
		h.send("1D763000 6400 1400" + strings.Repeat("AA", 2000) + tokenP)
		time.Sleep(1990 * time.Millisecond)
		h.expect("")
		time.Sleep(20 * time.Millisecond)
		h.expect(echoP)
	})
}

// The queue is finite: the host must wait. What polls a stopped printer does not fill it.
func TestFullQueueHoldsTheHost(t *testing.T) {
	bubble(t, Config{ReceiveBuffer: 200}, func(t *testing.T, p *Printer, h *host) {
		p.Inject(Fault{Kind: PaperOut})
		for range 1000 {
			h.send("100401")
		}
		h.expect(strings.TrimSpace(strings.Repeat("1A ", 1000)))
		h.conn.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := h.conn.Write(bytes.Repeat([]byte("abcdefg\n"), 100))
		if err == nil || n < 190 || n > 200 {
			t.Errorf("write = %d, %v; want what the buffer holds and a timeout", n, err)
		}
		h.conn.SetWriteDeadline(time.Time{})
		p.Lift(PaperOut)
		h.send("0A" + cut + tokenC)
		h.expect(echoC)
		if s := p.State(); s.Queued != 0 {
			t.Errorf("%d bytes left", s.Queued)
		}
	})
}

func TestLinkFaults(t *testing.T) {
	t.Run("drop_link: printed from RAM, echo lost", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			p.Inject(Fault{Kind: DropLink, At: int64(len(code(start + order)))})
			h.send(ticket)
			synctest.Wait()
			if h.err == nil {
				t.Error("the connection stays")
			}
			if got := texts(p); len(got) != 1 || got[0] != orderText+"END 0142\n" {
				t.Errorf("paper = %q", got)
			}
			h = connect(t, p)
			h.send(tokenC)
			h.expect(echoC)
		})
	})
	t.Run("drop_link on arrival: the rest never came", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			p.Inject(Fault{Kind: DropLink, At: int64(len(code(start + order))), Where: "arrive", For: Duration(time.Second)})
			h.conn.Write(code(ticket))
			synctest.Wait()
			if got := texts(p); len(got) != 0 || trim(p.Paper()) != orderText {
				t.Errorf("paper = %q, hanging out %q", got, p.Paper())
			}
			if connect(t, p).err == nil {
				t.Error("the link is down and takes connections")
			}
			time.Sleep(time.Second)
			h = connect(t, p)
			h.send(tokenP)
			h.expect(echoP)
		})
	})
	t.Run("hang: the cable is out", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
			p.Inject(Fault{Kind: Hang})
			h.send("100401") // was being read already
			h.conn.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := h.conn.Write(code("100401")); err == nil {
				t.Error("a second write went through")
			}
			h.expect("")
			h.conn.SetWriteDeadline(time.Time{})
			p.Lift(Hang)
			h.expect("12")
		})
	})
	t.Run("idle", func(t *testing.T) {
		bubble(t, Config{IdleTimeout: time.Minute}, func(t *testing.T, p *Printer, h *host) {
			time.Sleep(59 * time.Second)
			h.send("00")
			time.Sleep(59 * time.Second)
			h.send("00")
			time.Sleep(time.Minute)
			synctest.Wait()
			if h.err == nil {
				t.Error("the connection stays")
			}
		})
	})
}

func TestPartialTicketAtTheEnd(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send(order)
		synctest.Wait()
		p.Close()
		if k := p.Tickets(); len(k) != 1 || !k[0].Partial || k[0].Ended != Closed || trim(k[0].Text) != orderText {
			t.Errorf("tickets = %+v", k)
		}
		if err := p.Inject(Fault{Kind: Cover}); !errors.Is(err, ErrClosed) {
			t.Errorf("Inject after Close = %v, want ErrClosed", err)
		}
	})
}

// Memory is bounded, counts are not.
func TestTicketsKept(t *testing.T) {
	bubble(t, Config{Keep: 3, Raw: true}, func(t *testing.T, p *Printer, h *host) {
		for i := range 10 {
			h.send(fmt.Sprintf("'%d' 0A", i) + cut)
		}
		synctest.Wait()
		k := p.Tickets()
		if len(k) != 3 || k[0].N != 8 || p.State().Tickets != 10 {
			t.Errorf("tickets = %+v", k)
		}
		if got := fmt.Sprintf("% X", k[2].Raw); got != "39 0A 1D 56 42 00" {
			t.Errorf("raw = %s", got)
		}
	})
}

func TestReading(t *testing.T) {
	for _, test := range []struct {
		name, paper string
		banner      bool
		sequences   string
	}{
		{"banner", "'** REPRINT 2 **' 0A", true, "[]"},
		{"French banner, page 1252", "1B7410 2A2A20 52C9 'IMPRESSION 2' 0A", true, "[]"},
		{"French banner, page 858", "1B7413 '** R' 90 'IMPRESSION 2' 0A", true, "[]"},
		{"receipt", "'DUPLICATA' 0A", true, "[]"},
		{"a word of a dish", "'1 REPRINTED menu' 0A 'no REPRINT' 0A", false, "[]"},
		{"tail", "'END 0142' 0A", false, "[142]"},
		{"French tail", "'-- FIN 0007 --' 0A", false, "[7]"},
		{"two tails where a cut is missing", "'END 1' 0A 'x' 0A 'END 2' 0A", false, "[1 2]"},
		{"no number", "'END of menu' 0A 'ENDIVES 2' 0A", false, "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
				h.send(test.paper + cut)
				synctest.Wait()
				k := p.Tickets()[0]
				got := k.Sequences
				if got == nil && k.Sequence != 0 {
					got = []uint32{k.Sequence}
				}
				if k.Banner != test.banner || fmt.Sprint(got) != test.sequences {
					t.Errorf("%q: banner %v, sequences %v; want %v, %v", k.Text, k.Banner, got, test.banner, test.sequences)
				}
			})
		})
	}
}

// A ticket that sets nothing itself is read with the settings the one before it left.
func TestSettingsOutliveACut(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1B40 1B7410 'caf' E9 0A" + cut + "'caf' E9 0A" + cut + "1B40 1B7413 'caf' 82 0A 1B7402" + cut + "'caf' 82 0A" + cut)
		synctest.Wait()
		if got := strings.Join(texts(p), ""); got != "café\ncafé\ncafé\ncafé\n" {
			t.Errorf("paper = %q", got)
		}
	})
}

// A few bytes can ask for a great deal of paper.
func TestTextIsBounded(t *testing.T) {
	for _, send := range []string{
		strings.Repeat("1B64FF", 20000),
		"1D286B 0310 315030" + strings.Repeat("41", 4096) + strings.Repeat("1D286B 0300 315130", 5000),
	} {
		bubble(t, Config{Keep: 10}, func(t *testing.T, p *Printer, h *host) {
			h.send("'x' 0A" + send + "'y' 0A" + cut)
			synctest.Wait()
			if k := p.Tickets(); len(k) != 1 || len(k[0].Text) > 256<<10 {
				t.Errorf("%d tickets, text of %d bytes", len(k), len(k[0].Text))
			}
		})
	}
}

func TestInverseFirstLine(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1B40 0A 1D4201 'A' 1D4200 0A" + cut + "1B40 'B' 0A 1D4201 'C' 0A" + cut)
		synctest.Wait()
		if k := p.Tickets(); !k[0].Inverse || k[1].Inverse {
			t.Errorf("tickets = %+v", k)
		}
	})
}

func TestDrawerAndBuzzer(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
		h.send("1B70 00 19 FA 10 14 01 00 02 1B28 4104 00 30 33 02 02 1D2844 0300 14 0100 10 14 01 00 02")
		synctest.Wait()
		// The last pulse overtakes the command that would forbid it: it is carried out too.
		if s := p.State(); s.DrawerKicks != 3 || s.Beeps != 1 {
			t.Errorf("kicks %d, beeps %d", s.DrawerKicks, s.Beeps)
		}
	})
}

// serve starts a printer on a socket.
func serve(t *testing.T, c Config) (p *Printer, addr string) {
	t.Helper()
	p = newPrinter(t, c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return p, l.Addr().String()
}

func dial(t *testing.T, addr string) *host {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return newHost(t, conn)
}

// await polls until ok, at most for a few seconds.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (h *host) await(want string) {
	h.t.Helper()
	want = strings.ToUpper(want)
	await(h.t, "answers "+want, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(fmt.Sprintf("% X", h.got)) >= len(want)
	})
	if got := h.take(); got != want {
		h.t.Errorf("answers = %q, want %q", got, want)
	}
}

func (h *host) ended() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

func TestOverTCP(t *testing.T) {
	p, addr := serve(t, Config{})
	first := dial(t, addr)
	first.send(ticket)
	first.await(well + " " + echoP + " " + echoC)
	second := dial(t, addr) // connects and waits
	second.send(order + cut + tokenC)
	third := dial(t, addr)
	first.send("100401")
	first.await("12")
	if got := second.take(); got != "" || p.State().Tickets != 1 {
		t.Errorf("the second connection got %q while the first is served", got)
	}
	first.conn.Close()
	second.await(echoC)
	second.conn.Close()
	third.send("100401")
	third.await("12")
	if n := p.State().Tickets; n != 2 {
		t.Errorf("%d tickets, want 2", n)
	}
}

func TestRefuse(t *testing.T) {
	_, addr := serve(t, Config{Refuse: true})
	first := dial(t, addr)
	first.send("100401")
	first.await("12")
	if conn, err := net.Dial("tcp", addr); err == nil { // the reset may be faster than Dial
		second := newHost(t, conn)
		await(t, "the second connection to be refused", func() bool { return second.ended() != nil })
	}
	first.send("100401")
	first.await("12")
}

func TestResetOverTCP(t *testing.T) {
	for _, kind := range []Kind{Reset, PowerCycle} {
		p, addr := serve(t, Config{PowerPause: time.Millisecond})
		h := dial(t, addr)
		p.Inject(Fault{Kind: kind, At: 10, Where: "arrive"})
		h.conn.Write(code(ticket))
		await(t, "the reset", func() bool { return h.ended() != nil })
		if err := h.ended(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: read = %v, want ECONNRESET", kind, err)
		}
		await(t, "the printer to be back", func() bool {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				return false
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			conn.Write(code("100401"))
			var b [1]byte
			_, err = io.ReadFull(conn, b[:])
			return err == nil && b[0] == 0x12
		})
	}
}

func TestDropLinkOverTCPIsAnEnd(t *testing.T) {
	p, addr := serve(t, Config{})
	h := dial(t, addr)
	h.send("100401")
	h.await("12")
	p.Inject(Fault{Kind: DropLink})
	await(t, "the end", func() bool { return h.ended() != nil })
	if err := h.ended(); !errors.Is(err, io.EOF) {
		t.Errorf("read = %v, want EOF", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A test instrument that cannot write down what it sees must not go on as if it could.
func TestLedgerErrorEndsServe(t *testing.T) {
	p := newPrinter(t, Config{Ledger: fullDisk{}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(context.Background(), l) }()
	h := dial(t, l.Addr().String())
	h.send(order + cut)
	if err := <-ended; !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Serve = %v, want ENOSPC", err)
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Model: "epson-tm-t77"}, `printer model "epson-tm-t77" is not known; write one of [generic-80mm`},
		{Config{ReceiveBuffer: 44}, "receive buffer of 44 bytes: at least 45"},
		{Config{Speed: Speed{LinesPerSecond: -1}}, "speed below zero"},
		{Config{Serial: strings.Repeat("x", 65)}, "longer than 64 bytes"},
		{Config{Faults: []Fault{{Kind: "fire"}}}, `fault kind "fire": there is none of this name; write one of paper_out`},
	} {
		if _, err := New(test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New(%+v) = %v, want %q", test.config, err, test.want)
		}
	}
}
