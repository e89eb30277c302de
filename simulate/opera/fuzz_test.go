package opera

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"aboyeur/protocol/ifc"
)

// FuzzVendor lets anybody say anything on a link that is alive: the simulator goes on, answers, and keeps its books. What
// it booked is what it told of in its exchanges, and the folios add up.
func FuzzVendor(f *testing.F) {
	for _, s := range []string{
		"\x02PR|PI2781|P#1|WS1|PMROOM|\x03\x02PR|RN2781|G#12345|P#2|WS1|PMROOM|TA100|S1100|\x03",
		"\x02PS|RN2781|PTM|MA1450|M#2|MA4000|P#3|\x03\x02PS|RN2781|PTT|MP9|DU000101|\x03",
		"\x02PR|P#9|PMVISA|TA-5|D1-5|+00|\x03\x02DR|\x03\x02XR|RN2781|G#12345|\x03",
		"\x02LS|\x03\x02LD|\x03\x02LR|RIPR|FLP|\x03\x02LA|\x03\x02PR|\x03",
		"\x02LE|\x03", "\r\n\x02\x02\x03\x03|||", "\x02PR|PI\xff\xfe|P#00000000000000000001|MX99999999999|\x03",
	} {
		f.Add(s, false)
	}
	f.Add(`<LinkDescription VerNum="1"/>`, true)
	f.Add("\x02"+xmlInquiry(1, ByRoom, "2781")+"\x03\x02"+xmlPosting(2, "")+"\x03", true)
	f.Add("\x02<PostRequest Tip='1' TotalAmount='9999999999999999999'/>\x03\x02<!DOCTYPE x>\x03", true)
	f.Fuzz(func(t *testing.T, said string, xml bool) {
		c, shake := Config{Keep: 1000}, handshake
		if xml {
			c.Dialect, shake = XMLPOS, xmlShake
		}
		s := newSim(t, c)
		a, b := net.Pipe()
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- s.ServeConn(ctx, b) }()
		v := &vendor{t: t, raw: a, conn: ifc.NewTCP(a, ifc.Options{})}
		v.script(shake)
		a.SetDeadline(time.Now().Add(patience))
		go io.Copy(io.Discard, a)
		a.Write([]byte(strings.ReplaceAll(said, "LE|", "LX|") + "\x03\r\n"))
		a.Close()
		<-served
		stop()
		var total, owed Amount
		booked := map[int64]bool{}
		for _, p := range s.Hotel().Ledger(0) {
			if p.Kind != OnMethod {
				total += p.Total
			}
			booked[p.N] = true
		}
		for _, g := range s.Hotel().Guests() {
			owed += g.Balance
		}
		for _, a := range s.Hotel().Accounts() {
			owed += a.Balance
		}
		if total != owed-900 { // what is owed from the start
			t.Errorf("booked %d, owed %d", total, owed-900)
		}
		for _, x := range s.Exchanges(0) {
			if x.Booked > 0 && !booked[x.Booked] || (x.Status == StatusOK && x.On == OnPosting) != (x.Booked > 0) {
				t.Errorf("exchange %+v", x)
			}
			delete(booked, x.Booked)
		}
		if len(booked) > 0 {
			t.Errorf("booked without an exchange: %v", booked)
		}
	})
}

// FuzzFile reads anything as a hotel; what it takes makes one.
func FuzzFile(f *testing.F) {
	f.Add([]byte(testFile))
	f.Add([]byte(`{"rooms":["1"],"guests":[{"reservation":"7","room":"1","name":"x"}]}`))
	f.Add([]byte("rooms: &a ['1']\npaymasters: *a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := ParseFile(b)
		if err != nil {
			return
		}
		h, err := NewHotel(file, noon())
		if err != nil {
			t.Fatalf("parsed and not made: %v", err)
		}
		if len(h.Guests()) != len(file.Guests) {
			t.Errorf("%d guests of %d", len(h.Guests()), len(file.Guests))
		}
	})
}

// FuzzFault reads anything as a fault of a command line.
func FuzzFault(f *testing.F) {
	for _, s := range []string{"cut@12,dir=out,on=posting,reset", "refused,status=RY,text=x", "ls,after=1s,every=2s,count=3", "ack_wrong,data=15"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if fault, err := ParseFault(s); err == nil && fault.filled().check() != nil {
			t.Errorf("%q: defaults make it wrong: %v", s, fault.filled().check())
		}
	})
}
