package printer

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"aboyeur/protocol/escpos"
)

// Control bytes of escpos.md 1.
const (
	nul = 0x00
	eot = 0x04
	enq = 0x05
	dle = 0x10
	dc4 = 0x14
	gs  = 0x1D
)

// never is a byte that is not reached.
const never = math.MaxUint64

// commandLimit is the longest command held together; the data of longer ones are taken as they come, so that a picture
// wider than the receive buffer prints.
const commandLimit = 512

// mechanism is everything behind the socket: receive buffer, interpreter, paper path. All of it is RAM but the counters.
// Guarded by Printer.mu.
type mechanism struct {
	queue    []byte // receive buffer; queue[head:] is unprinted
	head     int
	marks    []mark // when the bytes of the queue came
	lastByte time.Time
	arrived  uint64 // bytes from the start, also those lost to a clear
	printed  uint64 // bytes the interpreter has taken

	realTime escpos.RealTime
	trailing bool // the last bytes that arrived may begin a real-time command

	tokens  escpos.Tokenizer
	onToken func(escpos.Token) // token, bound once
	base    int64              // what Token.End lacks to be a queue offset
	taken   int64              // queue offset the interpreter has reached
	more    int64              // data bytes of the command in hand still to come

	line       int  // bytes of text in the print buffer
	asb        byte // GS a
	frame      [4]byte
	deselected bool // ESC = without bit 0
	inverse    bool // GS B
	settings   []setting
	noPulse    bool // GS ( D: DLE DC4 1 switched off
	noPowerOff bool // GS ( D: DLE DC4 2 switched off

	busyUntil time.Time   // of the paper path
	pace      *time.Timer // runs advance then

	status     escpos.Status
	stopped    bool
	coverError bool // cover opened with a ticket begun
	cutError   bool
	mechError  bool
	cutPending bool // the cut that jammed
}

// A mark says when the bytes up to end came.
type mark struct {
	end int64
	at  time.Time
}

// maxMarks bounds mechanism.marks: with more arrivals than this unprinted, the newest share a time.
const maxMarks = 4096

// lag is what a late timer may be behind and still catch up.
const lag = 50 * time.Millisecond

// free is the room in the receive buffer.
func (p *Printer) free() int { return p.c.ReceiveBuffer - (len(p.queue) - p.head) }

// arrive takes what came over the link at a moment.
func (p *Printer) arrive(l *link, b []byte, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !l.dead && !l.ending && len(b) > 0 {
		n := len(b)
		if left := p.nextArrive - p.arrived; uint64(n) > left {
			n = int(left)
		}
		p.take(b[:n], at)
		b = b[n:]
		if p.nextArrive <= p.arrived {
			p.fireReached() // what is behind it is lost if the link dies of it
		}
	}
}

// take is arrive up to the next fault.
func (p *Printer) take(b []byte, at time.Time) {
	p.arrived += uint64(len(b))
	p.lastByte = at
	if i := p.nextRealTime(b); i < len(b) {
		if cleared := p.takeRealTime(b[i:]); cleared > 0 {
			b = b[i+cleared:]
		}
	}
	if len(b) == 0 || p.off {
		return
	}
	if p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
		if p.tokens.Pending() == 0 {
			p.marks = p.marks[:0]
		}
	}
	end := p.taken + int64(len(p.queue)-p.head) + int64(len(b))
	if n := len(p.marks); n > 0 && (n == maxMarks || p.marks[n-1].at.Equal(at)) {
		p.marks[n-1] = mark{end, at}
	} else {
		p.marks = append(p.marks, mark{end, at})
	}
	if p.head > 0 && len(p.queue)+len(b) > cap(p.queue) {
		p.queue = p.queue[:copy(p.queue, p.queue[p.head:])]
		p.head = 0
	}
	p.queue = append(p.queue, b...)
	p.advance(time.Now())
	if p.free() <= 0 {
		p.compact()
	}
}

