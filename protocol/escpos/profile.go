package escpos

import "strings"

// A Profile says what a printer model can do. It is data: nothing in this package asks for a model by name.
// Values are shared; change a copy only through With methods.
type Profile struct {
	Name       string // as in the configuration, "epson-tm-t88"
	Maker      string
	Columns    int    // characters of font A at normal width in a line
	Dots       int    // printable dots in a line
	CellHeight int    // of a font A character, in dots as wide as a line has Dots
	LineHeight int    // of a line at the default spacing, likewise
	Pages      []Page // what ESC t selects, best first
	KanjiOff   bool   // send FS . : the model may start in two-byte mode
	Cut        Cut
	CutFeed    int  // blank lines before the cut, for models whose own feed falls short
	Sizes      Size // the command that sets character size
	MaxSize    int  // largest factor in each direction
	Inverse    bool // GS B
	Red        bool // ESC r: a second colour
	ASB        bool // GS a: automatic status
	ProcessID  bool // GS ( H is likely; always probe (escpos.md 10.2)
	Raster     bool // GS v 0
	Strips     bool // no GS v 0, but ESC * with 8 dots: impact models
	Pulses     bool // GS ( D: real-time commands can be switched off before raster
	// OfflineLies: DLE EOT 1 says offline though it prints (Star's ESC/POS mode, escpos.md 16.4); the causes tell the truth.
	OfflineLies bool
	Clears      bool // DLE DC4 8 throws the buffers away and says so; always probe
	Barcodes    bool // GS k, both forms
	QR          bool // GS ( k with symbol 31
	PDF417      bool // GS ( k with symbol 30
	Wide        Wide // two-byte characters or UTF-8
	Buzzer      Buzzer
	// LinesPerSecond and BytesPerSecond are for waiting times: the slowest that is still normal.
	LinesPerSecond float64
	BytesPerSecond int
}

// Cut is the form of the cut command.
type Cut byte

const (
	CutPartial Cut = iota // GS V 66: feed to the blade, leave a bridge
	CutFull               // GS V 65: feed to the blade, cut through
	CutNone               // no blade: feed far enough to tear
)

// Size is the command that sets character size.
type Size byte

const (
	SizeGS  Size = iota // GS !
	SizeESC             // ESC !, impact models
)

// Buzzer is how a model makes noise (escpos.md 2.3).
type Buzzer byte

const (
	BuzzerNone       Buzzer = iota
	BuzzerA48               // ESC ( A function 48
	BuzzerA97               // ESC ( A function 97
	BuzzerB                 // ESC B, clones
	BuzzerDrawerPin2        // an external buzzer on the drawer connector
	BuzzerDrawerPin5
	BuzzerBel
)

// profiles are the models known today. Widths are escpos.md 16.1, families 16.2 and 16.3.
var profiles = []Profile{
	thermal("generic-80mm", "", 48, 576, 30, universalPages),
	thermal("generic-58mm", "", 32, 384, 20, universalPages),
	thermal("epson-tm-t20", "Epson", 48, 576, 40, len(epsonPages)).epson(),
	thermal("epson-tm-t88", "Epson", 42, 512, 60, len(epsonPages)).epson(),
	thermal("epson-tm-m30", "Epson", 48, 576, 50, len(epsonPages)).epson().buzzer(BuzzerA97),
	{
		Name: "epson-tm-u220", Maker: "Epson", Columns: 33, Dots: 400, CellHeight: 24, LineHeight: 28,
		Pages: epsonPages[:universalPages], KanjiOff: true, Cut: CutPartial, Sizes: SizeESC, MaxSize: 2, Red: true, ASB: true,
		Strips: true, Buzzer: BuzzerNone, LinesPerSecond: 4, BytesPerSecond: 900,
	},
	// The successor speaks the same; whether it echoes process ids is asked at each connect.
	{
		Name: "epson-tm-u220ii", Maker: "Epson", Columns: 33, Dots: 400, CellHeight: 24, LineHeight: 28,
		Pages: epsonPages[:universalPages], KanjiOff: true, Cut: CutPartial, Sizes: SizeESC, MaxSize: 2, Red: true, ASB: true,
		Strips: true, ProcessID: true, Buzzer: BuzzerNone, LinesPerSecond: 4, BytesPerSecond: 900,
	},
	thermal("epson-tm-t20ii", "Epson", 48, 576, 40, commonPages).epson(),
	thermal("epson-tm-t20iii", "Epson", 48, 576, 50, len(epsonPages)).epson(),
	thermal("epson-tm-t88iv", "Epson", 42, 512, 50, commonPages).epson(),
	thermal("epson-tm-t88v", "Epson", 42, 512, 60, len(epsonPages)).epson(),
	thermal("epson-tm-t88vi", "Epson", 42, 512, 70, len(epsonPages)).epson().wide(WideUTF8),
	thermal("epson-tm-t88vii", "Epson", 42, 512, 90, len(epsonPages)).epson().wide(WideUTF8),
	thermal("epson-tm-m30ii", "Epson", 48, 576, 50, len(epsonPages)).epson().buzzer(BuzzerA97).wide(WideUTF8),
	thermal("epson-tm-m30iii", "Epson", 48, 576, 60, len(epsonPages)).epson().buzzer(BuzzerA97).wide(WideUTF8),
	thermal("star-tsp-escpos", "Star", 48, 576, 40, universalPages).offlineLies(),
	thermal("bixolon-srp350", "Bixolon", 42, 512, 40, universalPages),
	thermal("citizen-ct-s", "Citizen", 48, 576, 40, universalPages),
	thermal("xprinter-80mm", "Xprinter", 48, 576, 40, universalPages).buzzer(BuzzerB).feedBeforeCut(1),
	thermal("xprinter-58mm", "Xprinter", 32, 384, 20, universalPages).buzzer(BuzzerB).noCut(),
	thermal("bixolon-srp330", "Bixolon", 48, 576, 40, universalPages),
	thermal("citizen-ct-e", "Citizen", 48, 576, 40, universalPages),
}

