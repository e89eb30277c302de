package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
)

var boss = Principal{Name: "camille", Role: Manager, Via: ViaSession}

func TestCheckPIN(t *testing.T) {
	for _, c := range []struct {
		pin  string
		role Role
		ok   bool
	}{
		{"4729", Staff, true}, {"472", Staff, false}, {"4729", Manager, false}, {"472918", Manager, true},
		{"1234", Staff, false}, {"9876", Staff, false}, {"7890", Staff, false}, {"2109", Staff, false}, {"5555", Staff, false}, {"1243", Staff, true},
		{"47a9", Staff, false}, {"４７２９", Staff, false}, {"", Staff, false}, {"4729472947294", Staff, false}, {"472947294729", Staff, true},
	} {
		if err := CheckPIN(c.pin, c.role); (err == nil) != c.ok {
			t.Errorf("CheckPIN(%q, %s) = %v, want ok %v", c.pin, c.role, err, c.ok)
		}
	}
}

func TestPINHash(t *testing.T) {
	a, err := hashPIN("4729", 100)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hashPIN("4729", 100)
	if err != nil || a == b {
		t.Errorf("two hashes of one PIN: %q, %q, %v; want a salt to part them", a, b, err)
	}
	if strings.Contains(a, "4729$") || !rightPIN("4729", a) || !rightPIN("4729", b) || rightPIN("4728", a) || rightPIN("", a) {
		t.Errorf("hash %q fits the wrong PIN or not the right one", a)
	}
	for _, broken := range []string{"", "4729", "$$$", "pbkdf2-sha256$0$00$00", "pbkdf2-sha256$x$00$00", "pbkdf2-sha256$99999999999$00$00", strings.Replace(a, "sha256", "md5", 1), a[:len(a)-2]} {
		if rightPIN("4729", broken) {
			t.Errorf("a PIN fits %q, which is no hash", broken)
		}
	}
}

// person adds somebody and gives the id.
func (b *bench) person(name string, role Role, pin string) journal.ID {
	b.t.Helper()
	p, err := b.AddPerson(b.t.Context(), boss, name, role, pin)
	if err != nil {
		b.t.Fatal(err)
	}
	return p.ID
}

// screen pairs a browser and gives it as the API sees it.
func (b *bench) screen(name string) Principal {
	b.t.Helper()
	p, ok := b.Session(b.pair(name))
	if !ok {
		b.t.Fatal("the paired screen has no session")
	}
	return p
}

func (b *bench) enter(base Principal, id journal.ID, pin string) string {
	b.t.Helper()
	cookie, _, err := b.Enter(b.t.Context(), base, "", id, pin, kitchen)
	if err != nil {
		b.t.Fatal(err)
	}
	return cookie
}

func TestEnterByPIN(t *testing.T) {
	b := newBench(t)
	lea := b.person("Léa", Staff, "4729")
	grill, bar := b.screen("grill"), b.screen("bar")
	if _, _, err := b.Enter(t.Context(), grill, "", lea, "4728", kitchen); !errors.Is(err, ErrPIN) {
		t.Errorf("a wrong PIN: %v, want ErrPIN", err)
	}
	if _, _, err := b.Enter(t.Context(), grill, "", b.journal.NewID(), "4729", kitchen); !errors.Is(err, ErrPIN) {
		t.Errorf("nobody's id: %v, want ErrPIN", err)
	}
	for _, p := range []Principal{{}, {Name: "otter", Role: Aggregator, Via: ViaToken}} {
		if _, _, err := b.Enter(t.Context(), p, "", lea, "4729", kitchen); !errors.Is(err, ErrNoBase) {
			t.Errorf("on %+v: %v, want ErrNoBase", p, err)
		}
	}
	cookie := b.enter(grill, lea, "4729")
	p, until, ok := b.Visit(cookie, grill, true)
	if !ok || p.Name != "Léa" || p.Role != Staff || p.Screen != "grill" || p.Via != ViaPIN || p.Subject() != grill.Subject() {
		t.Errorf("the visit is %+v (%v)", p, ok)
	}
	if want := b.clock.now().Add(DefaultVisitIdle); !until.Equal(want) {
		t.Errorf("it ends at %v, want %v", until, want)
	}
	if _, _, ok := b.Visit(cookie, bar, true); ok {
		t.Error("the cookie counts on another browser")
	}
	if _, _, err := b.Enter(t.Context(), p, "", lea, "4729", kitchen); !errors.Is(err, ErrNoBase) {
		t.Errorf("a PIN on top of a PIN: %v, want ErrNoBase", err)
	}
	// Reading does not keep a visit, doing does.
	b.clock.pass(3 * time.Minute)
	b.Visit(cookie, grill, false)
	b.clock.pass(3 * time.Minute)
	if _, _, ok := b.Visit(cookie, grill, false); ok {
		t.Error("a page that only asks kept the visit")
	}
	cookie = b.enter(grill, lea, "4729")
	for range 120 { // ten hours of work
		b.clock.pass(DefaultVisitIdle - time.Second)
		if _, _, ok = b.Visit(cookie, grill, true); !ok {
			break
		}
	}
	b.clock.pass(3 * time.Minute)
	if _, _, ok := b.Visit(cookie, grill, true); ok {
		t.Error("the visit outlived its longest life")
	}
	if got := b.acts(); !slices.Contains(got, "Léa entered_by_pin") || !slices.Contains(got, "grill pin_refused") || !slices.Contains(got, "camille person_added") {
		t.Errorf("audit log %v", got)
	}
}

