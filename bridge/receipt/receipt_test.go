package receipt

import (
	"bytes"
	"encoding/json"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) == ".png" { // compressed, it may differ between releases of Go; the dots must not
		g, err := png.Decode(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		w, err := png.Decode(bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		if g.Bounds() != w.Bounds() || !bytes.Equal(g.(*image.Paletted).Pix, w.(*image.Paletted).Pix) {
			t.Errorf("%s differs", path)
		}
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", path, got, want)
	}
}

func logo(t testing.TB) escpos.Bitmap {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 96, 48))
	for y := range 48 {
		for x := range 96 {
			img.Set(x, y, color.Gray{uint8(2*x + y)})
		}
	}
	m, err := escpos.Dither(img, 192)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// dinner is a check for two.
func dinner() *Paper {
	p := &Paper{
		Venue:  Venue{Name: "Chez Léa", Address: []string{"12 rue de l’Œuf", "75011 Paris"}, Phone: "+33 1 40 00 00 00", TaxID: "SIRET 123 456 789 00012 – TVA FR12345678901"},
		Number: "2026-000417", Table: "12", Covers: 2, Staff: "Zoé", At: time.Date(2026, 11, 21, 21, 41, 7, 0, time.UTC), Currency: "EUR",
		Lines: []Line{
			{Quantity: 2, Name: "Menu du marché", Notes: []string{"1 x sans gluten"}, Amount: 7800, Rate: 1000},
			{Quantity: 1, Name: "Crozes-Hermitage, domaine des Entrefaux, demi-bouteille", Amount: 2450, Rate: 2000},
			{Quantity: 1, Name: "Café", Amount: 350, Rate: 1000},
			{Quantity: 1, Name: "Pain à emporter", Amount: 280, Rate: 550},
		},
		Total: 10880, Tips: 500, Link: "https://lea.example/avis/417",
		Payments: []Payment{{Name: "Carte **** 4242", Amount: 5880, Tip: 500}, {Name: "Espèces", Amount: 5000}},
	}
	p.Taxes = TaxesOf(p.Lines)
	return p
}

func layout(t testing.TB, model, language string, template Template) *Layout {
	t.Helper()
	profile, ok := escpos.ProfileFor(model)
	if !ok {
		t.Fatal(model)
	}
	l, err := New(Config{Template: template, Profile: profile, Words: words.In(language), Logo: logo(t), Zone: time.FixedZone("Paris", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPapers(t *testing.T) {
	duplicate := dinner()
	duplicate.Copy = 1
	room := dinner()
	room.Payments, room.Tips, room.Room, room.Guest, room.Link = nil, 0, "412", "Mme Lindqvist", ""
	room.Currency, room.Total = "CHF", 10880
	short := dinner()
	short.Payments, short.Balance, short.Change = short.Payments[:1], 5000, 0
	for _, c := range []struct {
		name, model, language string
		template              Template
		paper                 *Paper
	}{
		{"bill.fr.80", "generic-80mm", "fr", Bill("fr"), dinner()},
		{"receipt.fr.80", "generic-80mm", "fr", Receipt("fr"), dinner()},
		{"duplicata.fr.80", "generic-80mm", "fr", Receipt("fr"), duplicate},
		{"receipt.fr.58", "generic-58mm", "fr", Receipt("fr"), dinner()},
		{"receipt.en.58", "generic-58mm", "en", Receipt("en"), short},
		{"room.en.80", "epson-tm-t88", "en", Receipt("en"), room},
		{"duplicata.fr.u220", "epson-tm-u220", "fr", Receipt("fr"), duplicate},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := layout(t, c.model, c.language, c.template)
			body := l.Body(c.paper)
			stream := append(escpos.AppendInit(nil, l.c.Profile, c.language), body...)
			paper := escpos.Render(escpos.AppendCut(stream, l.c.Profile), l.c.Profile)
			if len(paper.Lost)+len(paper.Unknown)+paper.Drawer+paper.Buzzer > 0 || len(paper.Tickets) != 1 {
				t.Errorf("%+v", paper)
			}
			if text := paper.Text(); strings.Contains(text, "DUPLICATA") != (c.paper.Copy > 0) {
				t.Errorf("copy %d:\n%s", c.paper.Copy, text)
			}
			golden(t, c.name+".txt", []byte(paper.Text()))
			var picture bytes.Buffer
			if err := l.PNG(&picture, c.paper); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".png", picture.Bytes())
		})
	}
}

func TestTaxesOf(t *testing.T) {
	got := TaxesOf(dinner().Lines)
	want := []Tax{{1000, 7409, 741}, {2000, 2042, 408}, {550, 265, 15}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("tax %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Line {
			return Line{Amount: rapid.Int64Range(-1e9, 1e12).Draw(t, "amount"), Rate: rapid.SampledFrom([]int{0, 550, 1000, 2000, 2500}).Draw(t, "rate")}
		})).Draw(t, "lines")
		var total, sum int64
		for _, l := range lines {
			total += l.Amount
		}
		for _, x := range TaxesOf(lines) {
			sum += x.Net + x.Amount
		}
		if total != sum {
			t.Fatalf("%d of %d", sum, total)
		}
	})
}