func thermal(name, maker string, columns, dots int, lines float64, pages int) Profile {
	return Profile{
		Name: name, Maker: maker, Columns: columns, Dots: dots, CellHeight: 24, LineHeight: 30,
		Pages: epsonPages[:pages], KanjiOff: true, Cut: CutPartial, Sizes: SizeGS, MaxSize: 8, Inverse: true, ASB: true,
		Raster: true, Barcodes: true, QR: true, LinesPerSecond: lines, BytesPerSecond: 9600,
	}
}

func (p Profile) epson() Profile {
	p.ProcessID, p.Pulses, p.Clears, p.PDF417 = true, true, true, true
	return p
}

func (p Profile) wide(w Wide) Profile     { p.Wide = w; return p }
func (p Profile) offlineLies() Profile    { p.OfflineLies = true; return p }
func (p Profile) noCut() Profile          { p.Cut = CutNone; return p }
func (p Profile) buzzer(b Buzzer) Profile { p.Buzzer = b; return p }

func (p Profile) feedBeforeCut(lines int) Profile { p.CutFeed = lines; return p }

// DefaultModel is the profile of a printer whose model is not given.
const DefaultModel = "generic-80mm"

// ProfileFor finds a model by its name in any case; "" is DefaultModel.
func ProfileFor(model string) (Profile, bool) {
	if model == "" {
		model = DefaultModel
	}
	for _, p := range profiles {
		if strings.EqualFold(p.Name, model) {
			return p, true
		}
	}
	return Profile{}, false
}

// Models lists the names ProfileFor knows, generic ones first.
func Models() []string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	return names
}

// Bounds of Profile.Columns: narrower holds no ticket, wider exists on no paper.
const (
	MinColumns = 16
	MaxColumns = 96
)

// WithColumns is p for a printer set to another number of columns (a DIP switch, another font); 0 keeps p as it is.
// Values outside MinColumns..MaxColumns are brought to the nearest bound.
func (p Profile) WithColumns(n int) Profile {
	if n != 0 {
		p.Columns = min(max(n, MinColumns), MaxColumns)
	}
	return p
}

// Page returns the code page that ESC t n selects on this model, nil when the profile has none.
func (p *Profile) Page(n byte) *CodePage {
	for _, c := range p.Pages {
		if c.Number == n {
			return c.CodePage
		}
	}
	return nil
}

// LanguagePage is the number of the page a job in this language (BCP 47, "fr", "pt-BR") starts with: the first of the
// language's pages that the model has (escpos.md 3.2).
func (p *Profile) LanguagePage(language string) byte {
	language, _, _ = strings.Cut(strings.ToLower(language), "-")
	var want []byte
	switch language {
	case "pl", "cs", "sk", "hu", "hr", "sl", "ro":
		want = []byte{18, 45, 39}
	case "tr":
		want = []byte{48, 13}
	case "el":
		want = []byte{47, 15, 14, 38}
	case "ru", "bg", "be":
		want = []byte{17, 46, 34}
	case "uk", "sr", "mk":
		want = []byte{46, 44, 34, 17}
	case "lt", "lv", "et":
		want = []byte{51, 33}
	}
	for _, n := range append(want, 16, 19, 2) {
		if p.Page(n) != nil {
			return n
		}
	}
	return 0
}
