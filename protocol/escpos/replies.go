package escpos

import "bytes"

// MaxBlock bounds an answer block (37, 5F, 3D, 3B .. NUL): the longest known, a key list, is under 100 bytes.
const MaxBlock = 256

// ReplyKind is the class of an answer, told by fixed bits of its first byte (escpos.md 8).
type ReplyKind byte

const (
	ReplyUnknown   ReplyKind = iota // Data: bytes of no known form, dropped to find the next answer
	ReplyRealTime                   // Byte: answer to DLE EOT 1..4, in the order asked
	ReplyASB                        // Frame: automatic status
	ReplyPlain                      // Byte: answer to GS r, GS I 1..3, ESC u, ESC v
	ReplyProcessID                  // Token: everything before that GS ( H is on paper
	ReplyCleared                    // buffers thrown away; what was not printed will not be
	ReplyOffline                    // Data: causes, 40..7F each
	ReplyText                       // Data: GS I text or a counter
	ReplyInfo                       // Data: GS I information A
	ReplyBlock                      // Byte: id; Data: another 37 block
	ReplyXON
	ReplyXOFF
	ReplyPowerOff
	ReplyInk      // Frame: ink status
	ReplyExtended // Frame: extended status
)

var replyNames = [...]string{"unknown", "real-time status", "ASB", "plain byte", "process id", "cleared", "offline response", "text", "information", "block", "XON", "XOFF", "power off", "ink status", "extended status"}

func (k ReplyKind) String() string {
	if int(k) < len(replyNames) {
		return replyNames[k]
	}
	return "reply"
}

// A Reply is one answer or notice of the printer. It shares no memory with the input.
type Reply struct {
	Kind  ReplyKind
	Byte  byte
	Frame [4]byte
	Token [4]byte
	Data  []byte
}

// Status decodes an ASB reply.
func (r Reply) Status() Status { return DecodeASB(r.Frame) }

// Replies takes a printer's answers apart. All kinds share one stream and interleave, so one Replies sees every byte from
// open to close of the connection; which of its own questions an answer belongs to, the asker knows by their order. Its
// memory is bounded by MaxBlock. The zero value is ready.
//
// A frame or block that breaks off (the printer restarted in the middle of it) is given as ReplyUnknown as a whole: its
// bytes are never read again as answers, because a stray 00 would pass for the answer to a fence.
type Replies struct {
	buf  [MaxBlock]byte
	n    int // bytes of buf in use; 0: between answers
	drop bool
}

// Feed takes what was read and appends the answers that are complete to dst. How a stream is split into calls does not
// change its answers.
func (r *Replies) Feed(dst []Reply, b []byte) []Reply {
	for _, c := range b {
		dst = r.feed(dst, c)
	}
	return dst
}

// Partial reports the number of bytes of an answer that has begun and is not complete.
func (r *Replies) Partial() int { return r.n }

// Flush gives an answer that has begun as ReplyUnknown, for a caller that has waited long enough for its rest, and
// starts afresh.
func (r *Replies) Flush(dst []Reply) []Reply {
	r.drop = false
	if r.n == 0 {
		return dst
	}
	dst = append(dst, Reply{Kind: ReplyUnknown, Data: bytes.Clone(r.buf[:r.n])})
	r.n = 0
	return dst
}

func (r *Replies) feed(dst []Reply, c byte) []Reply {
	if c == 0x11 || c == 0x13 { // may sit anywhere on a serial line
		k := ReplyXON
		if c == 0x13 {
			k = ReplyXOFF
		}
		return append(dst, Reply{Kind: k})
	}
	if r.drop { // the tail of a block that was too long
		r.drop = c != nul
		return dst
	}
	if r.n == 0 {
		return r.begin(dst, c)
	}
	switch first := r.buf[0]; {
	case first&0x93 == 0x10, first == 0x39: // four bytes
		if c&0x90 != 0 {
			if c&0x93 == 0x12 { // the answer to a DLE EOT overtakes
				return append(dst, Reply{Kind: ReplyRealTime, Byte: c})
			}
			return r.begin(r.Flush(dst), c)
		}
		r.push(c)
		if r.n == 4 {
			k := ReplyASB
			if first == 0x39 {
				k = ReplyExtended
			}
			dst = append(dst, Reply{Kind: k, Frame: [4]byte(r.buf[:4])})
			r.n = 0
		}
		return dst
	default: // until NUL
		if c == nul {
			r.push(c)
			dst = append(dst, r.block())
			r.n = 0
			return dst
		}
		if c < 0x20 && c != 0x1F || r.n == MaxBlock-1 {
			broken := c >= 0x20 || c == 0x1F
			dst = r.Flush(dst)
			if broken {
				r.drop = true
				return dst
			}
			return r.begin(dst, c)
		}
		r.push(c)
		return dst
	}
}

func (r *Replies) push(c byte) {
	r.buf[r.n] = c
	r.n++
}

func (r *Replies) begin(dst []Reply, c byte) []Reply {
	switch {
	case c == 0x37, c == 0x5F, c == 0x3D, c == 0x3B, c == 0x35, c == 0x39, c&0x93 == 0x10:
		r.push(c)
		return dst
	case c&0x93 == 0x12:
		return append(dst, Reply{Kind: ReplyRealTime, Byte: c})
	case c&0x90 == 0:
		return append(dst, Reply{Kind: ReplyPlain, Byte: c})
	}
	return append(dst, Reply{Kind: ReplyUnknown, Data: []byte{c}})
}

// block classifies the block in buf, which ends with NUL.
func (r *Replies) block() Reply {
	all := r.buf[:r.n]
	body := all[1 : r.n-1]
	switch all[0] {
	case 0x5F:
		return Reply{Kind: ReplyText, Data: bytes.Clone(body)}
	case 0x3D:
		return Reply{Kind: ReplyInfo, Data: bytes.Clone(body)}
	case 0x3B:
		if string(body) == "0" {
			return Reply{Kind: ReplyPowerOff}
		}
	case 0x35:
		if len(body) == 2 {
			return Reply{Kind: ReplyInk, Frame: [4]byte(all)}
		}
	case 0x37:
		if len(body) == 0 {
			break
		}
		id, data := body[0], body[1:]
		switch {
		case id == 0x22 && len(data) == 4:
			return Reply{Kind: ReplyProcessID, Token: [4]byte(data)}
		case id == 0x25 && len(data) == 0:
			return Reply{Kind: ReplyCleared}
		case id == 0x23:
			return Reply{Kind: ReplyOffline, Data: bytes.Clone(data)}
		case id != 0x22 && id != 0x25:
			return Reply{Kind: ReplyBlock, Byte: id, Data: bytes.Clone(data)}
		}
	}
	return Reply{Kind: ReplyUnknown, Data: bytes.Clone(all)}
}
