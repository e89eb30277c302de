package opera

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/protocol/fias"
	"aboyeur/protocol/ifc"
	"aboyeur/protocol/xmlpos"
)

// A newer connection ends the older, or is refused, or is served too.
func TestClients(t *testing.T) {
	t.Run("newest", func(t *testing.T) {
		s := newSim(t, Config{})
		address := listen(t, s, Port{})
		old := alive(t, address)
		young := alive(t, address)
		old.end()
		young.quiet()
	})
	t.Run("refuse", func(t *testing.T) {
		s := newSim(t, Config{})
		address := listen(t, s, Port{Clients: Refuse})
		old := alive(t, address)
		if raw, err := net.Dial("tcp", address); err == nil {
			if _, err := raw.Read(make([]byte, 1)); err == nil {
				t.Error("the newcomer is spoken to")
			}
			raw.Close()
		}
		old.quiet()
		if n := s.State().Refused; n != 1 {
			t.Errorf("%d refused", n)
		}
		old.conn.Close()
		eventually(t, "the port is free", func() bool { return len(s.State().Links) == 0 })
		alive(t, address)
	})
	t.Run("many", func(t *testing.T) {
		s := newSim(t, Config{})
		address := listen(t, s, Port{Clients: Many})
		a, b := alive(t, address), alive(t, address)
		a.quiet()
		b.quiet()
		s.StartAudit()
		a.expect("NS|DA250301|TI120000|")
		b.expect("NS|DA250301|TI120000|")
	})
}

// Several vendors, each on a port and in a dialect of its own, share one hotel; a fault may be meant for one of them.
func TestPorts(t *testing.T) {
	s := newSim(t, Config{})
	till := alive(t, listen(t, s, Port{Name: "till"}))
	spa := dial(t, listen(t, s, Port{Name: "spa", Dialect: XMLPOS}))
	spa.script(xmlShake)
	inject(t, s, Fault{Kind: AnswerLost, Link: "spa"})
	till.inquire(1, "2781")
	till.say(posting(2, 100))
	till.expect(posted(2, 4711))
	spa.say(xmlInquiry(1, ByRoom, "2781"))
	if _, err := spa.hear(); err != nil {
		t.Fatal(err)
	}
	spa.say(xmlPosting(2, "")) // the till's number is none of its business
	spa.script(xmlShake)
	l := s.Hotel().Ledger(0)
	if len(l) != 2 || l[0].Link != "till" || l[1].Link != "spa" || l[1].Repeat {
		t.Errorf("ledger %+v", l)
	}
	if g, _ := s.Hotel().Guest("12345"); g.Owing != 1100 {
		t.Errorf("balance %d", g.Owing)
	}
	if err := (Port{Dialect: "morse"}).Check(); err == nil {
		t.Error("morse was taken")
	}
	if err := (Port{Clients: "some"}).Check(); err == nil {
		t.Error("some was taken")
	}
}

