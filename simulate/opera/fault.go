package opera

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Fault is something that goes wrong at the hotel's end: now, at a request, or at a byte, until it is lifted or used up.
type Fault struct {
	Kind FaultKind `json:"kind"`

	// Which requests it strikes. Faults of an answer strike postings where On says nothing else, faults of a form any
	// record. An event with On waits for such a request instead of happening at once.
	On     On     `json:"on,omitempty"`
	Link   string `json:"link,omitempty"`   // only links of this port
	Room   string `json:"room,omitempty"`   // only requests that name this room
	Number int64  `json:"number,omitempty"` // only this P#

	Skip  int      `json:"skip,omitempty"`  // so many that would be struck go well first
	Count int      `json:"count,omitempty"` // over after so many times; 0: no such limit, and once for an event
	Rate  float64  `json:"rate,omitempty"`  // strikes by chance, 0.05 is one in twenty; 0: always
	After Duration `json:"after,omitempty"` // begins so long from now
	Every Duration `json:"every,omitempty"` // of an event without On: again and again
	For   Duration `json:"for,omitempty"`   // lifted by itself after this long; 0: until lifted. Of drop_link: refuse connections

	When   When     `json:"when,omitempty"`   // of an event with On: before it is processed, before its answer (default), after it
	Delay  Duration `json:"delay,omitempty"`  // answer_delayed, request_delayed
	Status Status   `json:"status,omitempty"` // refused; UR
	Text   string   `json:"text,omitempty"`   // refused: CT
	At     int64    `json:"at,omitempty"`     // cut: after so many bytes, from now or from the request's (the answer's) STX with On
	Dir    Dir      `json:"dir,omitempty"`    // cut: in (default) or out
	Reset  bool     `json:"reset,omitempty"`  // cut, drop_link: by RST
	Data   string   `json:"data,omitempty"`   // garbage, ack_wrong: what is sent, in hex
	Bytes  int      `json:"bytes,omitempty"`  // long_record, endless, many_fields: how many

	BytesPerSecond float64 `json:"bytes_per_second,omitempty"` // slow
}

// FaultKind is the name of a fault.
type FaultKind string

// Faults of an answer. The request is booked or not as told here, and the vendor cannot know it.
const (
	RequestLost      FaultKind = "request_lost"    // not processed, not answered
	RequestDelayed   FaultKind = "request_delayed" // processed and answered Delay later, even when the link is gone by then
	AnswerLost       FaultKind = "answer_lost"     // processed, not answered
	AnswerDelayed    FaultKind = "answer_delayed"  // processed at once, answered Delay later if the link is there
	AnswerDuplicated FaultKind = "answer_duplicated"
	AnswerNumber     FaultKind = "answer_number"    // with somebody else's P#
	AnswerNextLink   FaultKind = "answer_next_link" // kept until the vendor has connected again
	Refused          FaultKind = "refused"          // with Status, nothing is booked
)

// Faults of the form of a record.
const (
	HalfFrame     FaultKind = "half_frame" // the frame stops in the middle, the link goes on
	Split         FaultKind = "split"      // byte by byte
	Glued         FaultKind = "glued"      // with line ends and an unknown record in the same write
	Reordered     FaultKind = "reordered"  // fields in another order
	GuestFirst    FaultKind = "guest_first"
	UnknownFields FaultKind = "unknown_fields"
	EmptyFields   FaultKind = "empty_fields"
	Bare          FaultKind = "bare"      // nothing but what has to be there
	Restarted     FaultKind = "restarted" // half a frame, and the whole one begins again with STX
)

// Events happen once, to the links that are alive, or to the next one that is.
const (
	LinkStarts    FaultKind = "ls"
	LinkEnds      FaultKind = "le"
	NightBegins   FaultKind = "ns"
	NightEnds     FaultKind = "ne"
	Cut           FaultKind = "cut"       // the connection ends at byte At
	DropLink      FaultKind = "drop_link" // the connection ends
	Garbage       FaultKind = "garbage"   // bytes outside a frame
	UnknownRecord FaultKind = "unknown_record"
	LongRecord    FaultKind = "long_record" // a guest change of Bytes bytes
	Endless       FaultKind = "endless"     // STX and Bytes bytes without an end
	ManyFields    FaultKind = "many_fields" // a record of Bytes bytes, all of them fields
)

