package opera

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/protocol/ifc"
)

func TestParseFault(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Fault
		err  string
	}{
		{in: "answer_lost", want: Fault{Kind: AnswerLost}},
		{in: "cut@12,dir=out,on=posting,reset", want: Fault{Kind: Cut, At: 12, Dir: Out, On: OnPosting, Reset: true}},
		{in: "answer_delayed,delay=5s,rate=0.05,for=1m,skip=2,count=3", want: Fault{Kind: AnswerDelayed, Delay: Duration(5 * time.Second), Rate: 0.05, For: Duration(time.Minute), Skip: 2, Count: 3}},
		{in: "refused,status=RY,text=LATER,room=101,number=7,link=link1", want: Fault{Kind: Refused, Status: "RY", Text: "LATER", Room: "101", Number: 7, Link: "link1"}},
		{in: "ns,after=30s", want: Fault{Kind: NightBegins, After: Duration(30 * time.Second)}},
		{in: "drop_link,every=5s,for=1s", want: Fault{Kind: DropLink, Every: Duration(5 * time.Second), For: Duration(time.Second)}},
		{in: "ls,on=posting,when=request", want: Fault{Kind: LinkStarts, On: OnPosting, When: WhenRequest}},
		{in: "garbage,data=00ff", want: Fault{Kind: Garbage, Data: "00ff"}},
		{in: "slow,bytes_per_second=10", want: Fault{Kind: Slow, BytesPerSecond: 10}},
		{in: "endless,bytes=100", want: Fault{Kind: Endless, Bytes: 100}},
		{in: "", err: `fault kind ""`},
		{in: "fire", err: `fault kind "fire": there is none of this name; write one of request_lost`},
		{in: "cut@x", err: `"x" is not a byte number; write cut@12`},
		{in: "cut@-1", err: "below zero"},
		{in: "cut,dir=up", err: `dir "up"; write in or out`},
		{in: "ls,on=monday", err: `on "monday"; write any, inquiry, posting or other`},
		{in: "ls,when=soon", err: `when "soon"; write request, answer or after`},
		{in: "answer_lost,rate=2", err: "the rate above 1"},
		{in: "answer_lost,every=1s", err: "every is for events"},
		{in: "answer_lost,for=2", err: "write a number with its unit, as in 2s"},
		{in: "refused,status=XX", err: `status "XX"; write one of OK, NG`},
		{in: "garbage,data=xx", err: "in hex"},
		{in: "ack_wrong,data=0000", err: "it is one byte"},
		{in: "endless,bytes=1000000000", err: "too many"},
		{in: "ls,colour=red", err: `there is no option "colour"`},
	} {
		got, err := ParseFault(test.in)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("ParseFault(%q) error = %v, want %q", test.in, err, test.err)
			}
			continue
		}
		if d := cmp.Diff(test.want, got); err != nil || d != "" {
			t.Errorf("ParseFault(%q): %v %s", test.in, err, d)
		}
	}
}

