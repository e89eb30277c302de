package xmlpos_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"aboyeur/protocol/ifc"
	"aboyeur/protocol/xmlpos"
	"aboyeur/simulate/opera"
)

// A house is the simulated hotel on a socket and a Link to it.
type house struct {
	*opera.Simulator
	link *xmlpos.Link

	mu   sync.Mutex
	late map[uint32]xmlpos.AnswerStatus
}

func newHouse(t *testing.T, sim opera.Config, c xmlpos.Config) *house {
	t.Helper()
	sim.Dialect, sim.Log = opera.XMLPOS, slog.New(slog.DiscardHandler)
	s, err := opera.New(sim)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Simulator: s, late: map[uint32]xmlpos.AnswerStatus{}}
	c.Dial = func(ctx context.Context) (ifc.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", listener.Addr().String())
		if err != nil {
			return nil, err
		}
		return ifc.NewTCP(conn, ifc.Options{}), nil
	}
	c.Late = func(r xmlpos.Reply) {
		if r.Answer != nil {
			h.mu.Lock()
			h.late[r.Sequence()] = r.Answer.Status
			h.mu.Unlock()
		}
	}
	c.Log = sim.Log
	c.Backoff = ifc.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond}
	if h.link, err = xmlpos.NewLink(c); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { s.Serve(ctx, listener) })
	done.Go(func() {
		if err := h.link.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(func() { stop(); s.Close(); listener.Close(); done.Wait() })
	return h
}

func (h *house) up(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); h.link.Status().State != xmlpos.Up; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the link does not come up: %+v", h.link.Status())
		}
	}
}

// find asks for guests until there is an answer: an inquiry may be repeated.
func (h *house) find(t *testing.T, next func() uint32, what string, by xmlpos.RequestType) xmlpos.Reply {
	t.Helper()
	var err error
	for range 100 {
		h.up(t)
		var r xmlpos.Reply
		r, err = h.link.Inquire(t.Context(), &xmlpos.PostInquiry{Information: what, Matches: xmlpos.DefaultMatches, Sequence: next(), Type: by,
			PaymentMethod: "16", At: time.Now(), RevenueCenter: "1", Waiter: "7", Workstation: "POS1"})
		if err == nil {
			return r
		}
	}
	t.Fatalf("no inquiry is answered: %v, %+v", err, h.link.Status())
	panic("unreachable")
}

func charge(r xmlpos.Reply, which int, what string, by xmlpos.RequestType, sequence uint32, total int64) *xmlpos.PostRequest {
	g := r.List.Items[which]
	return &xmlpos.PostRequest{Room: g.Room, Reservation: g.Reservation, Profile: g.Profile, LastName: g.LastName, Hotel: g.Hotel, Type: by, Information: what,
		Match: which + 1, Sequence: sequence, Total: total, Subtotals: [xmlpos.Groups]int64{total}, PaymentMethod: "16", Covers: 2, RevenueCenter: "1",
		ServingTime: 2, CheckNumber: "55", At: time.Now(), Waiter: "7", Workstation: "POS1"}
}

func counter() func() uint32 {
	var n uint32
	return func() uint32 { n++; return n }
}