// Behaviours last until lifted.
const (
	Silent       FaultKind = "silent"        // takes and books everything, sends nothing
	Hang         FaultKind = "hang"          // frozen: what arrives is processed once this is lifted
	Slow         FaultKind = "slow"          // BytesPerSecond towards the vendor
	NoLinkStart  FaultKind = "no_ls"         // no LS when somebody connects
	NoLinkAlive  FaultKind = "no_la"         // LS again and again instead of LA
	SwapIgnored  FaultKind = "dr_ignored"    // no resync on request
	SwapEndless  FaultKind = "ds_without_de" // a resync that does not end
	SwapMixed    FaultKind = "resync_mixed"  // real-time records among those of a resync
	CorruptOut   FaultKind = "lrc"           // serial: the check character of what is sent is wrong
	CorruptIn    FaultKind = "corrupt"       // serial: a bit of what arrives is flipped, so that it is answered NAK
	AckLost      FaultKind = "ack_lost"      // serial: ACK is not sent
	AckWrong     FaultKind = "ack_wrong"     // serial: another byte in place of ACK
	AnswersMixed FaultKind = "unknown_mixed" // an unknown record before each answer
)

var (
	answerFaults = []FaultKind{RequestLost, RequestDelayed, AnswerLost, AnswerDelayed, AnswerDuplicated, AnswerNumber, AnswerNextLink, Refused}
	formFaults   = []FaultKind{HalfFrame, Split, Glued, Reordered, GuestFirst, UnknownFields, EmptyFields, Bare, Restarted, AnswersMixed}
	eventFaults  = []FaultKind{LinkStarts, LinkEnds, NightBegins, NightEnds, Cut, DropLink, Garbage, UnknownRecord, LongRecord, Endless, ManyFields}
	stateFaults  = []FaultKind{
		Silent, Hang, Slow, NoLinkStart, NoLinkAlive, SwapIgnored, SwapEndless, SwapMixed, CorruptOut, CorruptIn, AckLost, AckWrong,
	}
)

// FaultKinds lists every fault.
func FaultKinds() []FaultKind {
	return slices.Concat(answerFaults, formFaults, eventFaults, stateFaults)
}

// On is which requests a fault strikes.
type On string

const (
	OnAny     On = "any"
	OnInquiry On = "inquiry" // PR without a total, PostInquiry
	OnPosting On = "posting" // PR with a total, PS, PostRequest
	OnOther   On = "other"   // the rest of what a vendor may ask
)

// When is the moment of an event that waits for a request.
type When string

const (
	WhenRequest When = "request" // before it is processed; it is lost if the link ends
	WhenAnswer  When = "answer"  // processed, not answered yet
	WhenAfter   When = "after"   // answered
)

// Dir is a direction as the simulator sees it.
type Dir string

const (
	In  Dir = "in"
	Out Dir = "out"
)

// Defaults for a Fault left at zero.
const (
	DefaultDelay          = 2 * time.Second
	DefaultGarbage        = "0d0a3f7c0004ff" // in hex
	DefaultLongRecord     = 3000             // bytes
	DefaultEndless        = 1 << 20          // bytes
	DefaultBytesPerSecond = 300
	maxFaultBytes         = 64 << 20
)

// A Duration is a time.Duration that reads and writes itself as text, "1.5s".
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("duration %q: write a number with its unit, as in 2s", b)
	}
	*d = Duration(v)
	return nil
}

// check says what is wrong with f, and where the fault can be meant otherwise.
func (f Fault) check() error {
	event := slices.Contains(eventFaults, f.Kind)
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		var names []string
		for _, k := range FaultKinds() {
			names = append(names, string(k))
		}
		return fmt.Errorf("fault kind %q: there is none of this name; write one of %s", f.Kind, strings.Join(names, ", "))
	case f.Skip < 0 || f.Count < 0 || f.At < 0 || f.Bytes < 0 || f.Number < 0 || !(f.BytesPerSecond >= 0) || !(f.Rate >= 0 && f.Rate <= 1): // NaN is neither
		return fmt.Errorf("fault %s: a number is below zero, or the rate above 1", f.Kind)
	case f.Bytes > maxFaultBytes:
		return fmt.Errorf("fault %s: %d bytes are too many; at most %d", f.Kind, f.Bytes, maxFaultBytes)
	case !slices.Contains([]On{"", OnAny, OnInquiry, OnPosting, OnOther}, f.On):
		return fmt.Errorf("fault %s: on %q; write any, inquiry, posting or other", f.Kind, f.On)
	case !slices.Contains([]When{"", WhenRequest, WhenAnswer, WhenAfter}, f.When):
		return fmt.Errorf("fault %s: when %q; write request, answer or after", f.Kind, f.When)
	case !slices.Contains([]Dir{"", In, Out}, f.Dir):
		return fmt.Errorf("fault %s: dir %q; write in or out", f.Kind, f.Dir)
	case f.Every > 0 && (!event || f.On != ""):
		return fmt.Errorf("fault %s: every is for events that wait for no request", f.Kind)
	case f.Status != "" && !slices.Contains(statuses, f.Status):
		return fmt.Errorf("fault %s: status %q; write one of %s", f.Kind, f.Status, statusList())
	}
	b, err := hex.DecodeString(f.Data)
	if err != nil || len(b) > 4096 {
		return fmt.Errorf("fault %s: data %q: write up to 4096 bytes in hex, as in ff42", f.Kind, f.Data)
	}
	if f.Kind == AckWrong && len(b) > 1 {
		return fmt.Errorf("fault %s: data %q: it is one byte", f.Kind, f.Data)
	}
	return nil
}

