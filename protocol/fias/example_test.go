package fias_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"aboyeur/protocol/fias"
	"aboyeur/protocol/ifc"
)

// A record is read in place: Get shares memory with the bytes that came.
func ExampleParse() {
	var r fias.Record
	if err := fias.Parse([]byte("PA|RN2781|ASOK|P#1729|DA000915|TI123545|"), &r); err != nil {
		fmt.Println(err)
		return
	}
	number, _ := r.Number(fias.PNum)
	fmt.Printf("%s: room %s, posting %d: %s\n", r.ID(), r.Get(fias.RN), number, fias.Status(r.Get(fias.AS)).Info().Meaning)
	// Output: PA: room 2781, posting 1729: done
}

// The encoding of the link is the site's; what it lacks is replaced by what comes nearest.
func ExampleMarshal() {
	latin, err := fias.NewEncoding("iso-8859-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := fias.Marshal(nil, fias.PostingSimple{Posting: fias.Posting{
		At: time.Date(2026, 3, 1, 12, 15, 0, 0, time.UTC), Number: 1001, Room: "2781", Type: fias.TypeAmount, Total: 1450,
		Text: "Œuf poché | 14 €",
	}}, fias.Codec{Encoding: latin})
	fmt.Printf("%q %v\n", b, err)
	// Output: "PS|RN2781|P#1001|PTC|TA1450|CTOEuf poch\xe9 / 14 EUR|DA260301|TI121500|" <nil>
}

// A till charges a room: an inquiry, and a posting to the guest it found.
func ExampleLink() {
	till, opera := net.Pipe()
	go hotel(opera)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	link := fias.NewLink(ifc.NewTCP(till, ifc.Options{}), fias.LinkConfig{})
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	defer stop()
	go func() { ended <- link.Run(running) }()
	if err := link.WaitAlive(ctx); err != nil {
		fmt.Println(err)
		return
	}
	found, err := link.Inquire(ctx, fias.Inquiry{Number: 1, Find: "2781", PaymentMethod: "ROOM"})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := found.Guests[0]
	answer, err := link.Post(ctx, fias.PostingRequest{Posting: fias.Posting{
		Number: 2, Room: g.Room, Reservation: g.Reservation, Guest: g.Name, PaymentMethod: "ROOM",
		Total: 1000, Parts: fias.Parts{Subtotals: [9]fias.Amount{900}, Tip: 100},
	}})
	switch {
	case errors.Is(err, ifc.ErrNotSent):
		fmt.Println("nothing was charged:", err)
	case err != nil:
		fmt.Println("look it up in OPERA:", err)
	default:
		fmt.Printf("%s, room %s: %s\n", g.Name, g.Room, answer.Status.Info().Action)
	}
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// Guest, Mr., room 2781: close the check
	// ended: <nil>
}

// hotel is the other end: the hand-shake by a Host, one guest, and every posting taken.
func hotel(line net.Conn) {
	ctx := context.Background()
	conn := ifc.NewTCP(line, ifc.Options{})
	defer conn.Close()
	say := func(format string, args ...any) { conn.Send(ctx, fmt.Appendf(nil, format, args...)) }
	var host fias.Host
	var r fias.Record
	say("LS|DA260301|TI120000|")
	for {
		raw, err := conn.Receive(ctx)
		if err != nil || fias.Parse(raw, &r) != nil {
			return
		}
		step := host.Take(&r, fias.Codec{})
		if step.Reply != 0 {
			say("%s|DA260301|TI120000|", step.Reply)
		}
		if step.Close {
			return
		}
		switch fias.RequestOf(&r) {
		case fias.InquiryRequest:
			say("PL|P#%s|RN2781|G#12345|GNGuest, Mr.|", r.Get(fias.PNum))
		case fias.PostRequest:
			say("PA|ASOK|P#%s|", r.Get(fias.PNum))
		}
	}
}
