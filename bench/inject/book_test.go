package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aboyeur/bridge/sale"
	"aboyeur/simulate/dinner"
)

func TestMarkIsFoundAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := mark{salt: uint16(rapid.IntRange(0, 1023).Draw(t, "salt")), n: uint32(rapid.IntRange(0, maxOrders-1).Draw(t, "n"))}
		text := rapid.StringMatching(`[A-Z ]{0,20}`).Draw(t, "before") + " " + m.String() + rapid.StringMatching(`[ a-z]{0,9}`).Draw(t, "after")
		if got, ok := findMark([]byte(text)); !ok || got != m {
			t.Fatalf("findMark(%q) = %v %v, want %v", text, got, ok, m)
		}
	})
	for _, s := range []string{"", "ZQ", "ZQ0000", "ZQ0000000x"[:8], "ZQilou---", "nothing here"} {
		if m, ok := findMark([]byte(s)); ok {
			t.Errorf("findMark(%q) = %v, want none", s, m)
		}
	}
}

// TestMenusAreOrders holds the sixteen menus against the box's own reading of an order.
func TestMenusAreOrders(t *testing.T) {
	all := testTemplates(t, "box")
	if len(all) != 16 {
		t.Fatalf("%d menus, want 16", len(all))
	}
	services, fewest, most, seen := map[string]int{}, 99, 0, map[uint32]bool{}
	for i := range all {
		raw := string(all[i].fill(nil, mark{5, uint32(i)}))
		_, body, ok := strings.Cut(raw, "\r\n\r\n")
		if !ok || !strings.Contains(raw, fmt.Sprintf("Content-Length: %d\r\n", len(body))) || !strings.Contains(raw, "Authorization: Bearer secret\r\n") {
			t.Errorf("menu %d: the request's head is %q", i, raw[:200])
		}
		var o sale.Order
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			t.Errorf("menu %d: %v", i, err)
			continue
		}
		want := mark{5, uint32(i)}.String()
		if o.Partner.OrderID != want || !strings.HasPrefix(o.SourceOrderID, want+"-") {
			t.Errorf("menu %d: partner order %q, source order %q, want %s in both", i, o.Partner.OrderID, o.SourceOrderID, want)
		}
		services[string(o.Service)]++
		fewest, most = min(fewest, len(o.Lines)), max(most, len(o.Lines))
		seen[all[i].stations] = true
	}
	if services["delivery"] < 3 || services["pickup"] < 3 || services["dine_in"] < 3 || fewest != 1 || most != 9 {
		t.Errorf("services %v, %d to %d lines; want each service, 1 to 9 lines", services, fewest, most)
	}
	if len(seen) < 4 {
		t.Errorf("the menus go to %d sets of stations, want some variety", len(seen))
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct {
		stations, screens int
		order             uint32
		views             int
		screensOf0        string
	}{
		{4, 4, 0b0011, 2, "[0]"},
		{4, 16, 0b0001, 4, "[0 4 8 12]"},
		{4, 5, 0b1111, 5, "[0 4]"},
		{4, 2, 0b1111, 4, "[0]"},
		{4, 2, 0b0101, 2, "[0]"},
		{1, 3, 0b1, 3, "[0 1 2]"},
		{3, 0, 0b111, 0, "[]"},
	} {
		l := layout{stations: c.stations, screens: c.screens}
		n := 0
		for v := l.viewsOf(c.order); v != 0; v &= v - 1 {
			n++
		}
		if got := fmt.Sprint(l.screensOf(0)); n != c.views || got != c.screensOf0 {
			t.Errorf("%d stations, %d screens: order %b has %d views, station 0 screens %s; want %d, %s", c.stations, c.screens, c.order, n, got, c.views, c.screensOf0)
		}
	}
	used := map[int]bool{}
	for _, c := range dinner.Categories {
		used[stationOf(c, 3)] = true
	}
	if len(used) != 3 {
		t.Errorf("the categories go to %d of 3 stations", len(used))
	}
}

