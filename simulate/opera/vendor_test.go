package opera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/ifc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when tests take place.
func noon() time.Time { return time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) }

// patience is how long a test waits for what has to come.
const patience = time.Minute

// testFile is a small hotel in which everything can be met.
const testFile = `
name: Test
first_transaction: 4711
names: last
rooms: ["101", "0101", "102", "103", "104", "105", "106", "2781"]
paymasters: ["9001"]
guests:
  - {reservation: "12345", room: "2781", name: "Guest, Mr.", first: George, title: Mr., profile: "1001", language: EA, vip: "3", group: A123, credit_limit: 50000, card: "4200278100012345", references: [one, two]}
  - {reservation: "12381", room: "2781", name: "Sharer, Mr.", no_post: true}
  - {reservation: "12875", room: "101", name: "Garibaldi, Mr."}
  - {reservation: "77", room: "0101", name: Garnier, first: Élodie}
  - {reservation: "80", room: "102", name: Fox, answer: FX}
  - {reservation: "81", room: "102", name: Deny, answer: DN}
  - {reservation: "82", room: "103", name: Again, answer: RY}
  - {reservation: "83", room: "104", name: Limit, credit_limit: 1000, balance: 900}
  - {reservation: "90001", room: "9001", name: Staff meals}
accounts:
  - {number: AR1001, name: Société Anonyme}
  - {number: AR1002, name: Closed, no_post: true}
articles: [{number: "1450", name: Juice, price: 450}, {number: "4000", name: Water, price: 300}]
pulse_price: 20
call_price: 35
`

func newTestHotel(t testing.TB) *Hotel {
	t.Helper()
	f, err := ParseFile([]byte(testFile))
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHotel(f, noon())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newSim makes a simulator of the test's hotel at noon; it says no LE at the end where c says nothing else.
func newSim(t testing.TB, c Config) *Simulator {
	t.Helper()
	if c.Hotel == nil {
		c.Hotel = newTestHotel(t)
	}
	if c.Now == nil {
		c.Now = noon
	}
	if c.EndWait == 0 {
		c.EndWait = -1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// listen serves a port on a free TCP port and returns its address.
func listen(t testing.TB, s *Simulator, p Port) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	ports := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.ports)
	}
	before := ports()
	go func() { served <- s.ServePort(ctx, l, p) }()
	eventually(t, "the port is open", func() bool { return ports() > before })
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// A vendor is the other end of the line, by hand.
type vendor struct {
	t    testing.TB
	raw  io.ReadWriteCloser
	conn ifc.Conn
}

func dial(t testing.TB, address string) *vendor {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	v := &vendor{t: t, raw: raw, conn: ifc.NewTCP(raw, ifc.Options{})}
	t.Cleanup(func() { v.conn.Close() })
	return v
}

func (v *vendor) say(record string) {
	v.t.Helper()
	if err := v.conn.Send(v.t.Context(), []byte(record)); err != nil {
		v.t.Fatalf("send %s: %v", record, err)
	}
}

func (v *vendor) hear() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := v.conn.Receive(ctx)
	return string(r), err
}

func (v *vendor) expect(want string) {
	v.t.Helper()
	got, err := v.hear()
	if err != nil {
		v.t.Fatalf("instead of %s: %v", want, err)
	}
	if got != want {
		v.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// quiet checks that nothing is on its way: an alive check is answered next.
func (v *vendor) quiet() {
	v.t.Helper()
	v.say("LS|DA250301|TI120000|")
	v.expect("LA|DA250301|TI120000|")
}

// end checks that the connection ends without another record.
func (v *vendor) end() {
	v.t.Helper()
	r, err := v.hear()
	if err == nil {
		v.t.Fatalf("got %s, want the end of the connection", r)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		v.t.Fatal("the connection stays open")
	}
}

// script plays a transcript: "> " is said, "< " is expected, "=" is nothing on its way, "!" is the end.
func (v *vendor) script(lines string) {
	v.t.Helper()
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case line == "=":
			v.quiet()
		case line == "!":
			v.end()
		case strings.HasPrefix(line, "> "):
			v.say(line[2:])
		case strings.HasPrefix(line, "< "):
			got, err := v.hear()
			if err != nil || got != line[2:] {
				v.t.Fatalf("line %d: got  %s, %v\n       want %s", i+1, got, err, line[2:])
			}
		default:
			v.t.Fatalf("line %d: what is %q?", i+1, line)
		}
	}
}

// fields are what vendors of tests describe.
const (
	fieldsPR = "DATIP#WSSOIDPIMX$2RNG#GNG+PMTAS1S2S3S4S5S6S7S8S9D1D2D3D4D5D6D7D8D9T1T2T3T4T5T6T7T8T9TPSC+0C#CVSTT#COCTX1PTMAM#"
	fieldsPL = "P#WSSOIDRNG#GNGFGTGVG+CLBANPPMGAGDA0"
	fieldsPA = "ASCTP#WSSOIDRNG#GNC#DATI"
	fieldsPS = "RNPTTASODATIP#G#CTX1MAM#MPDUDDPMS1TPWS"
)

// handshake is the way to a link that is alive.
const handshake = `
	< LS|DA250301|TI120000|
	> LD|DA250301|TI120000|V#1.0|IFPO|
	> LR|RIPR|FL` + fieldsPR + `|
	> LR|RIPS|FL` + fieldsPS + `|
	> LR|RIPL|FL` + fieldsPL + `|
	> LR|RIPA|FL` + fieldsPA + `|
	> LR|RINS|FLDATI|
	> LR|RINE|FLDATI|
	> LA|DA250301|TI120000|
	< LA|DA250301|TI120000|
`

// alive connects a vendor and brings its link up.
func alive(t testing.TB, address string) *vendor {
	t.Helper()
	v := dial(t, address)
	v.script(handshake)
	return v
}

// up is a simulator with one vendor whose link is alive.
func up(t testing.TB, c Config) (*Simulator, *vendor) {
	t.Helper()
	s := newSim(t, c)
	return s, alive(t, listen(t, s, Port{}))
}

// inquire finds the guest of a room and returns the answer.
func (v *vendor) inquire(number int, text string) string {
	v.t.Helper()
	v.say(fmt.Sprintf("PR|PI%s|P#%d|WS1|PMROOM|DA250301|TI120000|", text, number))
	r, err := v.hear()
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// posting is a posting to George Guest in room 2781.
func posting(number int, total int) string {
	return fmt.Sprintf("PR|RN2781|G#12345|GNGuest|P#%d|WS1|PMROOM|TA%d|S1%d|C#%d|DA250301|TI120000|", number, total, total, number)
}

// posted is its answer.
func posted(number, transaction int) string {
	return fmt.Sprintf("PA|ASOK|CTPosting successful. Interface transaction number/s - %d|P#%d|WS1|RN2781|G#12345|GNGuest|C#%d|DA250301|TI120000|",
		transaction, number, number)
}

// eventually waits until ok is true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// remarked says whether the simulator noted a deviation.
func remarked(s *Simulator, code string) bool {
	for _, r := range s.Remarks() {
		if r.Code == code {
			return true
		}
	}
	return false
}

// serve runs one of the simulator's connections until the test ends.
func serve(t testing.TB, run func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}