// nextRealTime is where in b a real-time command may stand, len(b) for nowhere: most data need no closer look, though 10
// is also the number of a code page.
func (p *Printer) nextRealTime(b []byte) int {
	if p.trailing {
		return 0
	}
	at := 0
	for {
		i := bytes.IndexByte(b[at:], dle)
		if i < 0 {
			return len(b)
		}
		at += i
		if at+1 == len(b) || b[at+1] == eot || b[at+1] == enq || b[at+1] == dc4 {
			return at
		}
		at++
	}
}

// takeRealTime acts on the real-time commands in b, and says how much of b a clear has thrown away.
func (p *Printer) takeRealTime(b []byte) (cleared int) {
	p.realTime.Feed(b, func(t escpos.Token) {
		if p.can(RealTime) && p.act(t) {
			cleared = int(t.End)
		}
	})
	const longest = 10 // DLE DC4 8
	p.trailing = bytes.IndexByte(b[max(0, len(b)-longest):], dle) >= 0 || p.trailing && len(b) < longest
	return cleared
}

// act obeys a real-time command (escpos.md 8). True: the buffers were cleared.
func (p *Printer) act(t escpos.Token) bool {
	var b [8]byte
	switch n := t.Args[0]; t.Bytes[1] {
	case eot:
		p.reply(replyOther, escpos.AppendStatusAnswer(b[:0], n, p.status))
	case enq:
		switch n {
		case 1:
			p.recover()
		case 2:
			p.clear()
			p.recover()
			return true
		}
	case dc4:
		switch n {
		case 1:
			if !p.noPulse && !p.status.Fault() {
				p.kicks++
			}
		case 2:
			if !p.noPowerOff {
				p.reply(replyOther, escpos.AppendPowerOff(b[:0]))
				p.powerOff(0)
			}
		case 7:
			if t.Args[1] == 1 && p.can(ASB) {
				p.sendFrame()
			}
		case 8:
			p.clear()
			p.recover()
			return true
		}
	}
	return false
}

// clear throws away receive and print buffer and says so.
func (p *Printer) clear() {
	p.strip.interrupt("cleared")
	p.endStrip(Ended("cleared"))
	p.drain()
	p.line, p.cutPending = 0, false
	var b [8]byte
	p.reply(replyOther, escpos.AppendCleared(b[:0]))
}

// drain empties the queue and brings the interpreter to the ground.
func (p *Printer) drain() {
	p.taken += int64(len(p.queue) - p.head)
	p.queue, p.head, p.marks = p.queue[:0], 0, p.marks[:0]
	p.tokens = escpos.Tokenizer{Limit: commandLimit}
	p.base, p.more = p.taken, 0
	p.busyUntil = time.Time{}
	p.room.Broadcast()
}

// recover ends a recoverable error whose cause is gone, and does again what failed.
func (p *Printer) recover() {
	if !p.cutError && !p.mechError {
		return
	}
	p.cutError = false
	p.mechError = p.on(Mechanics) != nil
	if p.cutPending {
		p.cutPending = false
		p.cut()
	}
	p.refresh()
	p.advance(time.Now())
}

// advance lets the interpreter work until the queue is empty, the mechanism stops, or the paper path is busy.
func (p *Printer) advance(now time.Time) {
	if p.advancing || p.off { // a token's fault may lead back here
		return
	}
	p.advancing = true
	defer func() { p.advancing = false }()
	before := p.printed
	for !p.stopped && !p.off {
		if p.nextPrint <= p.printed {
			p.fireReached()
			continue
		}
		q := p.queue[p.head:]
		if len(q) == 0 {
			break
		}
		paced := p.paced()
		if paced && now.Before(p.busyUntil) {
			p.wait(p.busyUntil.Sub(now))
			break
		}
		if paced && now.Sub(p.busyUntil) > lag {
			p.busyUntil = now // it stood still; what it missed is not caught up
		}
		if paced || p.nextPrint != never || p.on(Cutter) != nil {
			q = p.step(q)
		}
		p.head += len(q)
		p.taken += int64(len(q))
		p.printed += uint64(len(q))
		p.tokens.Feed(q, p.onToken)
	}
	if p.printed != before {
		p.room.Broadcast()
	}
}

