package access

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/journal"
)

var lea = Principal{Name: "lea", Role: Manager}

func TestPairing(t *testing.T) {
	b := newBench(t)
	code, err := b.AskPairing(" Tablet\n by the grill ", kitchen)
	if err != nil {
		t.Fatal(err)
	}
	if len(code.Code) != codeLength || strings.Trim(code.Code, codeLetters) != "" || !code.ExpiresAt.Equal(b.clock.now().Add(CodeLife)) {
		t.Errorf("AskPairing = %+v", code)
	}
	if _, _, err := b.ClaimPairing(t.Context(), code.Secret); !errors.Is(err, ErrPending) {
		t.Errorf("ClaimPairing before approval = %v, want ErrPending", err)
	}
	typed := strings.ToLower(code.Code[:2]) + " -" + code.Code[2:]
	if err := b.ApprovePairing(t.Context(), typed, "grill", lea, kitchen); err != nil {
		t.Fatalf("ApprovePairing(%q) = %v", typed, err)
	}
	if err := b.ApprovePairing(t.Context(), code.Code, "bar", lea, kitchen); !errors.Is(err, ErrGone) {
		t.Errorf("second ApprovePairing = %v, want ErrGone", err)
	}
	cookie, screen, err := b.ClaimPairing(t.Context(), code.Secret)
	if err != nil || screen != "grill" {
		t.Fatalf("ClaimPairing = %q, %v", screen, err)
	}
	if _, _, err := b.ClaimPairing(t.Context(), code.Secret); !errors.Is(err, ErrGone) {
		t.Errorf("second ClaimPairing = %v, want ErrGone", err)
	}
	p, ok := b.Session(cookie)
	if !ok || p.Name != "grill" || p.Screen != "grill" || p.Role != Screen || p.Via != ViaPairing {
		t.Fatalf("Session = %+v, %v", p, ok)
	}
	b.clock.pass(time.Hour)
	b.Session(cookie)
	list, err := b.Pairings(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("Pairings = %v, %v", list, err)
	}
	want := Pairing{ID: list[0].ID, Screen: "grill", Label: "Tablet by the grill", PairedAt: b.clock.now().Add(-time.Hour), LastSeen: b.clock.now()}
	if diff := cmp.Diff(want, list[0]); diff != "" {
		t.Errorf("Pairings (-want +got):\n%s", diff)
	}
	if p.Subject() != "pairing:"+list[0].ID.String() {
		t.Errorf("Subject = %q", p.Subject())
	}

	told := make(chan struct{})
	p.OnRevoked(func() { close(told) })
	if err := b.RevokePairing(t.Context(), list[0].ID, lea); err != nil {
		t.Fatal(err)
	}
	<-told
	if _, ok := b.Session(cookie); ok || !revoked(p) {
		t.Error("a revoked screen is still one")
	}
	if err := b.RevokePairing(t.Context(), list[0].ID, lea); !errors.Is(err, ErrGone) {
		t.Errorf("second RevokePairing = %v, want ErrGone", err)
	}
	if err := b.RevokePairing(t.Context(), journal.ID{}, lea); !errors.Is(err, ErrGone) {
		t.Errorf("RevokePairing of nothing = %v, want ErrGone", err)
	}
	b.restart()
	if _, ok := b.Session(cookie); ok {
		t.Error("a revoked screen came back with the restart")
	}
	wantActs := []string{"lea pairing_revoked", "grill paired", "lea pairing_approved", "lea pairing_refused"}
	got := b.acts()
	slices.Sort(wantActs)
	slices.Sort(got)
	if diff := cmp.Diff(wantActs, got); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestCodesRunOut(t *testing.T) {
	b := newBench(t)
	code, _ := b.AskPairing("", kitchen)
	approved, _ := b.AskPairing("", kitchen)
	if err := b.ApprovePairing(t.Context(), approved.Code, "grill", lea, kitchen); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(CodeLife)
	if err := b.ApprovePairing(t.Context(), code.Code, "grill", lea, kitchen); !errors.Is(err, ErrGone) {
		t.Errorf("ApprovePairing of an old code = %v, want ErrGone", err)
	}
	for _, c := range []Code{code, approved} {
		if _, _, err := b.ClaimPairing(t.Context(), c.Secret); !errors.Is(err, ErrGone) {
			t.Errorf("ClaimPairing of an old code = %v, want ErrGone", err)
		}
	}
	b.expire()
	if n := len(b.codes.open); n != 0 {
		t.Errorf("%d old codes are kept", n)
	}
}

func TestCodesAreBounded(t *testing.T) {
	b := newBench(t)
	var limit *LimitError
	for i := range maxCodesFrom + 1 {
		_, err := b.AskPairing("", kitchen)
		if got, want := errors.As(err, &limit), i == maxCodesFrom; got != want {
			t.Fatalf("AskPairing %d = %v", i, err)
		}
	}
	open := maxCodesFrom
	for i := range 100 {
		b.clock.pass(time.Second)
		if _, err := b.AskPairing("", netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})); err == nil {
			open++
		} else if !errors.As(err, &limit) {
			t.Fatal(err)
		}
	}
	if open != maxCodes || len(b.codes.open) != maxCodes {
		t.Errorf("%d codes are open, want %d", open, maxCodes)
	}
	b.clock.pass(CodeLife)
	if _, err := b.AskPairing("", kitchen); err != nil {
		t.Errorf("AskPairing after the old codes ran out = %v", err)
	}
}

