package printer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Fault
		err  string
	}{
		{in: "paper_out", want: Fault{Kind: PaperOut, From: "start"}},
		{in: "paper_out@350", want: Fault{Kind: PaperOut, At: 350, From: "start"}},
		{in: "cover@10,for=2s", want: Fault{Kind: Cover, At: 10, From: "start", For: Duration(2 * time.Second)}},
		{in: "echo_lost@1,count=2,where=arrive,from=now", want: Fault{Kind: EchoLost, At: 1, From: "now", Count: 2, Where: "arrive"}},
		{in: "slow,lines_per_second=0.5,bytes_per_second=100", want: Fault{Kind: Slow, From: "start", LinesPerSecond: 0.5, BytesPerSecond: 100}},
		{in: "stuck@7,bytes=90000", want: Fault{Kind: Stuck, At: 7, From: "start", Bytes: 90000}},
		{in: "garbage,data=00ff", want: Fault{Kind: Garbage, From: "start", Data: "00ff"}},
		{in: "", err: `fault kind ""`},
		{in: "fire@2", err: `fault kind "fire": there is none of this name`},
		{in: "cover@x", err: `"x" is not a byte number; write cover@350`},
		{in: "cover@-1", err: "a number is below zero"},
		{in: "cover,for=2", err: "write a number with its unit, as in 2s"},
		{in: "cover,for=-2s", err: "write a number with its unit"},
		{in: "cover,colour=red", err: `there is no option "colour"`},
		{in: "cover,where=there", err: `where "there"; write print or arrive`},
		{in: "cover,from=then", err: `from "then"; write now or start`},
		{in: "garbage,data=xx", err: "write up to 256 bytes in hex"},
		{in: "echo_foreign,data=00", err: "a process id has four bytes"},
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

func TestEveryKindStrikesAndLifts(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(string(k), func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, p *Printer, h *host) {
				h.send("1D61FF")
				h.expect(well)
				if err := p.Inject(Fault{Kind: k, At: 2}); err != nil {
					t.Fatal(err)
				}
				h.conn.Write(code(order + cut + tokenC))
				h.conn.SetWriteDeadline(time.Now().Add(time.Second))
				h.conn.Write(code("00"))
				if n := p.State().Struck[k]; n != 1 {
					t.Errorf("struck %d times", n)
				}
				p.Lift(k)
				p.recoverByHost()
				if s := p.State(); len(s.Faults) != 0 || len(s.Armed) != 0 || !s.Power || !s.Online {
					t.Errorf("after the lift: %+v", s)
				}
			})
		})
	}
}

// recoverByHost is DLE ENQ 1 without a link.
func (p *Printer) recoverByHost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recover()
}

func TestControl(t *testing.T) {
	p := newPrinter(t, Config{})
	server := httptest.NewServer(p.Control())
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
	p.mu.Lock()
	p.take(code(order+cut+"'more' 0A"), time.Now())
	p.mu.Unlock()
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/state", "", 200, `"online":true`},
		{"POST", "/fault", `{"kind":"paper_out","for":"1h"}`, 204, ""},
		{"GET", "/state", "", 200, `"online":false,"reason":"paper_out"`},
		{"POST", "/fault", `{"kind":"cover","at":100}`, 204, ""},
		{"GET", "/state", "", 200, `"armed":[{"kind":"cover","at":100}]`},
		{"POST", "/lift", `{"kind":"paper_out"}`, 204, ""},
		{"GET", "/state", "", 200, `"online":true`},
		{"POST", "/lift", ``, 204, ""},
		{"GET", "/state", "", 200, `"armed":[]`},
		{"GET", "/ledger", "", 200, `"text":"Table 12\n2 Margherita\n"`},
		{"GET", "/ledger?after=1", "", 200, ""},
		{"GET", "/ledger?after=x", "", 400, "write a ticket's number"},
		{"GET", "/paper", "", 200, "more\n"},
		{"POST", "/fault", `{"kind":"fire"}`, 400, "there is none of this name"},
		{"POST", "/fault", `{"kind":"cover","for":2}`, 400, "JSON"},
		{"POST", "/fault", `{"kind":"cover","colour":"red"}`, 400, "colour"},
		{"POST", "/fault", `{"kind":"garbage","data":"` + strings.Repeat("00", 64<<10) + `"}`, 400, "too large"},
		{"POST", "/lift", `{"kind":"fire"}`, 400, "there is none of this name"},
		{"GET", "/fault", "", 405, ""},
	} {
		status, body := call(test.method, test.path, test.body)
		if status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s %s %.60s = %d %s; want %d %s", test.method, test.path, test.body, status, body, test.status, test.want)
		}
	}
	p.Close()
	if status, body := call("POST", "/fault", `{"kind":"cover"}`); status != http.StatusGone {
		t.Errorf("fault after Close = %d %s", status, body)
	}
}