// step is the piece of q after which the mechanism may stop: a run of text, a slice of data, a byte of a command.
func (p *Printer) step(q []byte) []byte {
	n := 1
	switch {
	case p.more > 0:
		n = int(min(p.more, int64(len(q)), 1024))
	case p.tokens.Pending() == 0:
		for q[0] >= 0x20 && n < len(q) && q[n] >= 0x20 {
			n++
		}
	}
	if left := p.nextPrint - p.printed; uint64(n) > left {
		n = int(left)
	}
	return q[:n]
}

// speed is what the mechanism does now.
func (p *Printer) speed() Speed {
	s := p.c.Speed
	if a := p.on(Slow); a != nil {
		s.BytesPerSecond, s.LinesPerSecond = a.BytesPerSecond, a.LinesPerSecond
		if s.BytesPerSecond == 0 && s.LinesPerSecond == 0 {
			s.LinesPerSecond = DefaultLinesPerSecond
		}
	}
	return s
}

func (p *Printer) paced() bool {
	return p.c.Speed != (Speed{}) || len(p.active) > 0 && p.on(Slow) != nil
}

// spend makes the paper path busy for so many bytes and lines.
func (p *Printer) spend(bytes, lines int) {
	if !p.paced() {
		return
	}
	s := p.speed()
	d := 0.0
	if s.BytesPerSecond > 0 {
		d += float64(bytes) / s.BytesPerSecond
	}
	if s.LinesPerSecond > 0 {
		d += float64(lines) / s.LinesPerSecond
	}
	p.busyUntil = p.busyUntil.Add(time.Duration(d * float64(time.Second)))
}

// wait has advance run again in d.
func (p *Printer) wait(d time.Duration) {
	if p.pace == nil {
		p.pace = time.AfterFunc(d, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.advance(time.Now())
		})
		return
	}
	p.pace.Reset(d)
}

// token interprets one token. It is called in the middle of advance.
func (p *Printer) token(t escpos.Token) {
	if t.Kind == escpos.TokenText {
		p.more = 0
	} else {
		p.more = t.More
	}
	if p.deselected && !(t.Kind == escpos.TokenCommand && t.Name == "ESC =") {
		return
	}
	switch t.Kind {
	case escpos.TokenText:
		p.put(t)
		p.strip.heading(t.Bytes, p.inverse)
		p.line += len(t.Bytes)
		wrapped := (p.line - 1) / p.profile.Columns // double width is not counted: the paper's picture knows better
		if wrapped > 0 {
			p.lines += uint64(wrapped)
			p.line -= wrapped * p.profile.Columns
			p.strip.ink = true
		}
		p.spend(len(t.Bytes), wrapped)
	case escpos.TokenData:
		p.put(t)
		p.spend(len(t.Bytes), 0)
	case escpos.TokenCommand:
		if t.RealTime() || t.Bytes[0] == nul {
			return // acted on when it arrived
		}
		p.command(t)
	}
}

// print brings what is in the print buffer on paper and feeds n lines.
func (p *Printer) print(n int) {
	if p.line > 0 {
		p.strip.ink = true
	}
	p.line = 0
	p.lines += uint64(n)
	p.spend(0, n)
}