func TestPercent(t *testing.T) {
	for rate, want := range map[int]string{0: "0", 550: "5,5", 1000: "10", 210: "2,1", 1925: "19,25", 5: "0,05"} {
		if got := percent(rate, ","); got != want {
			t.Errorf("percent(%d) = %q, want %q", rate, got, want)
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	ok := Block{When: "copy", Text: "DUPLICATA {copy}"}
	for _, c := range []struct {
		template Template
		want     string
	}{
		{nil, "blocks: there are 0; write 1 to 100"},
		{Template{{Text: "x"}}, `blocks: none says that a paper is a copy; add one, as in {when: copy, text: "DUPLICATA {copy}", alert: true}`},
		{Template{ok, {}}, "blocks[1].text: a block is one of text, left and right, rule, logo, qr, barcode and feed; this is 0 of them"},
		{Template{ok, {Text: "x", Rule: "-"}}, "blocks[1].text: a block is one of text, left and right, rule, logo, qr, barcode and feed; this is 2 of them"},
		{Template{ok, {Text: "{totle}"}}, "blocks[1].text: there is no field {totle}; write one of venue, phone,"},
		{Template{ok, {Text: "{name}"}}, "blocks[1].text: there is no field {name}; write one of venue, phone,"},
		{Template{ok, {Each: "lines", Left: "{tip}"}}, "blocks[1].left: there is no field {tip}; write one of quantity, name,"},
		{Template{ok, {Each: "guests", Text: "x"}}, `blocks[1].each: there is no list "guests"; write lines, taxes, payments, address, header or footer`},
		{Template{ok, {When: "rain", Text: "x"}}, `blocks[1].when: there is no field "rain"; write one of venue,`},
		{Template{ok, {Text: "{total"}}, `blocks[1].text: "{total" has no closing brace`},
		{Template{ok, {Text: "{}"}}, "blocks[1].text: {} names no field"},
		{Template{ok, {Rule: "=="}}, `blocks[1].rule: "==" is not one character; write - or =`},
		{Template{ok, {Text: "x", Align: "middle"}}, `blocks[1].align: "middle"; write left, centre or right`},
		{Template{ok, {Feed: 20}}, "blocks[1].feed: 20; write 1 to 10"},
		{Template{ok, {Text: "x", Width: 9}}, "blocks[1].width: 9; write 1 to 8"},
		{Template{ok, {Text: strings.Repeat("x", 501)}}, "blocks[1].text: longer than 500 bytes, or not UTF-8"},
	} {
		err := c.template.Check()
		if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), "\n"+c.want) {
			t.Errorf("Check(%+v) = %v, want %q", c.template, err, c.want)
		}
		if _, err := New(Config{Template: c.template}); err == nil {
			t.Errorf("New took %+v", c.template)
		}
	}
	for _, language := range words.Languages() {
		for _, template := range []Template{Bill(language), Receipt(language)} {
			if err := template.Check(); err != nil {
				t.Error(err)
			}
		}
	}
	// As the configuration holds it.
	j, err := json.Marshal(Receipt("fr"))
	if err != nil {
		t.Fatal(err)
	}
	var back Template
	if err := json.Unmarshal(j, &back); err != nil || len(back) != len(Receipt("fr")) {
		t.Errorf("%v from %s", err, j)
	}
}

