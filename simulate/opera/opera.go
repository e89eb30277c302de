package opera

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// Dialect is what a link speaks.
type Dialect string

const (
	FIAS   Dialect = "fias"
	XMLPOS Dialect = "xmlpos"
)

// Clients is what a port does with a second vendor (fias.md 1.1).
type Clients string

const (
	Newest Clients = "newest" // the newer connection ends the older, as IFC8 does
	Refuse Clients = "refuse" // the older stays, as one socket server does
	Many   Clients = "many"   // all are served, as multi-client drivers do
)

// Defaults for a Config left at zero.
const (
	DefaultEndWait   = 2 * time.Second // fias.md 3.4
	DefaultKeepAlive = 5 * time.Minute // fias.md 10.1
	DefaultEncoding  = "utf-8"
)

// Config is what the hotel's end of the line is. The zero value is a healthy IFC8 before a hotel of its own that answers
// at once.
type Config struct {
	Hotel    *Hotel  // nil: a new one of DefaultFile
	Dialect  Dialect // of ports that do not say; "" means FIAS
	Clients  Clients // of ports that do not say; "" means Newest
	Encoding string  // of the characters on the line; "" means DefaultEncoding

	AuthKey          string        // IfcAuthKey: base64 of 16 bytes, with or without FidCrypt0S| before it; "": none is asked
	AnswerUninquired bool          // a guest posting without an inquiry is answered UR; otherwise it gets no answer
	InquiryLife      time.Duration // how long an inquiry allows postings; 0: as long as the connection
	RefuseRepeats    bool          // a posting whose P# was booked before on this port is answered UR; otherwise it is booked again
	RoomBased        bool          // moves are told as GO and GI instead of GC
	NoPostLetters    bool          // XML_POS: NoPost is Y or N instead of 1 or 0

	Latency   time.Duration // from a request to its answer; 0: none
	EndWait   time.Duration // how long a vendor has to answer LE; 0 means DefaultEndWait, below 0 LE is not sent at the end
	KeepAlive time.Duration // XML_POS: LinkAlive after so much silence; 0 means DefaultKeepAlive
	Line      ifc.Options   // of serial lines: NoLRC and timers

	Ledger     io.Writer               // gets each posting as a JSON line in one write
	Keep       int                     // postings and exchanges held in memory; 0 means DefaultKeep
	OnExchange func(Exchange)          // called when the fate of an exchange is known, from several goroutines; must return soon
	Choose     func(Exchange) []Fault  // faults for this very request, besides those injected, whatever their On; called from several goroutines
	Trace      func(string, ifc.Event) // each record and link byte with its link's name, as it passes; called from several goroutines
	Faults     []Fault                 // injected at the start
	Now        func() time.Time        // nil means time.Now
	Log        *slog.Logger            // nil means slog.Default
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("simulator is closed")

// A Simulator is IFC8 with a hotel behind it; see the package's description. Its methods may be called from any goroutine.
type Simulator struct {
	c      Config
	hotel  *Hotel
	faults *faults
	alarms *alarms
	log    *slog.Logger
	key    []byte

	moving sync.Mutex // held while something changes in the hotel and is told to the links, so that all hear it in order

	mu            sync.Mutex // guards everything below
	ports         []*port
	exchanges     []*Exchange
	exchangesEver uint64
	remarks       map[string]*Remark
	connections   uint64
	refused       uint64
	awayUntil     time.Time
	authFailed    bool // error 110: nobody is let in until Reauthenticate
	closed        bool
	ledgerErr     error
	trace         tape
}

// New checks c and makes a simulator. It starts nothing.
func New(c Config) (*Simulator, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Hotel == nil {
		h, err := NewHotel(DefaultFile(), c.Now())
		if err != nil {
			return nil, err
		}
		c.Hotel = h
	}
	if c.Dialect == "" {
		c.Dialect = FIAS
	}
	if c.Clients == "" {
		c.Clients = Newest
	}
	if c.Encoding == "" {
		c.Encoding = DefaultEncoding
	}
	if c.EndWait == 0 {
		c.EndWait = DefaultEndWait
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = DefaultKeepAlive
	}
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if err := (Port{Dialect: c.Dialect, Clients: c.Clients}).Check(); err != nil {
		return nil, err
	}
	s := &Simulator{c: c, hotel: c.Hotel, alarms: newAlarms(), log: c.Log, remarks: map[string]*Remark{}}
	s.faults = newFaults(s.alarms)
	s.hotel.keepPostings(c.Keep)
	var err error
	if s.key, err = authKey(c.AuthKey); err != nil {
		return nil, err
	}
	if err := checkEncoding(c.Dialect, c.Encoding); err != nil {
		return nil, err
	}
	for _, f := range c.Faults {
		if err := s.Inject(f); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Hotel is the hotel behind the line. Its changes are told to vendors only when they are made by the simulator's methods.
func (s *Simulator) Hotel() *Hotel { return s.hotel }

// Port is where one vendor connects. Zero values are those of the Config.
type Port struct {
	Name    string // "" is made of its number: link1
	Dialect Dialect
	Clients Clients
}

// Check says what is wrong with p.
func (p Port) Check() error {
	switch p.Dialect {
	case "", FIAS, XMLPOS:
	default:
		return fmt.Errorf("dialect %q: write fias or xmlpos", p.Dialect)
	}
	switch p.Clients {
	case "", Newest, Refuse, Many:
	default:
		return fmt.Errorf("clients %q: write newest, refuse or many", p.Clients)
	}
	return nil
}

// open makes a port.
func (s *Simulator) open(p Port, serial bool) (*port, error) {
	if p.Dialect == "" {
		p.Dialect = s.c.Dialect
	}
	if p.Clients == "" {
		p.Clients = s.c.Clients
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := checkEncoding(p.Dialect, s.c.Encoding); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if p.Name == "" {
		p.Name = "link" + strconv.Itoa(len(s.ports)+1)
	}
	at := &port{s: s, Port: p, serial: serial, numbers: map[int64]uint64{}}
	s.ports = append(s.ports, at)
	return at, nil
}

// Serve is ServePort with a Port of the Config.
func (s *Simulator) Serve(ctx context.Context, l net.Listener) error {
	return s.ServePort(ctx, l, Port{})
}

// ServePort takes connections of one vendor until ctx ends, says LE to them then, and closes l. It may be called for as
// many ports as there are vendors. It returns nil on a clean end; the error of the listener or of the ledger otherwise.
// TLS comes with a listener that has it.
func (s *Simulator) ServePort(ctx context.Context, l net.Listener, p Port) error {
	at, err := s.open(p, false)
	if err != nil {
		l.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var served sync.WaitGroup
	for {
		conn, e := l.Accept()
		if e != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("accept: %w", e)
			}
			break
		}
		if !at.admit() {
			reject(conn)
			continue
		}
		served.Go(func() { at.serve(ctx, conn) })
	}
	cancel()
	served.Wait()
	l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.ledgerErr)
}

// ServeConn is the hotel's end of conn, framed as on TCP, until it ends or ctx does. It closes conn. Each call is a port of
// its own.
func (s *Simulator) ServeConn(ctx context.Context, conn io.ReadWriteCloser) error {
	at, err := s.open(Port{}, false)
	if err != nil {
		conn.Close()
		return err
	}
	at.serve(ctx, conn)
	return nil
}

// ServeLine is the hotel's end of a serial line, with LRC, ACK, NAK and ENQ, until the line ends or ctx does. It closes
// line. Each call is a port of its own.
func (s *Simulator) ServeLine(ctx context.Context, line io.ReadWriteCloser) error {
	return s.ServeLinePort(ctx, line, Port{})
}

// ServeLinePort is ServeLine with a name and a dialect.
func (s *Simulator) ServeLinePort(ctx context.Context, line io.ReadWriteCloser, p Port) error {
	at, err := s.open(p, true)
	if err != nil {
		line.Close()
		return err
	}
	at.serve(ctx, line)
	return nil
}

// reject ends a connection by RST.
func reject(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}

// Close ends everything at once. Serve and its like end by their context; Close stops what may still be due later.
func (s *Simulator) Close() error {
	s.mu.Lock()
	s.closed = true
	ports := slices.Clone(s.ports)
	s.mu.Unlock()
	s.faults.close()
	for _, p := range ports {
		for _, l := range p.open() {
			l.wire.Close()
		}
	}
	s.alarms.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledgerErr
}

// Reauthenticate is a person who enters the key again after error 110 (fias.md 3.8).
func (s *Simulator) Reauthenticate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authFailed = false
}

// links are those that fit want, of every port.
func (s *Simulator) links(want func(*link) bool) []*link {
	s.mu.Lock()
	ports := slices.Clone(s.ports)
	s.mu.Unlock()
	var all []*link
	for _, p := range ports {
		for _, l := range p.open() {
			if want(l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// write notes a booked posting in the ledger's file.
func (s *Simulator) write(p *Posting) {
	if p == nil || s.c.Ledger == nil {
		return
	}
	b, err := json.Marshal(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		_, err = s.c.Ledger.Write(append(b, '\n'))
	}
	if err != nil && s.ledgerErr == nil {
		s.ledgerErr = fmt.Errorf("ledger: %w", err)
	}
}

// CheckIn puts a guest into a room and tells it.
func (s *Simulator) CheckIn(g Guest) error {
	return s.move(func() (Change, error) { return s.hotel.CheckIn(g) })
}

// Change gives a reservation new properties and tells it.
func (s *Simulator) Change(g Guest) error {
	return s.move(func() (Change, error) { return s.hotel.Change(g) })
}

// Move takes a guest to another room and tells it.
func (s *Simulator) Move(reservation, room string) error {
	return s.move(func() (Change, error) { return s.hotel.Move(reservation, room) })
}

// CheckOut ends a stay and tells it.
func (s *Simulator) CheckOut(reservation string) error {
	return s.move(func() (Change, error) { return s.hotel.CheckOut(reservation) })
}

func (s *Simulator) move(do func() (Change, error)) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	c, err := do()
	if err != nil {
		return err
	}
	s.tell(c)
	return nil
}

// tell lets every port know of c. With s.moving held.
func (s *Simulator) tell(c Change) {
	s.mu.Lock()
	ports := slices.Clone(s.ports)
	s.mu.Unlock()
	for _, p := range ports {
		p.tell(c)
	}
}

// StartAudit begins the night audit: NS, and every posting is answered NA.
func (s *Simulator) StartAudit() { s.night(true) }

// EndAudit ends it: NE, and the next business date.
func (s *Simulator) EndAudit() { s.night(false) }

func (s *Simulator) night(begins bool) {
	s.moving.Lock()
	defer s.moving.Unlock()
	if begins && !s.hotel.StartAudit() || !begins && !s.hotel.EndAudit() {
		return
	}
	for _, l := range s.links(func(l *link) bool { return l.speak.alive() }) {
		l.speak.night(begins)
	}
}

// LinkState is one connection as the control shows it.
type LinkState struct {
	Port       string    `json:"port"`
	Dialect    Dialect   `json:"dialect"`
	Serial     bool      `json:"serial,omitempty"`
	Connection uint64    `json:"connection"`
	Peer       string    `json:"peer,omitempty"`
	Alive      bool      `json:"alive"`
	State      string    `json:"state"`
	Since      time.Time `json:"since"`
	Vendor     string    `json:"vendor,omitempty"` // IF and V#
	Records    []string  `json:"records,omitempty"`
	BytesIn    uint64    `json:"bytes_in"`
	BytesOut   uint64    `json:"bytes_out"`
	Frames     ifc.Stats `json:"frames"`
	Waiting    int       `json:"waiting"` // records that the vendor has not taken
}

// State is what can be seen of a simulator.
type State struct {
	Hotel        string               `json:"hotel"`
	BusinessDate string               `json:"business_date"`
	Audit        bool                 `json:"audit"`
	Guests       int                  `json:"guests"`
	Links        []LinkState          `json:"links"`
	Queued       map[string]int       `json:"queued"` // guest changes that wait for a link, by port
	Connections  uint64               `json:"connections"`
	Refused      uint64               `json:"refused"`
	AuthFailed   bool                 `json:"auth_failed"`
	Faults       []Fault              `json:"faults"`
	Struck       map[FaultKind]uint64 `json:"struck"`
	Exchanges    uint64               `json:"exchanges"`
	Totals       Totals               `json:"totals"`
	Remarks      []Remark             `json:"remarks"`
}

// State returns a copy of what the simulator is doing.
func (s *Simulator) State() State {
	st := State{Links: []LinkState{}, Queued: map[string]int{}, Remarks: s.Remarks(), Totals: s.hotel.Totals(), Guests: len(s.hotel.Guests()), Hotel: s.hotel.f.Name}
	st.BusinessDate, st.Audit = s.hotel.BusinessDate()
	st.Faults, st.Struck = s.faults.list()
	for _, l := range s.links(func(*link) bool { return true }) {
		st.Links = append(st.Links, l.state())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Connections, st.Refused, st.AuthFailed, st.Exchanges = s.connections, s.refused, s.authFailed, s.exchangesEver
	for _, p := range s.ports {
		if n := p.queued(); n > 0 {
			st.Queued[p.Name] = n
		}
	}
	return st
}
