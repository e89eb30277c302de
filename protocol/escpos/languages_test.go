package escpos

import (
	"bytes"
	"image"
	"image/color"
	"testing"
)

// kitchenTicket is the same ticket in any language.
func kitchenTicket(e *Encoder, station, table, dish, modifier, allergy, note, end string) {
	e.Bold(true)
	e.Columns(station, "19:04")
	e.Set(Style{Bold: true, Width: 2, Height: 2})
	e.Columns(table, "#41")
	e.Plain()
	e.Rule('-')
	e.Set(Style{Bold: true, Height: 2})
	e.Wrap("2 ", "  ", dish)
	e.Plain()
	e.Wrap("  + ", "    ", modifier)
	e.Set(Style{Alert: true})
	e.Wrap("    !! ", "       ", allergy)
	e.Plain()
	e.Set(Style{Bold: true, Underline: true})
	e.Wrap("    ", "    ", note)
	e.Plain()
	e.Rule('-')
	e.Line(end)
}

// testLogo is a picture with edges and greys.
func testLogo() image.Image {
	img := image.NewGray(image.Rect(0, 0, 160, 80))
	for y := range 80 {
		for x := range 160 {
			v := uint8(255)
			if dx, dy := x-40, y-40; dx*dx+dy*dy < 1300 {
				v = uint8(60 + 2*y)
			}
			if x > 90 && x < 150 && (y/10)%2 == 0 {
				v = 0
			}
			img.Set(x, y, color.Gray{v})
		}
	}
	return img
}

