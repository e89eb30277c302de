package folio

import (
	"context"
	"net"
	"testing"
	"time"

	"aboyeur/protocol/ohip"
	"aboyeur/protocol/rest"
	cloud "aboyeur/simulate/ohip"
)

// newCloud is a house before OPERA Cloud instead of an interface on site.
func newCloud(t *testing.T, options ...option) (*house, *cloud.Simulator, *OHIP) {
	t.Helper()
	sim, err := cloud.New(cloud.Config{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Serve(ctx, listener) }()
	var link *OHIP
	h := &house{t: t, dir: t.TempDir(), address: "http://" + listener.Addr().String()}
	h.config = Config{
		Calendar: Calendar{Location: paris(t)}, Currency: "EUR", Language: "fr", Dialect: "ohip", Version: "1.20", AnswerTimeout: unhurried / 2,
		Outlets: []Outlet{{"restaurant", 1}}, Mapping: []Rule{{Any, Any, Any, "food", Any, 1}, {Any, Any, Any, "drinks", Any, 2}},
	}
	for _, o := range options {
		o(h)
	}
	h.make = func(h *house) PMS {
		var err error
		link, err = NewOHIP(OHIPConfig{Now: h.now, Client: ohip.Config{
			Gateway: h.address, Hotel: cloud.DefaultHotel, AppKey: cloud.DefaultAppKey, ClientID: cloud.DefaultClientID, ClientSecret: cloud.DefaultSecret, Currency: "EUR",
			Codes:         map[string]ohip.Codes{"": {Subtotals: map[int]string{1: "2000", 2: "2100"}, ServiceCharge: "2900", Tip: "2950"}},
			AnswerTimeout: h.config.AnswerTimeout, HTTP: rest.Config{Retry: rest.Retry{First: time.Millisecond}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	h.open()
	t.Cleanup(func() {
		h.stop()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("simulator: %v", err)
		}
		sim.Close()
	})
	return h, sim, link
}

func TestOPERACloud(t *testing.T) {
	t.Parallel()
	h, sim, link := newCloud(t)
	var payer, blocked *cloud.Guest
	for _, g := range sim.Guests() {
		switch {
		case g.NoPost && blocked == nil:
			blocked = &g
		case !g.NoPost && payer == nil && g.CreditLimit == nil && (g.Status == "" || g.Status == "InHouse") && g.RoomType != "PM":
			payer = &g
		}
	}
	r := Request{Room: payer.Room, Reservation: payer.Reservation, Guest: payer.Surname, Amount: new(int64(2350)), Tip: 200, Currency: "EUR", Check: "1234",
		Subtotals: []Item{{"food", 1800}, {"drinks", 350}}}
	p := h.place(waiter, "k", r)
	if p.State != Posted {
		t.Fatalf("posting %+v", p)
	}
	if book := sim.Ledger(); len(book) != 1 || book[0].Amount != 2350 || book[0].Reservation != payer.Reservation || len(book[0].Lines) != 3 {
		t.Errorf("booked %+v", book)
	}
	if v, _, err := h.s.VoidPosting(t.Context(), manager, "", p.ID, Reversal{}, unhurried); err != nil || v.State != Posted || sim.Balance(payer.Reservation) != 0 {
		t.Errorf("void: %+v %v, balance %d", v, err, sim.Balance(payer.Reservation))
	}
	r.Room, r.Reservation = blocked.Room, blocked.Reservation
	if p := h.place(waiter, "np", r); p.State != Refused || p.Reason != "np" {
		t.Errorf("no-post: %+v", p)
	}
	if list := h.find(payer.Surname[:3]); len(list) == 0 {
		t.Errorf("nobody by the name of %s", payer.Surname)
	}
	// The answer is lost, and the folio tells.
	r.Room, r.Reservation = payer.Room, payer.Reservation
	if err := sim.Inject(cloud.Fault{Kind: cloud.LoseAnswer, Op: cloud.Charge, Count: 1}); err != nil {
		t.Fatal(err)
	}
	lost := h.place(waiter, "lost", r)
	if lost.State != Unknown {
		t.Fatalf("after a lost answer: %+v", lost)
	}
	link.look(t.Context())
	if got := h.becomes(lost, Posted); got.Resolution.By != "late_answer" {
		t.Errorf("after a look at the folio: %+v", got.Resolution)
	}
	if err := sim.Inject(cloud.Fault{Kind: cloud.NightAudit}); err != nil {
		t.Fatal(err)
	}
	if p := h.place(waiter, "night", r); p.State != Refused || p.Reason != "na" {
		t.Errorf("at night: %+v", p)
	}
	if err := sim.Lift(cloud.NightAudit); err != nil {
		t.Fatal(err)
	}
	_, v, _ := h.call(waiter, "GET", "/v1/pms", nil)
	if v["profile"] != "cloud" || v["charging"] != true {
		t.Errorf("hotel: %v", v)
	}
}