func TestBookMatchesPaperAndScreens(t *testing.T) {
	l := layout{stations: 2, screens: 2}
	b := newBook(9, l)
	o, m := b.open()
	o.at, o.stations = 100, 0b11
	other, m2 := b.open()
	other.at, other.stations = 200, 0b01
	o.status.Store(201)
	other.status.Store(201)

	b.printed(0, []byte("Uber Eats "+m.String()+"\n"), false, 110, 120)
	b.printed(1, []byte("Uber Eats "+m.String()+"\n"), false, 105, 140)
	b.printed(1, []byte(m.String()), false, 150, 160)                 // once more
	b.printed(1, []byte("** REPRINT ** "+m.String()), true, 150, 160) // once more, and it says so
	b.printed(1, []byte(m2.String()), false, 150, 160)                // not its station
	b.printed(0, []byte("TEST PAGE"), false, 1, 2)
	b.printed(0, []byte(mark{8, 0}.String()), false, 1, 2) // an order of a run before
	b.printed(0, []byte(mark{9, 77}.String()), false, 1, 2)
	b.showed(0, m, 130)
	b.showed(1, m, 170)
	b.showed(1, m, 999) // a snapshot shows it again

	if f, l := o.paperFirst.Load(), o.paperLast.Load(); f != 105 || l != 140 {
		t.Errorf("first and last byte at %d and %d, want 105 and 140", f, l)
	}
	if o.shownLast.Load() != 170 {
		t.Errorf("last screen at %d, want 170", o.shownLast.Load())
	}
	got := b.tally(-1)
	want := tally{Sent: 2, Acknowledged: 2, MissingOnPaper: 1, MissingOnScreen: 1, Tickets: 3, TicketsPrinted: 2, Views: 3, ViewsShown: 2, Reprints: 1, Twice: 1, Strange: 1, Unmarked: 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("tally = %+v\nwant %+v", got, want)
	}
	if b.complete(-1, true) {
		t.Error("complete = true with an order missing")
	}
	b.printed(0, []byte(m2.String()), false, 210, 220)
	if b.complete(-1, true) || !b.complete(-1, false) {
		t.Error("complete is not the paper's without screens, and the screens' with them")
	}
}

func TestBookGrows(t *testing.T) {
	b := newBook(1, layout{stations: 1})
	for i := range 3*shelf + 1 {
		o, m := b.open()
		o.phase = i % 2
		if b.find(m) != o {
			t.Fatalf("order %d is not found", i)
		}
	}
	n := 0
	b.each(1, func(mark, *order) { n++ })
	if n != (3*shelf+1)/2 {
		t.Errorf("phase 1 has %d orders, want %d", n, (3*shelf+1)/2)
	}
}

func TestLedgerIsReadAsItGrows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 19, 4, 5, 123456000, time.UTC)
	var lines []byte
	for i := range 3 {
		b, err := json.Marshal(map[string]any{"n": i + 1, "text": "order " + mark{1, uint32(i)}.String() + "\n", "first_byte_at": at, "last_byte_at": at.Add(time.Millisecond), "banner": i == 2, "partial": false, "later": "field"})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, b...), '\n')
	}
	l := ledger{file: file}
	var got []printedTicket
	for i := 0; i < len(lines); i += 50 { // wherever the other process has come to
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(lines[i:min(i+50, len(lines))]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.read(func(x printedTicket) { got = append(got, x) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 3 || !got[2].Banner || got[1].Banner || !got[0].FirstByteAt.Equal(at) || !strings.Contains(got[1].Text, mark{1, 1}.String()) {
		t.Errorf("ledger gave %+v, want the three tickets", got)
	}
	if err := os.WriteFile(file, append(lines, "not JSON\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.read(func(printedTicket) {}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a broken ledger gives %v, want an error that names the file", err)
	}
}