// TestTickets keeps bytes, text and picture of the tickets that a kitchen and a till may want.
func TestTickets(t *testing.T) {
	logo, err := Dither(testLogo(), 240)
	if err != nil {
		t.Fatal(err)
	}
	greek := func(e *Encoder) {
		kitchenTicket(e, "ΣΧΑΡΑ", "ΤΡΑΠΕΖΙ 12", "Παϊδάκια με ρίγανη", "Χωρίς κρεμμύδι", "ΑΛΛΕΡΓΙΑ: γάλα", "καλοψημένα παρακαλώ – 12,50 €", "3 είδη")
	}
	russian := func(e *Encoder) {
		kitchenTicket(e, "ГРИЛЬ", "СТОЛ 12", "Борщ московский", "без лука", "АЛЛЕРГИЯ: молоко", "подать горячим", "3 блюда")
	}
	turkish := func(e *Encoder) {
		kitchenTicket(e, "IZGARA", "MASA 12", "Şiş kebap, közlenmiş biber", "soğansız", "ALERJİ: süt, fıstık", "iyi pişmiş olsun", "3 ürün")
	}
	hebrew := func(e *Encoder) {
		kitchenTicket(e, "גריל", "שולחן 12", "שווארמה בפיתה", "בלי בצל (2)", "אלרגיה: חלב", "בבקשה חם", "3 מנות")
	}
	arabic := func(e *Encoder) {
		kitchenTicket(e, "شواية", "طاولة 12", "شاورما دجاج", "بدون بصل", "حساسية: حليب", "ساخن من فضلك", "3 أصناف")
	}
	japanese := func(e *Encoder) {
		kitchenTicket(e, "焼き場", "テーブル 12", "鶏の照り焼き", "ネギ抜き", "アレルギー: 牛乳", "よく焼いてください", "3点")
	}
	polish := func(e *Encoder) {
		kitchenTicket(e, "GRILL", "STÓŁ 12", "Żurek z białą kiełbasą", "bez cebuli", "ALERGIA: mleko, gluten", "proszę gorące", "3 pozycje")
	}
	receipt := func(e *Encoder) {
		e.Align(AlignCentre)
		e.Raster(logo)
		e.Set(Style{Bold: true, Height: 2})
		e.Line("Chez Léa")
		e.Plain()
		e.Line("12 rue de l’Œuf, 75011 Paris")
		e.Align(AlignLeft)
		e.Rule('=')
		e.Columns("2 Menu du jour", "39,00 €")
		e.Columns("1 Café gourmand avec ses trois mignardises du moment", "8,50 €")
		e.Rule('-')
		e.Set(Style{Bold: true, Width: 2, Height: 2})
		e.Columns("TOTAL", "47,50 €")
		e.Plain()
		e.Columns("dont TVA 10 %", "4,32 €")
		e.Align(AlignCentre)
		if err := e.QR("https://lea.example/avis/41"); err != nil {
			t.Fatal(err)
		}
		e.Line("Merci de votre visite")
		e.Align(AlignLeft)
	}
	for _, c := range []struct {
		name, model, language string
		body                  func(*Encoder)
		texts                 bool // nothing in it is drawn
	}{
		{"french-80", "generic-80mm", "fr", func(e *Encoder) {
			kitchenTicket(e, "GRIL", "TABLE 12", "Entrecôte à la bordelaise", "sans oignon", "ALLERGIE: lait, œufs", "à point – pas trop salé s’il vous plaît", "3 articles")
		}, true},
		{"french-58", "generic-58mm", "fr", func(e *Encoder) {
			kitchenTicket(e, "GRIL", "TABLE 12", "Entrecôte à la bordelaise", "sans oignon", "ALLERGIE: lait, œufs", "à point – pas trop salé s’il vous plaît", "3 articles")
		}, true},
		{"greek", "epson-tm-t88", "el", greek, true},
		{"greek-clone", "xprinter-80mm", "el", greek, false},
		{"cyrillic", "generic-80mm", "ru", russian, true},
		{"turkish", "epson-tm-m30", "tr", turkish, true},
		{"polish", "generic-80mm", "pl", polish, true},
		{"hebrew", "generic-80mm", "en", hebrew, false},
		{"arabic", "generic-80mm", "en", arabic, false},
		{"japanese-drawn", "generic-80mm", "ja", japanese, false},
		{"japanese-utf8", "epson-tm-m30iii", "ja", japanese, true},
		{"u220-red", "epson-tm-u220", "fr", func(e *Encoder) {
			kitchenTicket(e, "GRIL", "TABLE 12", "Entrecôte à la bordelaise", "sans oignon", "ALLERGIE: lait, noix", "à point, pas trop salé", "3 articles")
		}, true},
		{"u220-hebrew", "epson-tm-u220", "en", hebrew, false},
		{"emoji", "generic-80mm", "fr", func(e *Encoder) {
			kitchenTicket(e, "GRIL", "TABLE 12", "Pizza 🌶️🌶️", "sans 🧅", "ALLERGIE: 🥜", "merci 🙏🏽 c’est l’🎂 de Zoë", "3 articles")
		}, true},
		{"receipt-80", "epson-tm-t20", "fr", receipt, false},
		{"receipt-58", "generic-58mm", "fr", receipt, false},
		{"logo-u220", "epson-tm-u220", "fr", func(e *Encoder) { e.Align(AlignCentre); e.Raster(logo); e.Line("Chez Léa") }, false},
		{"qr-58", "generic-58mm", "fr", func(e *Encoder) {
			e.Line("Votre avis:")
			if err := e.QR("https://lea.example/avis/41"); err != nil {
				t.Fatal(err)
			}
			if err := e.Barcode(EAN13, "4006381333931"); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile(t, c.model)
			e := NewEncoder(p, c.language)
			c.body(e)
			body := e.Finish()
			if faults := lint(p, body, false); len(faults) > 0 {
				t.Error(faults)
			}
			paper := Render(append(AppendInit(nil, p, c.language), body...), p)
			drawn := bytes.Contains(body, []byte("\x1dv0")) || bytes.Contains(body, []byte("\x1b*"))
			if n, runes := e.Missing(); n > 0 && c.name != "emoji" || drawn == c.texts {
				t.Errorf("missing %d %q, drawn %v", n, string(runes), drawn)
			}
			golden(t, "tickets/"+c.name+".hex", dump(body))
			golden(t, "tickets/"+c.name+".txt", []byte(paper.Text()))
			var picture bytes.Buffer
			if err := paper.PNG(&picture); err != nil {
				t.Fatal(err)
			}
			golden(t, "tickets/"+c.name+".png", picture.Bytes())
		})
	}
}