func TestVisitEnds(t *testing.T) {
	b := newBench(t)
	lea, max := b.person("Léa", Staff, "4729"), b.person("Max", Manager, "472918")
	grill := b.screen("grill")
	for name, end := range map[string]func(cookie string){
		"left":         func(c string) { b.Leave(c) },
		"another came": func(c string) { _, _, _ = b.Enter(t.Context(), grill, c, max, "472918", kitchen) },
		"a new PIN":    func(string) { _, _ = b.ChangePerson(t.Context(), boss, lea, "", "", "9263") },
		"ran out":      func(string) { b.clock.pass(time.Hour); b.expire() },
	} {
		cookie := b.enter(grill, lea, "4729")
		p, _, _ := b.Visit(cookie, grill, true)
		end(cookie)
		if _, _, ok := b.Visit(cookie, grill, true); ok {
			t.Errorf("%s: the visit goes on", name)
		}
		select {
		case <-p.Revoked():
		default:
			t.Errorf("%s: its streams go on", name)
		}
		if _, err := b.ChangePerson(t.Context(), boss, lea, "", "", "4729"); err != nil {
			t.Fatal(err)
		}
	}
	// The browser's own end takes the visit with it; the screen's stream lasts as the screen does.
	cookie := b.enter(grill, lea, "4729")
	p, _, _ := b.Visit(cookie, grill, true)
	if got, want := p.LastsAs(grill).Revoked(), grill.Revoked(); got != want {
		t.Error("LastsAs does not end with the browser")
	}
	list, err := b.Pairings(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v pairings, %v", list, err)
	}
	if err := b.RevokePairing(t.Context(), list[0].ID, boss); err != nil {
		t.Fatal(err)
	}
	<-p.Revoked()
	grill = b.screen("grill")
	cookie = b.enter(grill, lea, "4729")
	if err := b.RemovePerson(t.Context(), boss, lea); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := b.Visit(cookie, grill, true); ok {
		t.Error("a removed person's visit goes on")
	}
	if err := b.RemovePerson(t.Context(), boss, lea); !errors.Is(err, ErrGone) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestWrongPINsLock(t *testing.T) {
	b := newBench(t)
	lea := b.person("Léa", Staff, "4729")
	grill := b.screen("grill")
	try := func(pin string) error {
		b.clock.pass(7 * time.Second) // the address's own limit stays out of the way
		_, _, err := b.Enter(b.t.Context(), grill, "", lea, pin, kitchen)
		return err
	}
	locked := func(err error) time.Duration {
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Fatalf("%v, want a *LimitError", err)
		}
		return limit.Wait
	}
	for i := range freeTries - 1 {
		if err := try("0007"); !errors.Is(err, ErrPIN) {
			t.Fatalf("wrong PIN %d: %v, want ErrPIN", i+1, err)
		}
	}
	if got := locked(try("0007")); got != firstLock {
		t.Errorf("locked for %v, want %v", got, firstLock)
	}
	if got := locked(try("4729")); got > firstLock {
		t.Errorf("the right PIN opened the lock or lengthened it: %v", got)
	}
	b.restart() // pulling the plug does not help
	grill = b.screen("grill")
	locked(try("4729"))
	list, err := b.People(t.Context())
	if err != nil || len(list) != 1 || list[0].LockedUntil.IsZero() || list[0].Tries != freeTries {
		t.Errorf("people %+v, %v; want one who is locked", list, err)
	}
	b.clock.pass(firstLock)
	if got := locked(try("0007")); got != 2*firstLock {
		t.Errorf("the sixth wrong PIN locks for %v, want twice the first", got)
	}
	if _, err := b.ChangePerson(t.Context(), boss, lea, "", "", ""); err != nil { // a manager opens it
		t.Fatal(err)
	}
	if err := try("4729"); err != nil {
		t.Errorf("after a manager opened the lock: %v", err)
	}
	if lockFor(1000) != longestLock || lockFor(freeTries-1) != 0 {
		t.Errorf("locks %v and %v", lockFor(1000), lockFor(freeTries-1))
	}
	if got := b.acts(); !slices.Contains(got, "grill person_locked") {
		t.Errorf("audit log %v", got)
	}
}

