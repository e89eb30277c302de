package folio

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/bridge/trail"
	"aboyeur/simulate/opera"
)

// Ten thousand charges by many terminals, while answers are lost, late and doubled, the link is cut at any byte and the
// program falls over without a word: what is shown as posted is in the hotel's books exactly once, what is shown as
// refused is not, what nobody knows stands beside something that was made to go wrong, and nothing was sent twice.
func TestTenThousandPostings(t *testing.T) {
	const terminals, crashes = 32, 5
	amount := int64(10_000)
	if testing.Short() || raceDetector {
		amount = 2_000
	}
	for _, dialect := range []struct {
		name string
		of   opera.Dialect
		make func(*house) PMS
	}{{"fias", opera.FIAS, fiasLink}, {"xmlpos", opera.XMLPOS, xmlLink}} {
		n, tills := amount, terminals
		if dialect.of == opera.XMLPOS { // each cut and each crash may take with it what all tills are at
			n, tills = amount/5, terminals/4
		}
		t.Run(dialect.name, func(t *testing.T) { thousands(t, n, tills, crashes, dialect.of, dialect.make) })
	}
}

func thousands(t *testing.T, amount int64, terminals, crashes int, dialect opera.Dialect, link func(*house) PMS) {
	random := rand.New(rand.NewPCG(1, 2))
	var drawing sync.Mutex
	draw := func(n int) int {
		drawing.Lock()
		defer drawing.Unlock()
		return random.IntN(n)
	}
	choose := func(x opera.Exchange) []opera.Fault {
		if x.On == opera.OnInquiry {
			if draw(300) == 0 {
				return []opera.Fault{{Kind: opera.AnswerLost, On: opera.OnAny}}
			}
			return nil
		}
		switch draw(120) {
		case 0:
			return []opera.Fault{{Kind: opera.AnswerLost, On: opera.OnAny}}
		case 1:
			return []opera.Fault{{Kind: opera.RequestLost, On: opera.OnAny}}
		case 2:
			return []opera.Fault{{Kind: opera.AnswerDelayed, On: opera.OnAny, Delay: opera.Duration(1500 * time.Millisecond)}}
		case 3, 4:
			return []opera.Fault{{Kind: opera.AnswerDuplicated, On: opera.OnAny}}
		case 5:
			status := []opera.Status{"RY", "NA", "UR", "DN", "FX"}[draw(5)]
			return []opera.Fault{{Kind: opera.Refused, On: opera.OnAny, Status: status}}
		case 7, 8:
			return []opera.Fault{{Kind: opera.Refused, On: opera.OnAny, Status: "RY"}}
		case 6:
			return []opera.Fault{{Kind: opera.AnswerDelayed, On: opera.OnAny, Delay: opera.Duration(50 * time.Millisecond)}} // slow, in time
		}
		return nil
	}
	file := opera.DefaultFile()
	file.Guests = nil
	for i := range 40 {
		file.Guests = append(file.Guests, opera.Guest{Reservation: strconv.Itoa(5000 + i), Room: file.Rooms[i], Name: "Guest " + strconv.Itoa(i), Profile: strconv.Itoa(7000 + i)})
	}
	hotel, err := opera.NewHotel(file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: memory(t), make: link}
	h.config = Config{Calendar: Calendar{Location: paris(t)}, Currency: "EUR", Language: "en", Dialect: string(dialect), AnswerTimeout: time.Second, InFlight: 2 * terminals}
	h.startHotel(opera.Config{Hotel: hotel, Dialect: dialect, Choose: choose, Keep: 1_000_000})
	h.start()
	t.Cleanup(func() { h.stop(); h.stopSim() })

	var placed, cuts atomic.Int64
	var running sync.RWMutex // held for reading by who places, for writing by who lets the program fall over
	done := make(chan struct{})
	var chaos, tills sync.WaitGroup
	// The link is cut at a random byte of what goes out or comes in, again and again.
	chaos.Go(func() {
		const every = 80
		for next := int64(every); ; next += every {
			for placed.Load() < next {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
			f := opera.Fault{Kind: opera.Cut, On: opera.OnPosting, Count: 1, At: int64(draw(260)), Reset: draw(2) == 0}
			if f.Dir = opera.In; draw(2) == 0 {
				f.Dir = opera.Out
			}
			if err := h.sim.Inject(f); err != nil {
				t.Error(err)
				return
			}
			cuts.Add(1)
		}
	})
	chaos.Go(func() {
		for i := range crashes {
			for placed.Load() < amount*int64(i+1)/int64(crashes+1) {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
			h.crash(&running)
		}
	})
	for range terminals {
		tills.Go(func() {
			for {
				n := placed.Add(1)
				if n > amount {
					return
				}
				for tries := 0; ; tries++ {
					running.RLock()
					if h.s.gate() == "" || tries > 20_000 {
						break
					}
					running.RUnlock()
					time.Sleep(time.Millisecond)
				}
				s := h.s
				g := file.Guests[int(n)%len(file.Guests)]
				r := Request{Room: g.Room, Reservation: g.Reservation, Guest: g.Name, Amount: new(100 + n%900), Currency: "EUR", Check: strconv.FormatInt(n, 10), Queue: n%40 == 0}
				running.RUnlock()
				// A crash in the middle gives an error, and a posting that the next program finds.
				_, _, _ = s.Place(t.Context(), till, fmt.Sprint("key ", n), Order{Request: r, Wait: 1200 * time.Millisecond})
			}
		})
	}
	tills.Wait()
	close(done)
	chaos.Wait()
	if err := h.sim.Lift(opera.Cut); err != nil {
		t.Fatal(err)
	}
	h.wait("the link", func() bool { return h.s.gate() == "" })
	// Retries of the queue come when the clock says so.
	end := time.Now().Add(2 * time.Minute)
	for {
		open, err := h.s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if open[Queued]+open[Inquiring]+open[Sending] == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("still open: %v", open)
		}
		h.set(h.now().Add(10 * time.Minute))
		h.s.stir()
		time.Sleep(20 * time.Millisecond)
	}
	h.wait("late answers", func() bool {
		for _, x := range h.sim.Exchanges(0) {
			if x.Fate == opera.Open {
				return false
			}
		}
		return true
	})
	// The journal has what came with them.
	if err := h.journal.Insist(t.Context(), nothing); err != nil {
		t.Fatal(err)
	}
	h.judge(t, amount, cuts.Load())
}

// judge holds what the box shows against what the hotel has.
func (h *house) judge(t *testing.T, amount, cuts int64) {
	booked := map[string]int{}
	for _, b := range h.ledger() {
		booked[b.Check]++
		if b.Repeat {
			t.Errorf("P# %d was booked twice", b.Number)
		}
	}
	exchanges := map[int64]opera.Exchange{}
	for _, x := range h.sim.Exchanges(0) {
		if x.On != opera.OnPosting {
			continue
		}
		if _, twice := exchanges[x.Number]; twice {
			t.Errorf("P# %d went over the line twice", x.Number)
		}
		exchanges[x.Number] = x
	}
	rows, err := h.journal.Read().Query(`SELECT ` + postingColumns + ` FROM postings ORDER BY key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	count, reasons := map[string]int{}, map[string]int{}
	late, retried := 0, 0
	for rows.Next() {
		p, err := scanPosting(rows.Scan)
		if err != nil {
			t.Fatal(err)
		}
		count[p.State]++
		if p.State == Refused {
			reasons[p.Reason]++
		}
		sent := 0
		crashed := strings.Contains(p.log, "the box was restarted")
		for _, step := range trail.Parse(p.log) {
			if step.Event == Sending {
				sent++
			}
		}
		if sent != p.Attempts {
			t.Errorf("check %s: %d attempts, %d on its time line", p.Check, p.Attempts, sent)
		}
		if sent > 1 {
			retried++
			if !p.Queue {
				t.Errorf("check %s was sent %d times though somebody waited", p.Check, sent)
			}
		}
		if p.Resolution != nil {
			late++
		}
		x, reached := exchanges[p.Number]
		switch n := booked[p.Check]; {
		case p.State == Posted && n != 1:
			t.Errorf("check %s is posted and booked %d times\n%s", p.Check, n, p.log)
		case p.State == Refused && n != 0:
			t.Errorf("check %s is refused and booked; %+v; %+v\n%s", p.Check, x, bookings(h, p.Check), p.log)
		case n > 1:
			t.Errorf("check %s is %s and booked %d times\n%s", p.Check, p.State, n, p.log)
		case p.State == Unknown && reached && x.Fate == opera.Answered && len(x.Faults) == 0 && !crashed && cuts == 0:
			t.Errorf("check %s is unknown though its answer was sent whole on a link that lived: %+v\n%s", p.Check, x, p.log)
		case p.State == Unknown && reached && x.Fate == opera.Answered && len(x.Faults) == 0 && !crashed && strings.Contains(p.log, "in time"):
			t.Errorf("check %s is unknown for want of an answer that was sent: %+v\n%s", p.Check, x, p.log)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v, refused for %v, %d retried, %d ended by a late answer, %d cuts, %d booked", count, reasons, retried, late, cuts, len(h.ledger()))
	if count[Posted] < int(amount)/5 || count[Unknown] == 0 || count[Refused] == 0 || amount >= 5000 && (late == 0 || retried == 0) {
		t.Errorf("the faults did not all strike: %v, %d retried, %d late", count, retried, late)
	}
	for _, r := range h.sim.Remarks() {
		if r.Code != "" {
			t.Logf("the hotel remarks %d times %s: %s", r.Times, r.Code, r.Text)
		}
	}
}

// crash ends the program as a power cut would, as far as one process can: the journal takes nothing more, then all that
// runs is stopped, and a new program starts on what is on disk.
func (h *house) crash(running *sync.RWMutex) {
	running.Lock()
	defer running.Unlock()
	h.kill()
	h.start()
}

// memory is a folder without a disk below it, where there is one: the syncs of thousands of postings would measure it.
func memory(t *testing.T) string {
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "folio")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func bookings(h *house, check string) (list []opera.Posting) {
	for _, b := range h.ledger() {
		if b.Check == check {
			list = append(list, b)
		}
	}
	return list
}
