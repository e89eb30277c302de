package port

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"aboyeur/protocol/ifc"
	"aboyeur/protocol/xmlpos"
	"aboyeur/simulate/opera"
)

// Room charges over a serial line with damaged bytes and lost acknowledgements, from this package's port to the simulated
// hotel: what the link says of each posting agrees with the hotel's books, and none is booked twice.
func TestSerialHotel(t *testing.T) {
	timers := ifc.Options{Answer: 60 * time.Millisecond, Enquiry: 60 * time.Millisecond}
	s, err := opera.New(opera.Config{Dialect: opera.XMLPOS, Line: timers, Log: slog.New(slog.DiscardHandler), Faults: []opera.Fault{
		{Kind: opera.CorruptOut, Rate: 0.05}, {Kind: opera.CorruptIn, Rate: 0.02}, {Kind: opera.AckLost, Rate: 0.05}, {Kind: opera.AckWrong, Rate: 0.05},
		{Kind: opera.AnswerDuplicated, Rate: 0.05}, {Kind: opera.Refused, Rate: 0.1, Status: "UR"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	master, path := pty(t)
	a, err := Parse("serial:" + path + "?baud=9600&parity=none")
	if err != nil {
		t.Fatal(err)
	}
	link, err := xmlpos.NewLink(xmlpos.Config{
		Dial: func(ctx context.Context) (ifc.Conn, error) {
			p, err := Open(ctx, a, Options{})
			if err != nil {
				return nil, err
			}
			return ifc.NewSerial(p, timers), nil
		},
		Answer: 5 * time.Second, Log: slog.New(slog.DiscardHandler), Backoff: ifc.Backoff{Min: time.Millisecond, Max: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	t.Cleanup(func() { stop(); s.Close(); master.Close(); done.Wait() })
	done.Go(func() { link.Run(ctx) })
	done.Go(func() {
		if err := s.ServeLine(ctx, master); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, opera.ErrClosed) && !errors.Is(err, os.ErrClosed) {
			t.Logf("ServeLine = %v", err)
		}
	})
	outcome := map[int64]string{}
	var n uint32
	find := func() xmlpos.PostListItem {
		for end := time.Now().Add(enough); time.Now().Before(end); runtime.Gosched() {
			n++
			r, err := link.Inquire(ctx, &xmlpos.PostInquiry{Information: "103", Sequence: n, Type: xmlpos.ByRoom, PaymentMethod: "16", At: time.Now(), Workstation: "POS1"})
			if err == nil && r.List != nil {
				return r.List.Items[0]
			}
		}
		t.Fatalf("no inquiry is answered: %+v", link.Status())
		panic("unreachable")
	}
	for range 40 {
		g := find()
		n++
		answer, err := link.Post(ctx, &xmlpos.PostRequest{Room: g.Room, Reservation: g.Reservation, Profile: g.Profile, LastName: g.LastName, Hotel: g.Hotel,
			Type: xmlpos.ByRoom, Information: "103", Match: 1, Sequence: n, Total: 100, Subtotals: [xmlpos.Groups]int64{100}, PaymentMethod: "16",
			CheckNumber: "55", At: time.Now(), Workstation: "POS1"})
		switch {
		case err == nil:
			outcome[int64(n)] = string(answer.Status)
		case errors.Is(err, ifc.ErrNotSent):
			outcome[int64(n)] = "not sent"
		default:
			outcome[int64(n)] = "uncertain"
		}
	}
	booked := map[int64]int{}
	for _, x := range s.Exchanges(0) {
		if x.On == opera.OnPosting && x.Booked != 0 {
			booked[x.Number]++
		}
	}
	count := map[string]int{}
	for n, o := range outcome {
		count[o]++
		if want := map[string]int{"OK": 1}[o]; o != "uncertain" && booked[n] != want || booked[n] > 1 {
			t.Errorf("posting %d: %s here, booked %d times there", n, o, booked[n])
		}
	}
	t.Log(count)
	if count["OK"] < 20 {
		t.Errorf("outcomes %v", count)
	}
}