func (f Fault) filled() Fault {
	if f.Delay == 0 {
		f.Delay = Duration(DefaultDelay)
	}
	if f.Status == "" {
		f.Status = StatusUR
	}
	if f.Dir == "" {
		f.Dir = In
	}
	if f.When == "" {
		f.When = WhenAnswer
	}
	if f.BytesPerSecond == 0 {
		f.BytesPerSecond = DefaultBytesPerSecond
	}
	switch {
	case f.Data == "" && f.Kind == Garbage:
		f.Data = DefaultGarbage
	case f.Data == "" && f.Kind == AckWrong:
		f.Data = "41"
	case f.Bytes == 0 && f.Kind == LongRecord:
		f.Bytes = DefaultLongRecord
	case f.Bytes == 0:
		f.Bytes = DefaultEndless
	}
	switch {
	case slices.Contains(answerFaults, f.Kind) && f.On == "":
		f.On = OnPosting
	case slices.Contains(eventFaults, f.Kind) && f.Count == 0 && f.Rate == 0 && f.Every == 0:
		f.Count = 1
	}
	return f
}

// event says whether f happens by itself.
func (f Fault) event() bool { return slices.Contains(eventFaults, f.Kind) && f.On == "" }

// ParseFault reads a fault as a command line has it: KIND[@BYTE][,on=posting][,count=1][,rate=0.05][,delay=5s] ...: every
// member of a Fault by its JSON name.
func ParseFault(s string) (Fault, error) {
	head, rest, _ := strings.Cut(s, ",")
	kind, at, hasAt := strings.Cut(head, "@")
	f := Fault{Kind: FaultKind(kind)}
	var err error
	if hasAt {
		if f.At, err = strconv.ParseInt(at, 10, 64); err != nil {
			return f, fmt.Errorf("fault %q: %q is not a byte number; write %s@12", s, at, kind)
		}
	}
	for rest != "" {
		var option string
		option, rest, _ = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(option, "=")
		if err := f.set(name, value); err != nil {
			return f, fmt.Errorf("fault %q: %s: %w", s, option, err)
		}
	}
	return f, f.check()
}

func (f *Fault) set(name, value string) (err error) {
	number := func(to *int) error {
		n, err := strconv.Atoi(value)
		*to = n
		return err
	}
	switch name {
	case "on":
		f.On = On(value)
	case "link":
		f.Link = value
	case "room":
		f.Room = value
	case "number":
		f.Number, err = strconv.ParseInt(value, 10, 64)
	case "skip":
		err = number(&f.Skip)
	case "count":
		err = number(&f.Count)
	case "rate":
		f.Rate, err = strconv.ParseFloat(value, 64)
	case "after":
		err = f.After.UnmarshalText([]byte(value))
	case "every":
		err = f.Every.UnmarshalText([]byte(value))
	case "for":
		err = f.For.UnmarshalText([]byte(value))
	case "when":
		f.When = When(value)
	case "delay":
		err = f.Delay.UnmarshalText([]byte(value))
	case "status":
		f.Status = Status(value)
	case "text":
		f.Text = value
	case "at":
		f.At, err = strconv.ParseInt(value, 10, 64)
	case "dir":
		f.Dir = Dir(value)
	case "reset":
		f.Reset = value == "" || value == "true"
	case "data":
		f.Data = value
	case "bytes":
		err = number(&f.Bytes)
	case "bytes_per_second":
		f.BytesPerSecond, err = strconv.ParseFloat(value, 64)
	default:
		err = fmt.Errorf("there is no option %q", name)
	}
	return err
}

// A moment is where faults may strike: a request, or a link in general.
type moment struct {
	link   string
	on     On // "" is a link in general
	room   string
	number int64
}

// faults are what is armed now.
type faults struct {
	some atomic.Bool // something is active; spares the lock where nothing ever is

	mu     sync.Mutex // guards the rest
	active []*armed
	struck map[FaultKind]uint64
	closed bool
	lifted chan struct{} // closed and made anew when something is lifted

	alarms *alarms
}