// inject is Inject that must work.
func inject(t testing.TB, s *Simulator, f Fault) {
	t.Helper()
	if err := s.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// Each fault of an answer: whether it is booked, what the vendor hears, and the fate that is noted.
func TestAnswerFaults(t *testing.T) {
	for _, test := range []struct {
		f      Fault
		script string // after the posting number 2
		booked int
		fate   Fate
	}{
		{Fault{Kind: RequestLost}, "=", 0, Lost},
		{Fault{Kind: AnswerLost}, "=", 1, Lost},
		{Fault{Kind: AnswerDuplicated}, "< " + posted(2, 4711) + "\n< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: AnswerNumber}, "< " + strings.Replace(posted(2, 4711), "P#2|", "P#3|", 1) + "\n=", 1, Lost},
		{Fault{Kind: Refused, Status: "RY", Text: "LATER"}, "< PA|ASRY|CTLATER|P#2|WS1|RN2781|G#12345|GNGuest|C#2|DA250301|TI120000|\n=", 0, Answered},
		{Fault{Kind: Refused}, "< PA|ASUR|CTCANNOT BE PROCESSED|P#2|WS1|RN2781|G#12345|GNGuest|C#2|DA250301|TI120000|\n=", 0, Answered},
		{Fault{Kind: AnswerDelayed, Delay: 1}, "< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: RequestDelayed, Delay: 1}, "< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: HalfFrame}, "=", 1, Lost},
		{Fault{Kind: Restarted}, "< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: Bare}, "< PA|ASOK|P#2|\n=", 1, Answered},
		{Fault{Kind: Split}, "< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: Glued}, "< ZZ|Z1glued|\n< " + posted(2, 4711) + "\n< ZZ|Z2glued|\n=", 1, Answered},
		{Fault{Kind: AnswersMixed}, "< ZZ|Z1unknown|RN101|\n< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: LinkStarts, On: OnPosting}, "< LS|DA250301|TI120000|\n< " + posted(2, 4711), 1, Answered},
		{Fault{Kind: LinkStarts, On: OnPosting, When: WhenAfter}, "< " + posted(2, 4711) + "\n< LS|DA250301|TI120000|", 1, Answered},
		{Fault{Kind: NightBegins, On: OnPosting, When: WhenRequest}, "< NS|DA250301|TI120000|\n< PA|ASNA|CTNIGHT AUDIT RUNNING|P#2|WS1|RN2781|G#12345|GNGuest|C#2|DA250301|TI120000|\n=", 0, Answered},
		{Fault{Kind: NightBegins, On: OnPosting}, "< NS|DA250301|TI120000|\n< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: Garbage, On: OnPosting, Data: "4142034302ff"}, "< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: UnknownRecord, On: OnPosting}, "< ZZ|Z1unknown|RN101|\n< " + posted(2, 4711) + "\n=", 1, Answered},
		{Fault{Kind: DropLink, On: OnPosting, When: WhenRequest}, "!", 0, Lost},
		{Fault{Kind: DropLink, On: OnPosting}, "!", 1, Dead},
		{Fault{Kind: DropLink, On: OnPosting, Reset: true}, "!", 1, Dead},
		{Fault{Kind: Cut, On: OnPosting, Dir: In}, "!", 0, ""},
		{Fault{Kind: Cut, On: OnPosting, Dir: Out}, "!", 1, Dead},
		{Fault{Kind: LinkEnds, On: OnPosting, When: WhenAfter}, "< " + posted(2, 4711) + "\n< LE|DA250301|TI120000|\n> LE|\n!", 1, Answered},
	} {
		t.Run(string(test.f.Kind)+" "+string(test.f.When), func(t *testing.T) {
			s, v := up(t, Config{EndWait: time.Minute})
			v.inquire(1, "2781")
			test.f.Count = 1
			inject(t, s, test.f)
			v.say(posting(2, 100))
			v.script(test.script)
			if n := len(s.Hotel().Ledger(0)); n != test.booked {
				t.Errorf("%d postings, want %d", n, test.booked)
			}
			if _, struck := s.faults.list(); struck[test.f.Kind] != 1 {
				t.Errorf("struck %v", struck)
			}
			if test.fate == "" {
				if x := s.Exchanges(1); len(x) != 0 {
					t.Errorf("exchanges %+v", x)
				}
				return
			}
			eventually(t, "the fate is "+string(test.fate), func() bool { return s.Exchanges(1)[0].Fate == test.fate })
			if x := s.Exchanges(1)[0]; !slices.Contains(x.Faults, test.f.Kind) || x.Number != 2 || (x.Booked > 0) != (test.booked > 0) {
				t.Errorf("exchange %+v", x)
			}
		})
	}
}

// The link is cut at every byte of an exchange, inwards and outwards: what is booked is what arrived whole.
func TestCutAtEveryByte(t *testing.T) {
	s := newSim(t, Config{})
	address := listen(t, s, Port{Clients: Many})
	one := posting(2, 100)
	frame := int64(len(one) + 2)
	answer := int64(len(posted(2, 4711)) + 2)
	for _, test := range []struct {
		dir Dir
		on  On
		end int64
	}{{In, OnPosting, frame + 1}, {In, "", frame + 1}, {Out, OnPosting, answer + 1}, {Out, "", answer + 1}} {
		t.Run(string(test.dir)+" "+string(test.on), func(t *testing.T) {
			for at := int64(0); at <= test.end; at += 1 + at/100 { // each byte of the beginning, then fewer
				if at > 40 && at < test.end-3 {
					at = min(at+7, test.end-3)
				}
				before := int64(len(s.Hotel().Ledger(0)))
				x := s.State().Exchanges
				v := alive(t, address)
				v.inquire(1, "2781")
				inject(t, s, Fault{Kind: Cut, At: at, Dir: test.dir, On: test.on, Count: 1})
				v.say(one)
				got, err := v.hear()
				whole := test.dir == In && at >= frame || test.dir == Out
				heard := test.dir == In && at > frame || test.dir == Out && at >= answer
				if heard != (err == nil) {
					t.Fatalf("at %d: heard %q, %v", at, got, err)
				}
				booked := len(s.Hotel().Ledger(before)) == 1
				if whole {
					eventually(t, "it is booked", func() bool { return len(s.Hotel().Ledger(before)) == 1 })
					booked = true
				}
				if booked != whole {
					t.Fatalf("at %d: booked %t, want %t", at, booked, whole)
				}
				if !whole && len(s.Exchanges(x+1)) != 0 {
					t.Fatalf("at %d: an exchange of half a record", at)
				}
				if err == nil && (test.dir == Out && at == answer) {
					v.end()
				}
				v.conn.Close()
				s.Lift("")
			}
		})
	}
}

// Forms that a reader has to bear.
func TestForms(t *testing.T) {
	s, v := up(t, Config{})
	ask := func(f Fault) string {
		t.Helper()
		f.Count = 1
		inject(t, s, f)
		return v.inquire(1, "2781")
	}
	plain := v.inquire(1, "2781")
	sorted := func(r string) string {
		fields := strings.Split(r, "|")
		slices.Sort(fields)
		return strings.Join(fields, "|")
	}
	for range 20 {
		if r := ask(Fault{Kind: Reordered}); sorted(r) != sorted(plain) || !strings.Contains(r, "|RN2781|G#12345|") || !strings.Contains(r, "|RN2781|G#12381|") {
			t.Errorf("reordered: %s", r)
		}
	}
	if r, want := ask(Fault{Kind: GuestFirst}), "PL|G#12345|RN2781|GNGuest, Mr.|GFGeorge|GTMr.|GV3|G+1001|CL500.00|BA0.00|NPN|GA250228|GD250303|A0one|G#12381|RN2781|GNSharer, Mr.|BA0.00|NPY|GA250228|GD250303|P#1|PMROOM|WS1|"; r != want {
		t.Errorf("guest first:\n%s\n%s", r, want)
	}
	if r := ask(Fault{Kind: UnknownFields}); !strings.Contains(r, "|ZZ?|") || !strings.Contains(r, "|Z9guest|RN2781|G#12381|") {
		t.Errorf("unknown fields: %s", r)
	}
	if r := ask(Fault{Kind: EmptyFields}); !strings.Contains(r, "GNSharer, Mr.|GF|GT|GV|G+|CL|BA0.00|") {
		t.Errorf("empty fields: %s", r)
	}
	if r, want := ask(Fault{Kind: Bare}), "PL|RN2781|G#12345|GNGuest, Mr.|RN2781|G#12381|GNSharer, Mr.|P#1|"; r != want {
		t.Errorf("bare: %s", r)
	}
	inject(t, s, Fault{Kind: LongRecord, Bytes: 5000})
	if r, err := v.hear(); err != nil || len(r) < 5000 || !strings.HasPrefix(r, "GC|") {
		t.Errorf("long record of %d bytes, %v", len(r), err)
	}
	inject(t, s, Fault{Kind: ManyFields, Bytes: 60000})
	if r, err := v.hear(); err != nil || strings.Count(r, "|") < 10000 {
		t.Errorf("many fields: %d bytes, %v", len(r), err)
	}
	inject(t, s, Fault{Kind: Endless, Bytes: 200000})
	if r := v.inquire(9, "2781"); !strings.Contains(r, "P#9|") {
		t.Errorf("after an endless frame: %s", r)
	}
}

// Conditions that last until they are lifted.
func TestBehaviours(t *testing.T) {
	t.Run("silent", func(t *testing.T) {
		s, v := up(t, Config{})
		v.inquire(1, "2781")
		inject(t, s, Fault{Kind: Silent})
		v.say(posting(2, 100))
		eventually(t, "it is booked", func() bool { return len(s.Hotel().Ledger(0)) == 1 })
		eventually(t, "its answer went nowhere", func() bool { return s.Exchanges(1)[0].Fate != Open })
		s.Lift(Silent)
		v.quiet()
	})
	t.Run("hang", func(t *testing.T) {
		s, v := up(t, Config{})
		v.inquire(1, "2781")
		inject(t, s, Fault{Kind: Hang})
		v.say(posting(2, 100))
		if n := len(s.Hotel().Ledger(0)); n != 0 {
			t.Errorf("%d postings while it hangs", n)
		}
		s.Lift("")
		v.expect(posted(2, 4711)) // booked late
	})
	t.Run("hang until the vendor leaves", func(t *testing.T) {
		s, v := up(t, Config{})
		inject(t, s, Fault{Kind: Hang})
		v.say(posting(2, 100))
		v.conn.Close()
	})
	t.Run("slow", func(t *testing.T) {
		s, v := up(t, Config{})
		inject(t, s, Fault{Kind: Slow, BytesPerSecond: 20000})
		v.quiet()
	})
	t.Run("no LS", func(t *testing.T) {
		s := newSim(t, Config{})
		inject(t, s, Fault{Kind: NoLinkStart, Count: 1})
		v := dial(t, listen(t, s, Port{}))
		v.script("> LS|\n" + handshake)
	})
	t.Run("no LA", func(t *testing.T) {
		s := newSim(t, Config{})
		inject(t, s, Fault{Kind: NoLinkAlive, Count: 2})
		v := dial(t, listen(t, s, Port{}))
		again := strings.Replace(handshake, "< LA|DA250301|TI120000|", "", 1)
		v.script(again + again + handshake)
	})
	t.Run("away", func(t *testing.T) {
		s := newSim(t, Config{})
		address := listen(t, s, Port{})
		v := alive(t, address)
		inject(t, s, Fault{Kind: DropLink, For: Duration(time.Hour)})
		v.end()
		if raw, err := net.Dial("tcp", address); err == nil { // refused at once, or a moment later
			if _, err := raw.Read(make([]byte, 1)); err == nil {
				t.Error("somebody speaks")
			}
			raw.Close()
		}
		if n := s.State().Refused; n != 1 {
			t.Errorf("%d refused, want 1", n)
		}
		s.Lift(DropLink)
		alive(t, address)
	})
	t.Run("an event waits for the first link", func(t *testing.T) {
		s := newSim(t, Config{Faults: []Fault{{Kind: UnknownRecord}, {Kind: Cut, At: 3000, Dir: Out}}})
		v := dial(t, listen(t, s, Port{}))
		v.script(handshake + "< ZZ|Z1unknown|RN101|")
		for range 200 {
			if err := v.conn.Send(t.Context(), []byte("LS|")); err != nil {
				break
			}
			if _, err := v.hear(); err != nil {
				break
			}
		}
		if st := s.State(); st.Struck[Cut] != 1 || st.Struck[UnknownRecord] != 1 || len(st.Faults) != 0 {
			t.Errorf("struck %v, left %v", st.Struck, st.Faults)
		}
		v.end()
	})
}

// The answer of a link that was lost comes on the next one.
func TestAnswerOnTheNextLink(t *testing.T) {
	s := newSim(t, Config{})
	address := listen(t, s, Port{})
	v := alive(t, address)
	v.inquire(1, "2781")
	inject(t, s, Fault{Kind: AnswerNextLink, Count: 1})
	v.say(posting(2, 100))
	v.quiet()
	v.conn.Close()
	dial(t, address).script(handshake + "< " + posted(2, 4711) + "\n=")
	if x := s.Exchanges(1)[0]; x.Fate != Answered {
		t.Errorf("exchange %+v", x)
	}
}

// Faults by the clock, in a bubble where an hour takes no time.
func TestFaultsInTime(t *testing.T) {
	bubble := func(t *testing.T, c Config, do func(t *testing.T, s *Simulator, v *vendor)) {
		synctest.Test(t, func(t *testing.T) {
			c.Log = nil
			s := newSim(t, c)
			a, b := net.Pipe()
			serve(t, func(ctx context.Context) error { return s.ServeConn(ctx, b) })
			v := &vendor{t: t, raw: a, conn: ifc.NewTCP(a, ifc.Options{})}
			t.Cleanup(func() { v.conn.Close() })
			v.script(handshake)
			do(t, s, v)
		})
	}
	t.Run("late answer", func(t *testing.T) {
		bubble(t, Config{Faults: []Fault{{Kind: AnswerDelayed, Delay: Duration(90 * time.Second), Count: 1}}}, func(t *testing.T, s *Simulator, v *vendor) {
			v.inquire(1, "2781")
			start := time.Now()
			v.say(posting(2, 100))
			v.say(posting(3, 100))
			v.expect(posted(3, 4712))
			synctest.Wait()
			if n := len(s.Hotel().Ledger(0)); n != 2 {
				t.Errorf("%d postings, want 2 at once", n)
			}
			r, err := v.conn.Receive(t.Context())
			if err != nil || string(r) != posted(2, 4711) || time.Since(start) != 90*time.Second {
				t.Errorf("heard %s, %v after %v", r, err, time.Since(start))
			}
		})
	})
	t.Run("late request of a vendor who has left", func(t *testing.T) {
		bubble(t, Config{Faults: []Fault{{Kind: RequestDelayed, Delay: Duration(time.Minute), Count: 1}}}, func(t *testing.T, s *Simulator, v *vendor) {
			v.inquire(1, "2781")
			v.say(posting(2, 100))
			synctest.Wait()
			v.conn.Close()
			time.Sleep(59 * time.Second)
			if n := len(s.Hotel().Ledger(0)); n != 0 {
				t.Errorf("%d postings before its time", n)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if x := s.Exchanges(1)[0]; len(s.Hotel().Ledger(0)) != 1 || x.Fate != Dead || x.Booked != 1 {
				t.Errorf("exchange %+v", x)
			}
		})
	})
	t.Run("latency", func(t *testing.T) {
		bubble(t, Config{Latency: 80 * time.Millisecond}, func(t *testing.T, s *Simulator, v *vendor) {
			start := time.Now()
			v.inquire(1, "2781")
			if d := time.Since(start); d != 80*time.Millisecond {
				t.Errorf("answered after %v", d)
			}
		})
	})
	t.Run("an event after a while, again and again", func(t *testing.T) {
		bubble(t, Config{Faults: []Fault{{Kind: UnknownRecord, After: Duration(time.Minute), Every: Duration(time.Second), Count: 3}}}, func(t *testing.T, s *Simulator, v *vendor) {
			start := time.Now()
			for range 3 {
				if r, err := v.conn.Receive(t.Context()); err != nil || string(r) != "ZZ|Z1unknown|RN101|" {
					t.Errorf("heard %s, %v", r, err)
				}
			}
			if d := time.Since(start); d != 63*time.Second {
				t.Errorf("the third after %v", d)
			}
			time.Sleep(time.Hour)
			if st := s.State(); st.Struck[UnknownRecord] != 3 || len(st.Faults) != 0 {
				t.Errorf("state %+v", st)
			}
		})
	})
	t.Run("a condition for a while", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, s *Simulator, v *vendor) {
			inject(t, s, Fault{Kind: Silent, For: Duration(time.Minute)})
			v.say("LS|")
			time.Sleep(59 * time.Second)
			if len(s.State().Faults) != 1 {
				t.Error("lifted too early")
			}
			time.Sleep(2 * time.Second)
			v.quiet()
		})
	})
	t.Run("no LE from the vendor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSim(t, Config{EndWait: 2 * time.Second})
			a, b := net.Pipe()
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- s.ServeConn(ctx, b) }()
			v := &vendor{t: t, raw: a, conn: ifc.NewTCP(a, ifc.Options{})}
			v.script(handshake)
			start := time.Now()
			stop()
			v.script("< LE|DA250301|TI120000|\n!")
			if d := time.Since(start); d != 2*time.Second {
				t.Errorf("ended after %v", d)
			}
			<-done
			v.conn.Close()
		})
	})
}