func TestBraces(t *testing.T) {
	l := layout(t, "", "en", Template{{When: "copy", Text: "COPY"}, {Text: "a {{b} {number}"}})
	if got := string(l.Body(dinner())); got != "a {b} 2026-000417\n" {
		t.Errorf("%q", got)
	}
}

// FuzzHostile: whatever stands in a template and in an order's names, nothing but ink comes of it.
func FuzzHostile(f *testing.F) {
	f.Add(`[{"when":"copy","text":"DUPLICATA"},{"each":"lines","left":"{name}","right":"{amount}"}]`, "a\x1bp\x00\x19\xfa\x1dV\x00", 1)
	f.Add(`[{"when":"copy","text":"C {copy}"},{"qr":"{link}"},{"barcode":"{number}","align":"right"}]`, "\x10\x14\x01\x00\x01\u202e\u0301", 2)
	f.Add(`[{"when":"copy","text":"C"},{"text":"{venue}","width":8,"height":8,"alert":true}]`, strings.Repeat("x", 10_000), 0)
	f.Fuzz(func(t *testing.T, template, text string, copies int) {
		var c Template
		if json.Unmarshal([]byte(template), &c) != nil || c.Check() != nil || len(text) > 20_000 {
			return
		}
		models := escpos.Models()
		profile, _ := escpos.ProfileFor(models[len(text)%len(models)])
		l, err := New(Config{Template: c, Profile: profile, Words: words.In("fr")})
		if err != nil {
			t.Fatal(err)
		}
		p := &Paper{
			Venue: Venue{Name: text, Address: []string{text}, Phone: text, TaxID: text}, Number: text, Table: text, Staff: text, Currency: text,
			Lines: []Line{{Quantity: copies, Name: text, Notes: []string{text}, Amount: int64(copies) * 1e9, Rate: copies}}, Payments: []Payment{{Name: text, Tip: 1}},
			Copy: copies, Link: text, Room: text, Guest: text,
		}
		p.Taxes = TaxesOf(p.Lines)
		body := l.Body(p)
		var rt escpos.RealTime
		rt.Feed(body, func(tok escpos.Token) { t.Fatalf("real-time command % x", tok.Bytes) })
		paper := escpos.Render(append(escpos.AppendInit(nil, profile, "fr"), body...), profile)
		if paper.Drawer+paper.Buzzer+len(paper.Unknown)+len(paper.Lost) > 0 || len(paper.Tickets) > 1 {
			t.Fatalf("%+v", paper)
		}
		if copies != 0 {
			for _, ticket := range paper.Tickets {
				for _, line := range ticket.Lines {
					if strings.ContainsFunc(line.Text(), unicode.IsControl) {
						t.Fatalf("control characters on paper: %q", line.Text())
					}
				}
			}
		}
	})
}

// BenchmarkReceipt is a receipt of thirty lines without its logo.
func BenchmarkReceipt(b *testing.B) {
	l := layout(b, "", "fr", Receipt("fr"))
	l.c.Logo = escpos.Bitmap{}
	p := dinner()
	b.ReportAllocs()
	for b.Loop() {
		l.Body(p)
	}
}
