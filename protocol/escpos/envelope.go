package escpos

// The commands around a job (escpos.md 10.3) and those a driver sends on its own. Each Append function appends to b and
// returns the longer slice.

const (
	nul = 0x00
	eot = 0x04
	enq = 0x05
	bel = 0x07
	ht  = 0x09
	lf  = 0x0A
	ff  = 0x0C
	cr  = 0x0D
	dle = 0x10
	dc4 = 0x14
	can = 0x18
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// AppendInit begins a job: ESC @, two-byte mode off, the USA character set so that ASCII is itself, automatic status on
// again (ESC @ switches it off on many models), and the page of the language. An Encoder starts from this state.
func AppendInit(b []byte, p Profile, language string) []byte {
	b = append(b, esc, '@')
	if p.KanjiOff {
		b = append(b, fs, '.')
	}
	b = append(b, esc, 'R', 0)
	if p.ASB {
		b = AppendASB(b, 0xFF)
	}
	return append(b, esc, 't', p.LanguagePage(language))
}

// AppendProcessID asks for the echo of token, four bytes 20..7E, once everything before it has been printed: GS ( H
// (escpos.md 10.2).
func AppendProcessID(b []byte, token [4]byte) []byte {
	b = append(b, gs, '(', 'H', 6, 0, 0x30, 0x30)
	return append(b, token[:]...)
}

// AppendFence asks for the paper status in the queue, GS r 1: its one anonymous byte tells that everything before it was
// processed.
func AppendFence(b []byte) []byte { return append(b, gs, 'r', 1) }

// AppendCut feeds to the blade and cuts in the model's form. The command works at the start of a line: a job's last line
// ends with LF.
func AppendCut(b []byte, p Profile) []byte {
	if p.Cut == CutNone {
		return append(b, esc, 'd', 5)
	}
	if p.CutFeed > 0 {
		b = append(b, esc, 'd', byte(p.CutFeed))
	}
	if p.Cut == CutFull {
		return append(b, gs, 'V', 'A', 0)
	}
	return append(b, gs, 'V', 'B', 0)
}

// AppendASB switches automatic status on for the causes in n, FF for all; one frame comes at once, 0 switches it off.
func AppendASB(b []byte, n byte) []byte { return append(b, gs, 'a', n) }

// AppendStatusRequest asks in real time for status n, 1 printer, 2 offline cause, 3 error cause, 4 paper: DLE EOT n.
func AppendStatusRequest(b []byte, n byte) []byte { return append(b, dle, eot, n) }

// What AppendIdentify asks for.
const (
	IdentifyModel    = 1
	IdentifyType     = 2
	IdentifyVersion  = 3
	IdentifyFirmware = 65
	IdentifyMaker    = 66
	IdentifyName     = 67
	IdentifySerial   = 68
	IdentifyFonts    = 69
)

// AppendIdentify asks who the printer is: GS I n. 1..3 are answered by a plain byte, 65.. by a text block.
func AppendIdentify(b []byte, n byte) []byte { return append(b, gs, 'I', n) }

// AppendRecover recovers from a recoverable error in real time: DLE ENQ n, 1 restarts at the line that failed, 2 throws
// the buffers away.
func AppendRecover(b []byte, n byte) []byte { return append(b, dle, enq, n) }

// AppendClear throws away everything not yet printed, in real time; the printer answers 37 25 00: DLE DC4 8.
func AppendClear(b []byte) []byte { return append(b, dle, dc4, 8, 1, 3, 20, 1, 6, 2, 8) }

// Maintenance counters of thermal models; add 128 for the copy that nobody can reset (escpos.md 10.9).
const (
	CounterLines = 20
	CounterCuts  = 50
	CounterHours = 70
)

// AppendCounter asks for maintenance counter n, GS g 2; the answer is a text block of digits.
func AppendCounter(b []byte, n uint16) []byte {
	return append(b, gs, 'g', 0x32, 0, byte(n), byte(n>>8))
}

// AppendDrawer pulses the drawer on pin 2 or 5 for 50 ms, in the queue. Never inside a ticket: after its last fence.
func AppendDrawer(b []byte, pin int) []byte {
	m := byte(0)
	if pin == 5 {
		m = 1
	}
	return append(b, esc, 'p', m, 0x19, 0xFA)
}

// AppendBuzzer makes the model's noise times times (1..9); nothing when it has no buzzer.
func AppendBuzzer(b []byte, p Profile, times int) []byte {
	n := byte(min(max(times, 1), 9))
	switch p.Buzzer {
	case BuzzerA48:
		b = append(b, esc, '(', 'A', 4, 0, 0x30, 0x33, n, 2)
	case BuzzerA97:
		b = append(b, esc, '(', 'A', 3, 0, 0x61, 1, n)
	case BuzzerB:
		b = append(b, esc, 'B', n, 2)
	case BuzzerDrawerPin2:
		b = AppendDrawer(b, 2)
	case BuzzerDrawerPin5:
		b = AppendDrawer(b, 5)
	case BuzzerBel:
		for range n {
			b = append(b, bel)
		}
	}
	return b
}

// AppendNULs appends n NULs: nothing between commands, blank dots inside a raster that was cut short, so they bring a
// stuck interpreter back to the ground (escpos.md 10.8).
func AppendNULs(b []byte, n int) []byte {
	for range n {
		b = append(b, nul)
	}
	return b
}