// IfcAuthKey, with the vectors of fias.md 3.8.
func TestAuthentication(t *testing.T) {
	const key = "FidCrypt0S|GVDpVnl6qYlTQXQJZxXdbw=="
	raw, err := authKey(key)
	if err != nil {
		t.Fatal(err)
	}
	const good = "FidCryptAB;3k57hsoHm04fGEyaA3+UVw==oNTebC0J36LY8GV9azyhzw=="
	if err := checkCryptogram(raw, good, "170831102201"); err != nil {
		t.Errorf("the vector: %v", err)
	}
	for name, cg := range map[string]string{
		"another key": "FidCryptAB;wrs43icYcDOz0+7U+hsoug==8fLwUEOfzfhDv9yg4z0lhw==", "no prefix": good[11:], "no text": good[:35], "no base64": good[:40] + "!" + good[41:],
		"half a block": good[:47],
	} {
		if err := checkCryptogram(raw, cg, "170719134041"); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := checkCryptogram(raw, good, "170831102202"); err == nil {
		t.Error("another LS: taken")
	}
	for _, wrong := range []string{"x", "FidCrypt0S|", "AAAA"} {
		if _, err := New(Config{AuthKey: wrong}); err == nil {
			t.Errorf("key %q was taken", wrong)
		}
	}
	seal := func(text string) string {
		block, _ := aes.NewCipher(raw)
		iv := bytes.Repeat([]byte{7}, 16)
		b := append([]byte(text), bytes.Repeat([]byte{4}, 4)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(b, b)
		return "FidCryptAB;" + base64.StdEncoding.EncodeToString(iv) + base64.StdEncoding.EncodeToString(b)
	}
	s := newSim(t, Config{AuthKey: key})
	address := listen(t, s, Port{})
	const rest = "\n> LR|RIPA|FLASP#|\n> LA|\n< LC|RPROOM,16|PH1|\n< LA|DA250301|TI120000|"
	v := dial(t, address)
	v.script("< LS|DA250301|TI120000|\n> LD|V#1|IFPO|RT1|CG" + seal("250301120000") + "|" + rest)
	dial(t, address).script("< LS|DA250301|TI120000|\n> LD|V#1|IFPO|RT1|" + rest) // no CG: not checked
	w := dial(t, address)
	w.script("< LS|DA250301|TI120000|\n> LD|V#1|IFPO|RT1|CG" + seal("250301115959") + "|\n!")
	if raw, err := net.Dial("tcp", address); err == nil { // off, until somebody enters the key again
		if _, err := raw.Read(make([]byte, 1)); err == nil {
			t.Error("it is spoken to")
		}
		raw.Close()
	}
	if !s.State().AuthFailed {
		t.Error("no error 110")
	}
	s.Reauthenticate()
	alive(t, address)
	dial(t, address).script("< LS|DA250301|TI120000|\n> LD|V#1|IFPO|CG" + seal("250301120000") + "|\n!") // RT is missing
}

// The product's own link charges a room over a socket and over a pseudo-terminal.
func TestProductLink(t *testing.T) {
	key := fias.NewKey()
	for name, connect := range map[string]func(t *testing.T, s *Simulator) ifc.Conn{
		"tcp": func(t *testing.T, s *Simulator) ifc.Conn {
			raw, err := net.Dial("tcp", listen(t, s, Port{}))
			if err != nil {
				t.Fatal(err)
			}
			return ifc.NewTCP(raw, ifc.Options{})
		},
		"serial": func(t *testing.T, s *Simulator) ifc.Conn {
			a, b := openPty(t)
			serve(t, func(ctx context.Context) error { return s.ServeLine(ctx, b) })
			return ifc.NewSerial(a, ifc.Options{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, Config{AuthKey: key.Export(), Encoding: "windows-1252", EndWait: time.Second})
			conn := connect(t, s)
			enc, err := fias.NewEncoding("windows-1252")
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var guests []fias.GuestRecord
			link := fias.NewLink(conn, fias.LinkConfig{
				Key: key, Codec: fias.Codec{Encoding: enc}, Now: noon, EndWait: time.Second,
				Hooks: fias.Hooks{Guest: func(g fias.GuestRecord) { mu.Lock(); guests = append(guests, g); mu.Unlock() }},
			})
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- link.Run(ctx) }()
			defer func() { stop(); <-ran; conn.Close() }()
			wait, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if err := link.WaitAlive(wait); err != nil {
				t.Fatalf("not alive: %v; %+v", err, s.Remarks())
			}
			list, err := link.Inquire(wait, fias.Inquiry{At: noon(), Number: 1, Find: "2781", Workstation: "T1", PaymentMethod: "ROOM"})
			if err != nil || len(list.Guests) != 2 {
				t.Fatalf("inquiry: %+v, %v", list, err)
			}
			answer, err := link.Post(wait, fias.PostingRequest{Posting: fias.Posting{
				At: noon(), Number: 2, Room: "2781", Reservation: "12345", Guest: list.Guests[0].Name, Workstation: "T1", PaymentMethod: "ROOM",
				Total: 1000, Check: 7,
			}})
			if err != nil || answer.Status != fias.OK {
				t.Fatalf("posting: %+v, %v", answer, err)
			}
			if err := link.Resync(wait); err != nil {
				t.Fatalf("resync: %v", err)
			}
			eventually(t, "the house is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(guests) == 11 })
			if err := s.Move("12345", "106"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the move is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(guests) == 12 })
			s.StartAudit()
			eventually(t, "the night is told", func() bool { return link.Status().Night })
			s.EndAudit()
			eventually(t, "and its end", func() bool { return !link.Status().Night })
			if l := s.Hotel().Ledger(0); len(l) != 1 || l[0].Number != 2 || l[0].Total != 1000 {
				t.Errorf("ledger %+v", l)
			}
			for _, r := range s.Remarks() {
				t.Errorf("the product deviates: %s: %s", r.Code, r.Text)
			}
		})
	}
	t.Run("xmlpos", func(t *testing.T) {
		s := newSim(t, Config{Dialect: XMLPOS})
		address := listen(t, s, Port{})
		link, err := xmlpos.NewLink(xmlpos.Config{Now: noon, Dial: func(ctx context.Context) (ifc.Conn, error) {
			raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return ifc.NewTCP(raw, ifc.Options{}), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- link.Run(ctx) }()
		defer func() { stop(); <-ran }()
		eventually(t, "the link is up", func() bool { return link.Status().State == xmlpos.Up })
		wait, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		r, err := link.Inquire(wait, &xmlpos.PostInquiry{Information: "2781", Sequence: 1, Type: xmlpos.ByRoom, PaymentMethod: "16", At: noon(), RevenueCenter: "1", Workstation: "T1"})
		if err != nil || r.List == nil || len(r.List.Items) != 2 {
			t.Fatalf("inquiry: %+v, %v", r, err)
		}
		g := r.List.Items[0]
		a, err := link.Post(wait, &xmlpos.PostRequest{
			Room: g.Room, Reservation: g.Reservation, Profile: g.Profile, LastName: g.LastName, Hotel: g.Hotel, Type: xmlpos.ByRoom, Information: "2781", Match: 1,
			Sequence: 2, Total: 500, Subtotals: [xmlpos.Groups]int64{500}, PaymentMethod: "16", CheckNumber: "7", RevenueCenter: "1", At: noon(), Workstation: "T1",
		})
		if err != nil || a.Status != xmlpos.OK {
			t.Fatalf("posting: %+v, %v", a, err)
		}
		for _, r := range s.Remarks() {
			t.Errorf("the product deviates: %s: %s", r.Code, r.Text)
		}
	})
}

// TLS comes with the listener (fias.md 1.1).
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	s := newSim(t, Config{})
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(ctx context.Context) error {
		return s.Serve(ctx, tls.NewListener(plain, &tls.Config{Certificates: web.TLS.Certificates}))
	})
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	raw, err := tls.Dial("tcp", plain.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	v := &vendor{t: t, raw: raw, conn: ifc.NewTCP(raw, ifc.Options{})}
	defer v.conn.Close()
	v.script(handshake)
	v.inquire(1, "2781")
	inject(t, s, Fault{Kind: Cut, On: OnPosting, Dir: Out, At: 10, Count: 1, Reset: true})
	v.say(posting(2, 100))
	v.end()
	if n := len(s.Hotel().Ledger(0)); n != 1 {
		t.Errorf("%d postings", n)
	}
}

// Everything that HTTP can do.
func TestControl(t *testing.T) {
	s, v := up(t, Config{})
	server := httptest.NewServer(s.Control())
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	call := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		w, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		b, _ := io.ReadAll(w.Body)
		return w.StatusCode, string(b)
	}
	v.inquire(1, "2781")
	v.say(posting(2, 100))
	v.expect(posted(2, 4711))
	v.quiet()
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/ledger", "", 200, `"business_date":"2025-03-01","kind":"room","link":"link1","guest":"Guest, Mr.","record":"PR","number":2,`},
		{"GET", "/ledger?after=1", "", 200, ""},
		{"GET", "/ledger?after=x", "", 400, "after: write the number of an entry"},
		{"GET", "/exchanges", "", 200, `"on":"posting","record":"PR","number":2,"room":"2781","reservation":"12345","total":100,"status":"OK"`},
		{"GET", "/folio/12345", "", 200, `"total":100`},
		{"GET", "/folio/77", "", 200, ""},
		{"GET", "/rooms", "", 200, `{"number":"101","guests":[{"reservation":"12875"`},
		{"GET", "/accounts", "", 200, `"number":"AR1001"`},
		{"GET", "/trace", "", 200, "link1 +0.000 < PR|PI2781|"},
		{"GET", "/state", "", 200, `"alive":true,"state":"alive"`},
		{"POST", "/fault", `{"kind":"answer_lost","on":"posting","count":2}`, 204, ""},
		{"GET", "/state", "", 200, `"faults":[{"kind":"answer_lost","on":"posting","count":2,`},
		{"POST", "/lift", `{"kind":"answer_lost"}`, 204, ""},
		{"GET", "/state", "", 200, `"faults":[]`},
		{"POST", "/lift", `{"kind":"fire"}`, 400, "there is none of this name"},
		{"POST", "/fault", `{"kind":"fire"}`, 400, "there is none of this name"},
		{"POST", "/fault", `{"kind":"ls","colour":1}`, 400, "not the JSON that is wanted here"},
		{"POST", "/check-in", `{"reservation":"9","room":"106","name":"Ruth"}`, 204, ""},
		{"POST", "/check-in", `{"reservation":"9","room":"106","name":"Ruth"}`, 400, "in the house already"},
		{"POST", "/change", `{"reservation":"9","name":"Ruth","no_post":true}`, 204, ""},
		{"POST", "/move", `{"reservation":"9","room":"105"}`, 204, ""},
		{"GET", "/rooms", "", 200, `{"number":"105","guests":[{"reservation":"9","room":"105","name":"Ruth","no_post":true}]}`},
		{"POST", "/check-out", `{"reservation":"9"}`, 204, ""},
		{"POST", "/audit/start", "", 204, ""},
		{"GET", "/state", "", 200, `"audit":true`},
		{"POST", "/audit/end", "", 204, ""},
		{"GET", "/state", "", 200, `"business_date":"2025-03-02","audit":false`},
		{"POST", "/reauthenticate", "", 204, ""},
		{"GET", "/nothing", "", 404, ""},
	} {
		status, body := call(test.method, test.path, test.body)
		if status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s %s %s = %d %s\nwant %d %s", test.method, test.path, test.body, status, body, test.status, test.want)
		}
	}
	v.script("< NS|DA250301|TI120000|\n< NE|DA250301|TI120000|")
	s.Close()
	if status, _ := call("POST", "/fault", `{"kind":"ls"}`); status != http.StatusGone {
		t.Errorf("after Close: %d", status)
	}
}