func TestWrongCodesAreLimited(t *testing.T) {
	b := newBench(t)
	var limit *LimitError
	wrong := 0
	for ; wrong < 100; wrong++ {
		if err := b.ApprovePairing(t.Context(), "0000", "grill", lea, kitchen); errors.As(err, &limit) {
			break
		} else if !errors.Is(err, ErrGone) {
			t.Fatal(err)
		}
	}
	if wrong >= 100 {
		t.Error("wrong codes are not limited")
	}
	code, _ := b.AskPairing("", netip.MustParseAddr("10.0.0.1"))
	if err := b.ApprovePairing(t.Context(), code.Code, "grill", lea, kitchen); !errors.As(err, &limit) {
		t.Errorf("ApprovePairing after too many = %v, want a LimitError", err)
	}
	b.clock.pass(limit.Wait)
	if err := b.ApprovePairing(t.Context(), code.Code, "grill", lea, kitchen); err != nil {
		t.Errorf("ApprovePairing after the wait = %v", err)
	}
}

func TestUnknownScreen(t *testing.T) {
	b := newBench(t)
	code, _ := b.AskPairing("", kitchen)
	for _, screen := range []string{"", "oven", "grill/../bar"} {
		if err := b.ApprovePairing(t.Context(), code.Code, screen, lea, kitchen); !errors.Is(err, ErrUnknownScreen) {
			t.Errorf("ApprovePairing for %q = %v, want ErrUnknownScreen", screen, err)
		}
	}
	if err := b.ApprovePairing(t.Context(), code.Code, "bar", lea, kitchen); err != nil {
		t.Errorf("ApprovePairing after a wrong screen = %v", err)
	}
}

func TestOneClaimWins(t *testing.T) {
	b := newBench(t)
	code, _ := b.AskPairing("", kitchen)
	if err := b.ApprovePairing(t.Context(), code.Code, "grill", lea, kitchen); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for range cap(won) {
		wg.Go(func() {
			cookie, _, err := b.ClaimPairing(t.Context(), code.Secret)
			switch {
			case err == nil:
				won <- cookie
			case !errors.Is(err, ErrPending) && !errors.Is(err, ErrGone):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d claims of one code won", len(won))
	}
	if list, err := b.Pairings(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("Pairings = %v, %v", list, err)
	}
}

func TestPairingsAreBounded(t *testing.T) {
	b := newBench(t)
	for range MaxPairings {
		b.clock.pass(time.Minute)
		b.pair("grill")
	}
	b.clock.pass(time.Minute)
	code, _ := b.AskPairing("", kitchen)
	if err := b.ApprovePairing(t.Context(), code.Code, "bar", lea, kitchen); err != nil {
		t.Fatal(err)
	}
	var limit *LimitError
	if _, _, err := b.ClaimPairing(t.Context(), code.Secret); !errors.As(err, &limit) {
		t.Fatalf("ClaimPairing beyond the limit = %v, want a LimitError", err)
	}
	list, err := b.Pairings(t.Context())
	if err != nil || len(list) != MaxPairings {
		t.Fatalf("%d pairings, %v", len(list), err)
	}
	if err := b.RevokePairing(t.Context(), list[0].ID, lea); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.ClaimPairing(t.Context(), code.Secret); err != nil {
		t.Errorf("ClaimPairing after one was revoked = %v", err)
	}
}

func TestCodesDiffer(t *testing.T) {
	count := map[byte]int{}
	for range 2000 {
		for _, c := range []byte(newCode()) {
			count[c]++
		}
	}
	for _, c := range []byte(codeLetters) {
		if count[c] == 0 {
			t.Errorf("the letter %c never comes", c)
		}
	}
	if len(count) != len(codeLetters) {
		t.Errorf("%d letters, want %d", len(count), len(codeLetters))
	}
}