func (p *Printer) command(t escpos.Token) {
	var b [96]byte
	arg := byte(0)
	if len(t.Args) > 0 {
		arg = t.Args[0]
	}
	switch t.Name {
	// Questions and orders that leave nothing on paper.
	case "GS ( H":
		if p.can(ProcessID) && len(t.Args) == 6 && t.Args[0] == '0' && t.Args[1] == '0' {
			p.echo([4]byte(t.Args[2:6]))
		}
	case "GS r":
		switch {
		case !p.can(Fence):
		case arg == 1 || arg == '1':
			p.fence(escpos.AppendPaperAnswer(b[:0], p.status))
		case arg == 2 || arg == '2':
			p.fence(appendDrawer(b[:0], p.status))
		}
	case "ESC v":
		if p.can(Fence) {
			p.fence(escpos.AppendPaperAnswer(b[:0], p.status))
		}
	case "ESC u":
		if p.can(Fence) {
			p.fence(appendDrawer(b[:0], p.status))
		}
	case "GS I":
		if p.can(Identify) {
			p.reply(replyOther, p.identify(b[:0], arg))
		}
	case "GS a":
		p.asb = 0
		if p.can(ASB) {
			p.asb = arg
		}
		if p.asb != 0 {
			p.sendFrame()
		}
	case "GS g":
		p.maintenance(t.Args)
	case "GS ( D":
		for i := 1; i+1 < len(t.Args); i += 2 {
			off := t.Args[i+1]&1 == 0
			switch t.Args[i] {
			case 1:
				p.noPulse = off
			case 2:
				p.noPowerOff = off
			}
		}
	case "ESC =":
		p.deselected = arg&1 == 0
	case "ESC p":
		p.kicks++
	case "BEL", "ESC ( A", "ESC B", "ESC C":
		p.beeps++

	// The paper.
	case "ESC @":
		p.line, p.inverse, p.noPulse, p.noPowerOff = 0, false, false, false
		p.settings = p.settings[:0]
		p.asb = 0 // on many models (escpos.md 2.1): the host sends GS a after it
		if !p.strip.ink {
			p.resetStrip()
		}
		p.put(t)
	case "GS B":
		p.inverse = arg&1 == 1
		p.put(t)
		p.set(t)
	case "ESC t", "ESC R", "ESC !", "ESC M", "GS !", "ESC E", "ESC G", "ESC -", "ESC r", "ESC a", "ESC 2", "ESC 3", "FS &", "FS .":
		p.put(t)
		p.set(t)
	case "LF":
		p.put(t)
		p.print(1)
	case "ESC J":
		p.put(t)
		p.print(1)
	case "ESC d":
		p.put(t)
		p.print(int(arg))
	case "FF":
		p.put(t)
		p.print(0)
	case "GS v 0", "GS k", "GS /", "FS p":
		p.put(t)
		p.strip.ink = true
		p.spend(len(t.Bytes), 0)
	case "GS ( k", "GS ( L":
		p.put(t)
		if len(t.Args) > 1 && (t.Args[1] == 0x51 || t.Args[1] == '2' || t.Args[1] == 2) { // print the stored symbol, picture
			p.strip.ink = true
		}
		p.spend(len(t.Bytes), 0)
	case "ESC *":
		p.put(t)
		p.line++
	case "GS V", "ESC i", "ESC m":
		if p.line > 0 { // it works at the start of a line and is ignored elsewhere
			return
		}
		p.put(t)
		p.cut()
	default:
		p.put(t)
	}
}

// put adds t to the ticket.
func (p *Printer) put(t escpos.Token) {
	end := p.base + t.End
	s := &p.strip
	if !s.open {
		s.open = true
		s.prelude = p.prelude(s.prelude[:0])
		s.first = p.came(end - int64(len(t.Bytes)) + 1)
	}
	s.last = p.came(end)
	s.bytes += int64(len(t.Bytes))
	s.add(t.Bytes)
}

// came is when the byte that ends at a queue offset arrived. Offsets are asked for in rising order.
func (p *Printer) came(end int64) time.Time {
	i := 0
	for i < len(p.marks)-1 && p.marks[i].end < end {
		i++
	}
	if len(p.marks) == 0 {
		return p.lastByte
	}
	if i > 64 || i > 0 && i == len(p.marks)-1 {
		p.marks = p.marks[:copy(p.marks, p.marks[i:])]
		i = 0
	}
	return p.marks[i].at
}

