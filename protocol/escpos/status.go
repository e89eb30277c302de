package escpos

// Status is what a printer tells of itself, from DLE EOT 1..4 or an ASB frame (escpos.md 9). It is about now, never
// proof of printing.
type Status struct {
	Offline         bool // not taking or not printing
	CoverOpen       bool
	PaperOut        bool
	PaperLow        bool // only on models with the sensor
	PaperStop       bool // printing stopped for paper (DLE EOT 2)
	Feeding         bool // somebody holds the feed button
	FeedButton      bool
	WaitingOnline   bool // wants the feed button, or its time, before it goes on
	Error           bool // some error; the four below say which (DLE EOT 2)
	Recoverable     bool // mechanical, ends by DLE ENQ or power
	CutterError     bool
	Unrecoverable   bool // service
	AutoRecoverable bool // head hot, cover opened while printing
	DrawerHigh      bool // level of the drawer's pin 3; which means open depends on the drawer
}

// Fault reports a condition that stops printing.
func (s Status) Fault() bool {
	return s.Offline || s.CoverOpen || s.PaperOut || s.PaperStop || s.Errors()
}

// Errors reports an error state, not merely being offline.
func (s Status) Errors() bool {
	return s.Error || s.Recoverable || s.CutterError || s.Unrecoverable || s.AutoRecoverable
}

// Reason names the worst condition for logs and screens: cover_open, paper_out, cutter, unrecoverable, recoverable,
// auto_recoverable, error, offline, waiting_online; "" when nothing is wrong. Low paper is not wrong.
func (s Status) Reason() string {
	switch {
	case s.Unrecoverable:
		return "unrecoverable"
	case s.CutterError:
		return "cutter"
	case s.CoverOpen: // with the cover open the paper bits may lie
		return "cover_open"
	case s.PaperOut, s.PaperStop:
		return "paper_out"
	case s.Recoverable:
		return "recoverable"
	case s.AutoRecoverable:
		return "auto_recoverable"
	case s.Error:
		return "error"
	case s.WaitingOnline:
		return "waiting_online"
	case s.Offline:
		return "offline"
	}
	return ""
}

// Apply replaces in s what the answer b to DLE EOT n tells; the rest stays.
func (s *Status) Apply(n, b byte) {
	bit := func(i uint) bool { return b>>i&1 == 1 }
	switch n {
	case 1:
		s.DrawerHigh, s.Offline, s.WaitingOnline, s.FeedButton = bit(2), bit(3), bit(5), bit(6)
	case 2:
		s.CoverOpen, s.Feeding, s.PaperStop, s.Error = bit(2), bit(3), bit(5), bit(6)
	case 3:
		s.Recoverable, s.CutterError, s.Unrecoverable, s.AutoRecoverable = bit(2), bit(3), bit(5), bit(6)
	case 4:
		s.PaperLow, s.PaperOut = b&0x0C != 0, b&0x60 != 0
	}
}

// DecodeASB reads the four bytes of an automatic status frame.
func DecodeASB(f [4]byte) Status {
	return Status{
		DrawerHigh: f[0]&0x04 != 0, Offline: f[0]&0x08 != 0, CoverOpen: f[0]&0x20 != 0, Feeding: f[0]&0x40 != 0,
		WaitingOnline: f[1]&0x01 != 0, FeedButton: f[1]&0x02 != 0, Recoverable: f[1]&0x04 != 0,
		CutterError: f[1]&0x08 != 0, Unrecoverable: f[1]&0x20 != 0, AutoRecoverable: f[1]&0x40 != 0,
		PaperLow: f[2]&0x03 != 0, PaperOut: f[2]&0x0C != 0,
	}
}

// DecodePaper reads the answer to GS r 1.
func DecodePaper(b byte) (low, out bool) { return b&0x03 != 0, b&0x0C != 0 }

// The printer's side.

// A maskIf is a mask to set when on.
type maskIf struct {
	on   bool
	mask byte
}

func bits(b byte, set ...maskIf) byte {
	for _, x := range set {
		if x.on {
			b |= x.mask
		}
	}
	return b
}

// AppendStatusAnswer appends the answer to DLE EOT n; n outside 1..4 gets none.
func AppendStatusAnswer(b []byte, n byte, s Status) []byte {
	switch n {
	case 1:
		return append(b, bits(0x12, maskIf{s.DrawerHigh, 0x04}, maskIf{s.Offline, 0x08}, maskIf{s.WaitingOnline, 0x20}, maskIf{s.FeedButton, 0x40}))
	case 2:
		return append(b, bits(0x12, maskIf{s.CoverOpen, 0x04}, maskIf{s.Feeding, 0x08}, maskIf{s.PaperStop, 0x20}, maskIf{s.Error, 0x40}))
	case 3:
		return append(b, bits(0x12, maskIf{s.Recoverable, 0x04}, maskIf{s.CutterError, 0x08}, maskIf{s.Unrecoverable, 0x20}, maskIf{s.AutoRecoverable, 0x40}))
	case 4:
		return append(b, bits(0x12, maskIf{s.PaperLow, 0x0C}, maskIf{s.PaperOut, 0x60}))
	}
	return b
}

// AppendASBFrame appends an automatic status frame.
func AppendASBFrame(b []byte, s Status) []byte {
	return append(b,
		bits(0x10, maskIf{s.DrawerHigh, 0x04}, maskIf{s.Offline, 0x08}, maskIf{s.CoverOpen, 0x20}, maskIf{s.Feeding, 0x40}),
		bits(0, maskIf{s.WaitingOnline, 0x01}, maskIf{s.FeedButton, 0x02}, maskIf{s.Recoverable, 0x04}, maskIf{s.CutterError, 0x08}, maskIf{s.Unrecoverable, 0x20}, maskIf{s.AutoRecoverable, 0x40}),
		bits(0, maskIf{s.PaperLow, 0x03}, maskIf{s.PaperOut, 0x0C}),
		0x0F)
}

// AppendPaperAnswer appends the answer to GS r 1.
func AppendPaperAnswer(b []byte, s Status) []byte {
	return append(b, bits(0, maskIf{s.PaperLow, 0x03}, maskIf{s.PaperOut, 0x0C}))
}

// AppendProcessIDEcho appends the answer to GS ( H.
func AppendProcessIDEcho(b []byte, token [4]byte) []byte {
	b = append(b, 0x37, 0x22)
	b = append(b, token[:]...)
	return append(b, nul)
}

// AppendCleared appends the answer to DLE DC4 8.
func AppendCleared(b []byte) []byte { return append(b, 0x37, 0x25, nul) }

// AppendTextAnswer appends a text block, the answer to GS I 65.. and GS g 2. Bytes outside 20..7E are left out.
func AppendTextAnswer(b []byte, text string) []byte {
	b = append(b, 0x5F)
	for i := range len(text) {
		if text[i] >= 0x20 && text[i] < 0x7F {
			b = append(b, text[i])
		}
	}
	return append(b, nul)
}

// AppendPowerOff appends the power-off notice.
func AppendPowerOff(b []byte) []byte { return append(b, 0x3B, 0x30, nul) }
