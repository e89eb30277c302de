package escpos

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
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
		samePicture(t, path, got, want)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", path, got, want)
	}
}

func samePicture(t *testing.T, path string, got, want []byte) {
	t.Helper()
	g, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	w, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if g.Bounds() != w.Bounds() {
		t.Fatalf("%s: picture of %v, want %v", path, g.Bounds(), w.Bounds())
	}
	if gp, ok := g.(*image.Paletted); ok {
		if wp, ok := w.(*image.Paletted); ok && bytes.Equal(gp.Pix, wp.Pix) && slices.Equal(gp.Palette, wp.Palette) {
			return
		}
	}
	different := 0
	for y := range g.Bounds().Dy() {
		for x := range g.Bounds().Dx() {
			if g.At(x, y) != w.At(x, y) {
				different++
			}
		}
	}
	if different > 0 {
		t.Errorf("%s: %d dots differ", path, different)
	}
}

func profile(t testing.TB, model string) Profile {
	t.Helper()
	p, ok := ProfileFor(model)
	if !ok {
		t.Fatalf("no profile %q", model)
	}
	return p
}

// frenchTicket is a kitchen ticket with everything a kitchen ticket has.
func frenchTicket(e *Encoder) {
	e.Align(AlignCentre)
	e.Set(Style{Bold: true})
	e.Line("GRIL")
	e.Set(Style{Width: 2, Height: 2, Bold: true})
	e.Line("TABLE 12")
	e.Plain()
	e.Line("Commande 41 · 2 couverts · Léa")
	e.Align(AlignLeft)
	e.Columns("Reçue 19:04", "Pour 19:45")
	e.Rule('=')
	e.Set(Style{Height: 2, Bold: true})
	e.Wrap("2 x ", "    ", "Œuf parfait, crème de cèpes")
	e.Plain()
	e.Wrap("    + ", "      ", "Supplément foie gras poêlé")
	e.Wrap("    + ", "      ", "Sans oignons")
	e.Set(Style{Bold: true, Underline: true})
	e.Wrap("    ", "    ", "« bien cuit, l’assiette à part – merci »")
	e.Set(Style{Alert: true})
	e.Wrap("    ", "    ", " ALLERGIE: lait, œufs, fruits à coque ")
	e.Plain()
	e.Set(Style{Height: 2, Bold: true})
	e.Wrap("1 x ", "    ", "Magret de canard, jus corsé aux cerises et pommes grenaille")
	e.Plain()
	e.Wrap("    + ", "      ", "Cuisson: rosé")
	e.Rule('-')
	e.Columns("3 articles", "36,50 €")
	e.Line("Żurek · Борщ · ラーメン")
	e.Align(AlignCentre)
	e.Line("Fin 0142")
	e.Align(AlignLeft)
	e.Feed(1)
}

func printFrench(p Profile) []byte {
	e := NewEncoder(p, "fr")
	e.Reset(AppendInit(nil, p, "fr"))
	frenchTicket(e)
	b := AppendProcessID(e.Finish(), [4]byte{' ', ' ', '!', '0'})
	b = AppendCut(b, p)
	return AppendProcessID(b, [4]byte{' ', ' ', '!', '1'})
}

// TestFrenchTicket keeps the bytes, the text and the picture of one ticket on three kinds of printer.
func TestFrenchTicket(t *testing.T) {
	for _, model := range []string{"generic-80mm", "generic-58mm", "epson-tm-u220"} {
		t.Run(model, func(t *testing.T) {
			p := profile(t, model)
			b := printFrench(p)
			golden(t, model+".hex", dump(b))
			paper := Render(b, p)
			golden(t, model+".txt", []byte(paper.Text()))
			var picture bytes.Buffer
			if err := paper.PNG(&picture); err != nil {
				t.Fatal(err)
			}
			golden(t, model+".png", picture.Bytes())
			if len(paper.Unknown) > 0 || len(paper.Lost) > 0 {
				t.Errorf("unknown %q, lost %q, want none", paper.Unknown, paper.Lost)
			}
		})
	}
}