// cut ends the ticket, or jams.
func (p *Printer) cut() {
	if p.use(Cutter) != nil {
		p.cutError, p.cutPending = true, true
		p.strip.interrupt(Cutter)
		p.refresh()
		return
	}
	p.cuts++
	p.cutsEver++
	p.busyUntil = p.busyUntil.Add(p.c.Speed.Cut)
	p.endStrip(Cut)
}

// echo answers GS ( H.
func (p *Printer) echo(token [4]byte) {
	for _, c := range token {
		if c < 0x20 || c > 0x7E {
			return
		}
	}
	if p.use(EchoLost) != nil {
		return
	}
	var b [8]byte
	if a := p.use(EchoForeign); a != nil {
		p.reply(replyEcho, escpos.AppendProcessIDEcho(b[:0], [4]byte(unhex(a.Data, DefaultForeignToken))))
	}
	p.reply(replyEcho, escpos.AppendProcessIDEcho(b[:0], token))
	if p.use(EchoDuplicate) != nil {
		p.reply(replyEcho, escpos.AppendProcessIDEcho(b[:0], token))
	}
}

// fence answers a queued status request; the echo faults that make sense hold for it too.
func (p *Printer) fence(answer []byte) {
	if p.use(EchoLost) != nil {
		return
	}
	p.reply(replyOther, answer)
	if p.use(EchoDuplicate) != nil {
		p.reply(replyOther, answer)
	}
}

func appendDrawer(b []byte, s escpos.Status) []byte {
	if s.DrawerHigh {
		return append(b, 1)
	}
	return append(b, 0)
}

func (p *Printer) identify(b []byte, n byte) []byte {
	switch n {
	case escpos.IdentifyModel, '1':
		return append(b, 0x20)
	case escpos.IdentifyType, '2':
		return append(b, 0x02) // a cutter, no two-byte characters
	case escpos.IdentifyVersion, '3':
		return append(b, 0x01)
	case escpos.IdentifyFirmware:
		return escpos.AppendTextAnswer(b, p.c.Firmware)
	case escpos.IdentifyMaker:
		return escpos.AppendTextAnswer(b, p.c.Maker)
	case escpos.IdentifyName:
		return escpos.AppendTextAnswer(b, p.c.Device)
	case escpos.IdentifySerial:
		return escpos.AppendTextAnswer(b, p.c.Serial)
	case escpos.IdentifyFonts:
		return escpos.AppendTextAnswer(b, p.c.Fonts)
	}
	return b
}

// maintenance is GS g: 0 resets a counter, 2 tells it (escpos.md 10.9).
func (p *Printer) maintenance(args []byte) {
	if len(args) != 4 || !p.can(Counters) {
		return
	}
	n := int(args[2]) | int(args[3])<<8
	var value *uint64
	switch n {
	case 10, escpos.CounterLines:
		value = &p.linesUser
		*value = p.lines - p.linesReset
	case escpos.CounterCuts:
		value = &p.cuts
	case 128 + 10, 128 + escpos.CounterLines:
		value = &p.lines
	case 128 + escpos.CounterCuts:
		value = &p.cutsEver
	default:
		var hours uint64
		value = &hours
	}
	switch args[0] {
	case '2':
		var b [32]byte
		p.reply(replyOther, escpos.AppendTextAnswer(b[:0], strconv.FormatUint(*value, 10)))
	case '0':
		switch n {
		case 10, escpos.CounterLines:
			p.linesReset = p.lines
		case escpos.CounterCuts:
			p.cuts = 0
		}
	}
}

