package escpos

import (
	"sort"

	"golang.org/x/text/encoding/charmap"
)

// A CodePage gives the characters of the bytes 80..FF; 20..7E are ASCII on every page used here (escpos.md 3.1).
type CodePage struct {
	Name string
	high [128]rune       // 0: undefined
	near [nearRunes]byte // byte of the runes 80..17F, 0: none
	far  []farRune       // the others, ascending
}

const nearRunes = 0x180 - 0x80

type farRune struct {
	r rune
	b byte
}

// Byte returns the byte for r, a character beyond ASCII.
func (c *CodePage) Byte(r rune) (byte, bool) {
	if r >= 0x80 && r < 0x180 {
		b := c.near[r-0x80]
		return b, b != 0
	}
	i := sort.Search(len(c.far), func(i int) bool { return c.far[i].r >= r })
	if i < len(c.far) && c.far[i].r == r {
		return c.far[i].b, true
	}
	return 0, false
}

// Rune returns the character of b; U+FFFD where the page has none.
func (c *CodePage) Rune(b byte) rune {
	if b < 0x80 {
		return rune(b)
	}
	if r := c.high[b-0x80]; r != 0 {
		return r
	}
	return '\uFFFD'
}

func newCodePage(name string, m *charmap.Charmap, deny func(rune) bool) *CodePage {
	return buildPage(name, func(i int) rune { return m.DecodeByte(byte(0x80 + i)) }, deny)
}

// tablePage makes a page of the 128 characters of 80..FF, a space where there is none.
func tablePage(name, table string, deny func(rune) bool) *CodePage {
	high := []rune(table)
	return buildPage(name, func(i int) rune { return high[i] }, deny)
}

func buildPage(name string, at func(i int) rune, deny func(rune) bool) *CodePage {
	c := &CodePage{Name: name}
	for i := range c.high {
		r := at(i)
		if r == '\uFFFD' || r < 0xA0 { // C1 controls are holes on a printer
			continue
		}
		c.high[i] = r
		if deny != nil && deny(r) {
			continue
		}
		if r < 0x180 {
			c.near[r-0x80] = byte(0x80 + i)
		} else {
			c.far = append(c.far, farRune{r, byte(0x80 + i)})
		}
	}
	sort.Slice(c.far, func(i, j int) bool { return c.far[i].r < c.far[j].r })
	return c
}

// mathGreek are PC437's Greek letters: they are drawn for formulas and clash with the same word's other letters from a
// real Greek page (escpos.md 3.2 rule 3).
func mathGreek(r rune) bool { return r >= 0x370 && r < 0x400 || r == 'ß' || r == 'µ' }

// A Page is a code page under the number by which a model selects it with ESC t.
type Page struct {
	Number byte
	*CodePage
}

// epsonPages are the pages of escpos.md 3.1, without those that need shaping or reordering (Hebrew, Arabic, Thai,
// Vietnamese), which are drawn instead. What golang.org/x/text has no table for stands here in full; position D5 of
// PC857 and its like stay empty (escpos.md 3.2).
var epsonPages = []Page{
	{16, newCodePage("WPC1252", charmap.Windows1252, nil)},
	{19, newCodePage("PC858", charmap.CodePage858, nil)},
	{2, newCodePage("PC850", charmap.CodePage850, nil)},
	{18, newCodePage("PC852", charmap.CodePage852, nil)},
	{17, newCodePage("PC866", charmap.CodePage866, nil)},
	{0, newCodePage("PC437", charmap.CodePage437, mathGreek)},
	{3, newCodePage("PC860", charmap.CodePage860, mathGreek)},
	{4, newCodePage("PC863", charmap.CodePage863, mathGreek)},
	{5, newCodePage("PC865", charmap.CodePage865, mathGreek)},
	{45, newCodePage("WPC1250", charmap.Windows1250, nil)},
	{46, newCodePage("WPC1251", charmap.Windows1251, nil)},
	{47, newCodePage("WPC1253", charmap.Windows1253, nil)},
	{48, newCodePage("WPC1254", charmap.Windows1254, nil)},
	{51, newCodePage("WPC1257", charmap.Windows1257, nil)},
	{15, newCodePage("ISO8859-7", charmap.ISO8859_7, nil)},
	{34, newCodePage("PC855", charmap.CodePage855, nil)},
	{39, newCodePage("ISO8859-2", charmap.ISO8859_2, nil)},
	{40, newCodePage("ISO8859-15", charmap.ISO8859_15, nil)},
	{14, tablePage("PC737", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"+
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀ωάέήϊίόύϋώΆΈΉΊΌΎΏ±≥≤ΪΫ÷≈°∙·√ⁿ²■ ", nil)},
	{13, tablePage("PC857", "ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞşáíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"+
		"└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµ ×ÚÛÙìÿ¯´ ± ¾¶§÷¸°¨·¹³²■ ", nil)},
	{33, tablePage("PC775", "ĆüéāäģåćłēŖŗīŹÄÅÉæÆōöĢ¢ŚśÖÜø£Ø×¤ĀĪóŻżź”¦©®¬½¼Ł«»░▒▓│┤ĄČĘĖ╣║╗╝ĮŠ┐"+
		"└┴┬├─┼ŲŪ╚╔╩╦╠═╬Žąčęėįšųūž┘┌█▄▌▐▀ÓßŌŃõÕµńĶķĻļņĒŅ’ ±“¾¶§÷„°∙·¹³²■ ", nil)},
	{35, tablePage("PC861", "ÇüéâäàåçêëèÐðÞÄÅÉæÆôöþûÝýÖÜø£Ø₧ƒáíóúÁÍÓÚ¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"+
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ", mathGreek)},
	{38, tablePage("PC869", "      Ά ·¬¦‘’Έ―ΉΊΪΌ  ΎΫ©Ώ²³ά£έήίϊΐόύΑΒΓΔΕΖΗ½ΘΙ«»░▒▓│┤ΚΛΜΝ╣║╗╝ΞΟ┐"+
		"└┴┬├─┼ΠΡ╚╔╩╦╠═╬ΣΤΥΦΧΨΩαβγ┘┌█▄δε▀ζηθικλμνξοπρσςτ΄ ±υφχ§ψ΅°¨ωϋΰώ■ ", nil)},
	{44, tablePage("PC1125", "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"+
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀рстуфхцчшщъыьэюяЁёҐґЄєІіЇї·√№¤■ ", nil)},
}

// universalPages mean the same on nearly every Epson-alike (escpos.md 3.1).
const universalPages = 9

// commonPages are those of the models that have Epson's list up to its 45th: without PC1125.
const commonPages = 23

// pageByNumber finds Epson's page n for a stream whose model is not known to have it.
func pageByNumber(n byte) *CodePage {
	for _, p := range epsonPages {
		if p.Number == n {
			return p.CodePage
		}
	}
	return nil
}