// Whoever tries many PINs at the same moment gets as many looked at as one after the other.
func TestManyPINsAtOnce(t *testing.T) {
	b := newBench(t)
	lea := b.person("Léa", Staff, "4729")
	grill := b.screen("grill")
	var mu sync.Mutex
	var wrong int
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			_, _, err := b.Enter(context.Background(), grill, "", lea, fmt.Sprintf("%04d", 5000+i), kitchen)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, ErrPIN) {
				wrong++
			}
		})
	}
	all.Wait()
	list, err := b.People(t.Context())
	if err != nil || wrong >= freeTries || list[0].Tries > freeTries {
		t.Errorf("%d of 40 PINs were looked at, %d tries counted, %v; want fewer than %d", wrong, list[0].Tries, err, freeTries)
	}
}

func TestPeopleAreChecked(t *testing.T) {
	b := newBench(t)
	lea := b.person("Léa", Staff, "4729")
	b.person("Max", Staff, "4729") // two may have the same PIN: nobody is known by it alone
	member := func(err error) string {
		var f *FaultError
		if errors.As(err, &f) {
			return f.Member
		}
		return fmt.Sprint(err)
	}
	add := func(name string, role Role, pin string) error {
		_, err := b.AddPerson(t.Context(), boss, name, role, pin)
		return err
	}
	change := func(name string, role Role, pin string) error {
		_, err := b.ChangePerson(t.Context(), boss, lea, name, role, pin)
		return err
	}
	for want, err := range map[string]error{
		"name":                       add(" ", Staff, "4729"),
		"role":                       add("Zoé", Admin, "472918"),
		"pin":                        add("Zoé", Staff, ""),
		ErrPersonTaken.Error():       add("léa", Staff, "4729"),
		"pin ":                       change("", Manager, ""),
		"pin  ":                      change("", Manager, "4729"),
		"name ":                      change("a\x00b", "", ""),
		"role ":                      change("", Till, ""),
		ErrPersonTaken.Error() + " ": change("max", "", ""),
	} {
		if got := member(err); got != strings.TrimSpace(want) && !(strings.HasPrefix(want, ErrPersonTaken.Error()) && errors.Is(err, ErrPersonTaken)) {
			t.Errorf("%s: %v", want, err)
		}
	}
	p, err := b.ChangePerson(t.Context(), boss, lea, "Léa B.", Manager, "472918")
	if err != nil || p.Name != "Léa B." || p.Role != Manager {
		t.Errorf("changed to %+v, %v", p, err)
	}
	if _, err := b.ChangePerson(t.Context(), boss, b.journal.NewID(), "x", "", ""); !errors.Is(err, ErrGone) {
		t.Errorf("nobody was changed: %v", err)
	}
}