// Everything a till does with a healthy hotel, in each dialect.
func TestHotel(t *testing.T) {
	for _, tt := range []struct {
		name    string
		letters bool
		dialect xmlpos.Dialect
		charset string
	}{
		{"utf-8", false, xmlpos.Dialect{}, "utf-8"},
		{"windows-1252, letters, other override", true, xmlpos.Dialect{Charset: xmlpos.Windows1252, SmallOverride: true}, "windows-1252"},
		{"with declarations", false, xmlpos.Dialect{Declaration: true}, "utf-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, opera.Config{NoPostLetters: tt.letters, Encoding: tt.charset}, xmlpos.Config{Dialect: tt.dialect})
			next := counter()
			post := func(r *xmlpos.PostRequest, want xmlpos.AnswerStatus) {
				t.Helper()
				a, err := h.link.Post(t.Context(), r)
				if err != nil || a.Status != want {
					t.Errorf("Post = %+v, %v, want %s", a, err, want)
				}
			}
			room := h.find(t, next, "2781", xmlpos.ByRoom)
			if len(room.List.Items) != 2 || room.List.Items[0].NoPost || !room.List.Items[1].NoPost {
				t.Fatalf("room 2781: %+v", room.List)
			}
			if limit, ok := room.List.Items[0].CreditLimit.Minor(2); !ok || limit != 50000 {
				t.Errorf("credit limit %q", room.List.Items[0].CreditLimit)
			}
			post(charge(room, 0, "2781", xmlpos.ByRoom, next(), 1000), xmlpos.OK)
			post(charge(room, 0, "2781", xmlpos.ByRoom, next(), 60_000), xmlpos.CreditLimit)
			over := charge(room, 0, "2781", xmlpos.ByRoom, next(), 60_000)
			over.Override = true
			post(over, xmlpos.OK)
			post(charge(room, 1, "2781", xmlpos.ByRoom, next(), 1000), xmlpos.NoPost)
			name := h.find(t, next, "Lefèvre", xmlpos.ByName)
			if len(name.List.Items) != 1 || name.List.Items[0].LastName != "Lefèvre" {
				t.Fatalf("by name: %+v", name.List)
			}
			post(charge(name, 0, "Lefèvre", xmlpos.ByName, next(), 500), xmlpos.OK)
			post(charge(name, 0, "Lefèvre", xmlpos.ByName, next(), -500), xmlpos.OK) // a refund
			if none := h.find(t, next, "7777", xmlpos.ByRoom); none.List != nil || none.Answer.Status != xmlpos.NotFound {
				t.Errorf("nobody: %+v", none)
			}
			post(&xmlpos.PostRequest{Type: xmlpos.NonRoom, Sequence: next(), Total: 1250, Subtotals: [xmlpos.Groups]int64{1200}, Tip: 50, PaymentMethod: "AMEX",
				CheckNumber: "56", At: time.Now(), Workstation: "POS1"}, xmlpos.OK)
			for _, r := range h.Remarks() {
				t.Errorf("the hotel remarks: %+v", r)
			}
		})
	}
}

// Postings with faults at random. What Post says holds against the hotel's books: answered OK is booked once, refused and
// not sent are not booked, and what is uncertain is settled by a late answer or stays so.
func TestHotelWithFaults(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	var faults []opera.Fault
	for _, kind := range []opera.FaultKind{opera.AnswerLost, opera.RequestLost, opera.AnswerDuplicated, opera.AnswerNextLink} {
		faults = append(faults, opera.Fault{Kind: kind, Rate: 0.03})
	}
	faults = append(faults,
		opera.Fault{Kind: opera.AnswerDelayed, Rate: 0.03, Delay: opera.Duration(150 * time.Millisecond)},
		opera.Fault{Kind: opera.Refused, Rate: 0.05, Status: "UR"})
	for _, kind := range []opera.FaultKind{opera.Split, opera.Glued, opera.Reordered, opera.UnknownFields, opera.Restarted, opera.AnswersMixed} {
		faults = append(faults, opera.Fault{Kind: kind, Rate: 0.1})
	}
	h := newHouse(t, opera.Config{Faults: faults}, xmlpos.Config{Answer: 100 * time.Millisecond})
	next := counter()
	outcome := map[uint32]string{}
	for i := range 300 {
		if i%10 == 5 {
			f := opera.Fault{Kind: opera.Cut, On: opera.OnPosting, Count: 1, At: dice.Int64N(700), Dir: opera.Dir([]string{"in", "out"}[dice.IntN(2)])}
			if err := h.Inject(f); err != nil {
				t.Fatal(err)
			}
		}
		found := h.find(t, next, "103", xmlpos.ByRoom)
		n := next()
		a, err := h.link.Post(t.Context(), charge(found, 0, "103", xmlpos.ByRoom, n, 100))
		switch {
		case err == nil:
			outcome[n] = string(a.Status)
		case errors.Is(err, ifc.ErrNotSent):
			outcome[n] = "not sent"
		case errors.Is(err, ifc.ErrUncertain):
			outcome[n] = "uncertain"
		default:
			t.Fatalf("Post = %v, neither certain nor uncertain", err)
		}
	}
	booked := map[uint32]int{}
	for _, x := range h.Exchanges(0) {
		if x.On == opera.OnPosting && x.Booked != 0 {
			booked[uint32(x.Number)]++
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	count := map[string]int{}
	for n, o := range outcome {
		count[o]++
		if s, ok := h.late[n]; ok && o == "uncertain" {
			o = string(s)
			count["late"]++
		}
		if want := map[string]int{"OK": 1}[o]; o != "uncertain" && booked[n] != want || booked[n] > 1 {
			t.Errorf("posting %d: %s here, booked %d times there", n, o, booked[n])
		}
	}
	t.Log(count)
	if count["OK"] < 100 || count["uncertain"] == 0 || count["UR"] == 0 {
		t.Errorf("outcomes %v: the faults did not strike as meant", count)
	}
}