// armed is a fault that has come and not gone.
type armed struct {
	Fault
	skip, left int
	asleep     bool   // its time has not come, or it strikes by the clock alone
	next, end  *alarm // of asleep; of For
}

func newFaults(as *alarms) *faults {
	return &faults{struck: map[FaultKind]uint64{}, lifted: make(chan struct{}), alarms: as}
}

// add arms f, which is checked and filled.
func (fs *faults) add(f Fault, asleep bool) *armed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	a := &armed{Fault: f, skip: f.Skip, left: f.Count, asleep: asleep}
	if fs.closed {
		return a
	}
	if f.Kind == Cut && f.Dir == In && f.On != "" {
		a.Kind = inCut
	}
	fs.active = append(fs.active, a)
	fs.some.Store(true)
	if f.For > 0 && f.Kind != DropLink {
		a.end = fs.alarms.after(time.Duration(f.For), func() { fs.remove(func(b *armed) bool { return a == b }) })
	}
	return a
}

// wake has fn called after d, unless a is lifted before.
func (fs *faults) wake(a *armed, d time.Duration, fn func()) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if slices.Contains(fs.active, a) {
		a.next = fs.alarms.after(d, fn)
	}
}

// wait returns when k is not on, or the link is done.
func (fs *faults) wait(k FaultKind, link string, done <-chan struct{}) {
	for fs.on(k, link) {
		fs.mu.Lock()
		lifted := fs.lifted
		fs.mu.Unlock()
		if !fs.on(k, link) {
			return
		}
		select {
		case <-lifted:
		case <-done:
			return
		}
	}
}

func (fs *faults) remove(which func(*armed) bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.active = slices.DeleteFunc(fs.active, func(a *armed) bool {
		if !which(a) {
			return false
		}
		a.end.stop()
		a.next.stop()
		return true
	})
	fs.changedLocked()
}

func (fs *faults) changedLocked() {
	fs.some.Store(len(fs.active) > 0)
	close(fs.lifted)
	fs.lifted = make(chan struct{})
}

// close ends every fault.
func (fs *faults) close() {
	fs.remove(func(*armed) bool { return true })
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.closed = true
}

// strike takes the faults of these kinds that strike at m, in the order they were armed, each kind once.
func (fs *faults) strike(m moment, kinds ...FaultKind) []Fault {
	if !fs.some.Load() {
		return nil
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var now []Fault
	for _, a := range slices.Clone(fs.active) {
		same := func(f Fault) bool { return f.Kind == a.Kind }
		if !slices.Contains(kinds, a.Kind) || !a.fits(m) || slices.ContainsFunc(now, same) {
			continue
		}
		if a.Rate > 0 && rand.Float64() >= a.Rate {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		now = append(now, a.shown())
		fs.struck[a.shown().Kind]++
		if a.Count > 0 {
			if a.left--; a.left == 0 {
				fs.dropLocked(a)
			}
		}
	}
	return now
}

func (fs *faults) dropLocked(a *armed) {
	a.end.stop()
	a.next.stop()
	fs.active = slices.DeleteFunc(fs.active, func(b *armed) bool { return a == b })
	fs.changedLocked()
}

// shown is the fault as it was injected.
func (a *armed) shown() Fault {
	f := a.Fault
	if f.Kind == inCut {
		f.Kind = Cut
	}
	return f
}

// fits says whether a is meant for m.
func (a *armed) fits(m moment) bool {
	if a.asleep || a.Link != "" && a.Link != m.link || a.Room != "" && a.Room != m.room || a.Number != 0 && a.Number != m.number {
		return false
	}
	return a.On == "" || a.On == OnAny && m.on != "" || a.On == m.on
}

// use is strike for one behaviour.
func (fs *faults) use(k FaultKind, link string) (Fault, bool) {
	if !fs.some.Load() {
		return Fault{}, false
	}
	now := fs.strike(moment{link: link}, k)
	if len(now) == 0 {
		return Fault{}, false
	}
	return now[0], true
}

// on says whether a behaviour is on, without using it up.
func (fs *faults) on(k FaultKind, link string) bool {
	if !fs.some.Load() {
		return false
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.ContainsFunc(fs.active, func(a *armed) bool { return a.Kind == k && a.fits(moment{link: link}) })
}

// count notes an event that struck.
func (fs *faults) count(k FaultKind) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.struck[k]++
}

// list is what is active and how often each kind has struck.
func (fs *faults) list() (active []Fault, struck map[FaultKind]uint64) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	active, struck = []Fault{}, make(map[FaultKind]uint64, len(fs.struck))
	for _, a := range fs.active {
		active = append(active, a.shown())
	}
	for k, n := range fs.struck {
		struck[k] = n
	}
	return active, struck
}

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s) // checked by Fault.check
	return b
}