// reply sends an answer, if the printer answers at all.
func (p *Printer) reply(k replyKind, b []byte) {
	if p.link == nil || p.c.Silent {
		return
	}
	if len(p.active) > 0 {
		if p.on(Silent) != nil {
			return
		}
		if k != replyASB && p.on(ASBBetween) != nil {
			p.link.add(replyOther, p.appendFrame(nil))
		}
	}
	p.link.add(k, b)
}

func (p *Printer) appendFrame(b []byte) []byte {
	b = escpos.AppendASBFrame(b, p.status)
	b[len(b)-1] = p.c.ASBByte4
	return b
}

func (p *Printer) sendFrame() {
	var b [4]byte
	copy(p.frame[:], p.appendFrame(b[:0]))
	p.reply(replyASB, p.frame[:])
}

// refresh makes the status of the faults there are, tells the host what changed if it wants to know, and stops or frees
// the mechanism. advance is up to the caller.
func (p *Printer) refresh() {
	cover := p.on(Cover) != nil
	p.coverError = p.coverError && cover
	out := p.on(PaperOut) != nil
	feed := p.on(Feed) != nil
	s := escpos.Status{
		CoverOpen: cover, PaperOut: out, PaperStop: out, PaperLow: p.on(PaperLow) != nil, Feeding: feed, FeedButton: feed,
		CutterError: p.cutError, Recoverable: p.mechError, Unrecoverable: p.on(Broken) != nil,
		AutoRecoverable: p.coverError || p.on(Hot) != nil, DrawerHigh: p.on(Drawer) != nil,
	}
	s.Error = s.CutterError || s.Recoverable || s.Unrecoverable || s.AutoRecoverable
	s.Offline = s.Error || cover || out || feed
	p.status = s
	p.stopped = s.Offline
	if p.asb == 0 || p.off {
		return
	}
	var now [4]byte
	copy(now[:], p.appendFrame(now[:0]))
	// The causes of GS a n: bit 0 drawer, 1 on-line, 2 error, 3 paper, 6 panel; each owns some bits of the frame.
	causes := [...]struct {
		bit   byte
		owned [3]byte
	}{
		{0x01, [3]byte{0x04}}, {0x02, [3]byte{0x28, 0x01}}, {0x04, [3]byte{0, 0x6C}}, {0x08, [3]byte{0, 0, 0x0F}}, {0x40, [3]byte{0x40, 0x02}},
	}
	for _, c := range causes {
		for i, m := range c.owned {
			if p.asb&c.bit != 0 && (now[i]^p.frame[i])&m != 0 {
				p.sendFrame()
				return
			}
		}
	}
}

// stick makes the interpreter wait for n data bytes, as a torn picture does (escpos.md 10.8).
func (p *Printer) stick(n int) {
	if n == 0 {
		n = DefaultStuckBytes
	}
	if p.tokens.Pending() > 0 {
		return // it waits already
	}
	head := []byte{gs, '8', 'L', byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
	p.base -= int64(len(head))
	p.tokens.Feed(head, p.onToken)
	if n <= commandLimit {
		p.more = int64(n)
	}
}

// compact takes the real-time commands that are done with out of a full queue, or a host that polls a stopped printer
// would fill it and be heard no more.
func (p *Printer) compact() {
	q := p.queue[p.head:]
	if p.tokens.Pending() > 0 || bytes.IndexByte(q, dle) < 0 {
		return
	}
	kept := make([]byte, 0, len(q))
	t := escpos.Tokenizer{Limit: commandLimit}
	at := 0
	t.Feed(q, func(t escpos.Token) {
		if !(t.Kind == escpos.TokenCommand && t.RealTime()) {
			kept = append(kept, t.Bytes...)
		}
		at = int(t.End)
	})
	kept = append(kept, q[at:]...)
	p.queue = p.queue[:copy(p.queue, kept)]
	p.head = 0
	end := p.taken + int64(len(p.queue))
	for i := range p.marks {
		p.marks[i].end = min(p.marks[i].end, end)
	}
}