// The ledger as a file: each posting a line in one write. A file that fails ends in Serve's error.
func TestLedgerFile(t *testing.T) {
	var file bytes.Buffer
	_, v := up(t, Config{Ledger: &file})
	v.inquire(1, "2781")
	for i := range 3 {
		v.say(posting(i+2, 100))
		v.expect(posted(i+2, 4711+i))
	}
	var n int64
	for lines := bufio.NewScanner(&file); lines.Scan(); {
		var p Posting
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if n++; p.N != n || p.Number != n+1 || p.Total != 100 {
			t.Errorf("line %d: %+v", n, p)
		}
	}
	if n != 3 {
		t.Errorf("%d lines", n)
	}
}

type brokenDisk struct{}

func (brokenDisk) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestLedgerFails(t *testing.T) {
	s, err := New(Config{Hotel: newTestHotel(t), Now: noon, Ledger: brokenDisk{}, EndWait: -1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	v := alive(t, l.Addr().String())
	v.inquire(1, "2781")
	v.say(posting(2, 100))
	v.expect(posted(2, 4711))
	stop()
	if err := <-served; err == nil || !strings.Contains(err.Error(), "ledger: disk is full") {
		t.Errorf("Serve = %v", err)
	}
	s.Close()
	if err := s.Serve(t.Context(), l); !errors.Is(err, ErrClosed) {
		t.Errorf("Serve after Close = %v", err)
	}
}

// What is kept in memory is bounded.
func TestKeep(t *testing.T) {
	s, v := up(t, Config{Keep: 10})
	v.inquire(1, "2781")
	for i := range 100 {
		v.say(posting(i+2, 1))
		v.expect(posted(i+2, 4711+i))
	}
	v.quiet()
	l, x := s.Hotel().Ledger(0), s.Exchanges(0)
	if len(l) >= 20 || l[len(l)-1].N != 100 || len(x) >= 20 || x[len(x)-1].N != 101 {
		t.Errorf("%d postings to %d, %d exchanges to %d", len(l), l[len(l)-1].N, len(x), x[len(x)-1].N)
	}
	if l := s.Hotel().Ledger(98); len(l) != 2 || l[0].N != 99 {
		t.Errorf("after 98: %+v", l)
	}
	if t2 := s.Hotel().Totals(); t2.Postings != 100 || t2.Amount != 100 || t2.Rooms != 100 {
		t.Errorf("totals %+v", t2)
	}
}