// Terminals post at once while everything goes wrong at random; the account of the wire and the ledger agree.
func TestRandomFaults(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	s := newSim(t, Config{Choose: func(x Exchange) []Fault {
		mu.Lock()
		defer mu.Unlock()
		if x.On != OnPosting || rng.IntN(4) > 0 {
			return nil
		}
		return [][]Fault{
			{{Kind: AnswerLost}}, {{Kind: RequestLost}}, {{Kind: AnswerDuplicated}}, {{Kind: AnswerDelayed, Delay: 1000}}, {{Kind: Refused, Status: "RY"}},
			{{Kind: DropLink, On: OnPosting}}, {{Kind: DropLink, On: OnPosting, When: WhenRequest}}, {{Kind: Cut, Dir: Out, On: OnPosting, At: rng.Int64N(150)}},
			{{Kind: Glued}}, {{Kind: Split}}, {{Kind: HalfFrame}},
		}[rng.IntN(11)]
	}})
	address := listen(t, s, Port{Clients: Many})
	var heard sync.Map // number -> OK heard
	var terminals sync.WaitGroup
	for n := range 8 {
		terminals.Go(func() {
			var v *vendor
			for i := range 100 {
				number := n*1000 + i + 1
				if v == nil {
					v = alive(t, address)
					v.inquire(9_000_000+number, "2781")
				}
				if err := v.conn.Send(t.Context(), []byte(posting(number, 1))); err != nil {
					v = nil
					continue
				}
				v.conn.Send(t.Context(), []byte(fmt.Sprintf("PR|PI2781|P#%d|WS1|PMROOM|", 8_000_000+number))) // its answer ends the wait
				for {
					r, err := v.hear()
					if err != nil {
						v = nil
						break
					}
					if strings.Contains(r, fmt.Sprintf("|P#%d|", number)) && strings.HasPrefix(r, "PA|ASOK|") {
						heard.Store(int64(number), true)
					}
					if strings.Contains(r, fmt.Sprintf("|P#%d|", 8_000_000+number)) {
						break
					}
				}
			}
		})
	}
	terminals.Wait()
	eventually(t, "nothing is open", func() bool {
		return !slices.ContainsFunc(s.Exchanges(0), func(x Exchange) bool { return x.Fate == Open })
	})
	booked := map[int64]int{}
	for _, p := range s.Hotel().Ledger(0) {
		booked[p.Number]++
	}
	asked := 0
	for _, x := range s.Exchanges(0) {
		if x.On != OnPosting {
			continue
		}
		asked++
		if (x.Booked > 0) != (booked[x.Number] == 1) || x.Booked > 0 != (x.Status == StatusOK) {
			t.Errorf("booked %d times: %+v", booked[x.Number], x)
		}
		_, ok := heard.Load(x.Number)
		if ok && booked[x.Number] != 1 {
			t.Errorf("heard OK, booked %d times: %+v", booked[x.Number], x)
		}
		if len(x.Faults) == 0 && x.Fate != Answered && x.Fate != Dead {
			t.Errorf("lost without a fault: %+v", x)
		}
	}
	if asked < 300 || len(booked) < 200 {
		t.Errorf("%d asked, %d booked", asked, len(booked))
	}
}
