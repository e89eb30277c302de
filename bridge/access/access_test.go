package access

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A clock that the test owns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A bench is an Access with its journal, its tokens file and its clock.
type bench struct {
	*Access
	t       *testing.T
	journal *journal.Journal
	file    string
	clock   *clock
}

var kitchen = netip.MustParseAddr("192.168.1.20")

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, file: filepath.Join(t.TempDir(), "tokens"), clock: &clock{at: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)}}
	b.journal = journaltest.Open(t, journal.Config{Now: b.clock.now}, nil)
	b.restart()
	return b
}

// restart makes a new Access on the same journal and file.
func (b *bench) restart() {
	b.t.Helper()
	a, err := New(b.t.Context(), Config{Journal: b.journal, TokensFile: b.file, Now: b.clock.now,
		Screens:   func(name string) bool { return name == "grill" || name == "bar" },
		PINRounds: 10, Log: slog.New(slog.NewTextHandler(b.t.Output(), nil))})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Access = a
}

func (b *bench) add(name string, role Role) string {
	b.t.Helper()
	token, err := AddToken(b.file, name, role, b.clock.now())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.Reload(); err != nil {
		b.t.Fatal(err)
	}
	return token
}

func (b *bench) signIn(token string) string {
	b.t.Helper()
	cookie, _, err := b.SignIn(b.t.Context(), token, "", kitchen)
	if err != nil {
		b.t.Fatal(err)
	}
	return cookie
}

// pair makes a paired screen and gives its cookie.
func (b *bench) pair(screen string) string {
	b.t.Helper()
	code, err := b.AskPairing("tablet", kitchen)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.ApprovePairing(b.t.Context(), code.Code, screen, Principal{Name: "lea", Role: Manager}, kitchen); err != nil {
		b.t.Fatal(err)
	}
	cookie, got, err := b.ClaimPairing(b.t.Context(), code.Secret)
	if err != nil || got != screen {
		b.t.Fatalf("ClaimPairing = %q, %v, want screen %s", got, err, screen)
	}
	return cookie
}

// acts gives the audit log's acts with who did them, the newest first, once all that was put off is written.
func (b *bench) acts() []string {
	b.t.Helper()
	if err := b.journal.Write(b.t.Context(), func(*journal.Tx) error { return nil }); err != nil {
		b.t.Fatal(err)
	}
	log, err := b.AuditLog(b.t.Context(), 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var acts []string
	for _, e := range log {
		acts = append(acts, e.By+" "+e.Act)
	}
	return acts
}

func revoked(p Principal) bool {
	select {
	case <-p.Revoked():
		return true
	default:
		return false
	}
}

func TestBearer(t *testing.T) {
	b := newBench(t)
	token := b.add("otter", Aggregator)
	p, ok := b.Bearer(token)
	if !ok || p.Name != "otter" || p.Role != Aggregator || p.Via != ViaToken || p.Subject() != "token:otter" || p.Screen != "" {
		t.Errorf("Bearer = %+v, %v", p, ok)
	}
	for _, wrong := range []string{"", "x", token[:len(token)-1], token + "x", string(make([]byte, 10_000))} {
		if p, ok := b.Bearer(wrong); ok || p.Someone() {
			t.Errorf("Bearer(%q) = %+v", wrong, p)
		}
	}
}

func TestRemovedTokenEndsEverything(t *testing.T) {
	b := newBench(t)
	token, other := b.add("lea", Manager), b.add("max", Staff)
	cookie, kept := b.signIn(token), b.signIn(other)
	byToken, _ := b.Bearer(token)
	bySession, _ := b.Session(cookie)
	told := make(chan struct{})
	bySession.OnRevoked(func() { close(told) })
	if err := RemoveToken(b.file, "lea"); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(); err != nil {
		t.Fatal(err)
	}
	if !revoked(byToken) || !revoked(bySession) {
		t.Error("the principals do not know that their token is gone")
	}
	<-told
	if _, ok := b.Bearer(token); ok {
		t.Error("the removed token still works")
	}
	if _, ok := b.Session(cookie); ok {
		t.Error("the removed token's session still works")
	}
	if _, ok := b.Session(kept); !ok {
		t.Error("another token's session ended too")
	}
}

func TestTokensFileIsWatched(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	p, _ := b.Bearer(token)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	if err := RemoveToken(b.file, "lea"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Revoked():
	case <-time.After(time.Minute):
		t.Error("a running Access did not notice the removed token")
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestBrokenTokensFileKeepsFormerTokens(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	write(t, b.file, "lea chef\n")
	if err := b.Reload(); err == nil {
		t.Error("Reload took a broken file")
	}
	if _, ok := b.Bearer(token); !ok {
		t.Error("a broken file took the tokens away")
	}
	if _, err := New(t.Context(), Config{Journal: b.journal, TokensFile: b.file}); err == nil {
		t.Error("New took a broken file")
	}
}

func TestSessionLife(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	cookie := b.signIn(token)
	for range 5 { // use keeps it
		b.clock.pass(DefaultIdle - time.Minute)
		if _, ok := b.Session(cookie); !ok {
			t.Fatal("a session in use ended")
		}
	}
	p, _ := b.Session(cookie)
	b.clock.pass(DefaultIdle - time.Minute)
	p.Touch() // a stream's use counts too
	b.clock.pass(2 * time.Minute)
	if _, ok := b.Session(cookie); !ok {
		t.Fatal("a session whose stream runs ended")
	}
	b.clock.pass(DefaultIdle + time.Second)
	if _, ok := b.Session(cookie); ok {
		t.Error("a session survived its time")
	}
	b.expire()
	if !revoked(p) {
		t.Error("the ended session's streams do not know")
	}

	cookie = b.signIn(token)
	for range int(SessionLife/DefaultIdle) * 2 {
		b.clock.pass(DefaultIdle / 2)
		b.Session(cookie)
	}
	b.clock.pass(time.Minute)
	if _, ok := b.Session(cookie); ok {
		t.Error("a session outlived SessionLife")
	}
}

func TestSessionsOutliveRestart(t *testing.T) {
	b := newBench(t)
	lea, max := b.add("lea", Manager), b.add("max", Staff)
	mine, other, screen := b.signIn(lea), b.signIn(max), b.pair("grill")
	if err := RemoveToken(b.file, "max"); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if p, ok := b.Session(mine); !ok || p.Name != "lea" || p.Role != Manager || p.Via != ViaSession || p.Subject() != "token:lea" {
		t.Errorf("Session after restart = %+v, %v", p, ok)
	}
	if _, ok := b.Session(other); ok {
		t.Error("a session came back without its token")
	}
	if p, ok := b.Session(screen); !ok || p.Screen != "grill" || p.Role != Screen || p.Via != ViaPairing {
		t.Errorf("paired screen after restart = %+v, %v", p, ok)
	}
	b.clock.pass(DefaultIdle + time.Second)
	b.restart()
	if _, ok := b.Session(mine); ok {
		t.Error("a session that ran out came back")
	}
	if _, ok := b.Session(screen); !ok {
		t.Error("a paired screen ran out")
	}
}

func TestSignInMakesNewSession(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	first := b.signIn(token)
	second, _, err := b.SignIn(t.Context(), token, first, kitchen)
	if err != nil || second == first {
		t.Fatalf("SignIn = %q, %v", second, err)
	}
	if _, ok := b.Session(first); ok {
		t.Error("the browser's former session lives on")
	}
	planted := "planted-by-somebody-else-0123456789012345"
	third, _, err := b.SignIn(t.Context(), token, planted, kitchen)
	if err != nil || third == planted {
		t.Fatalf("SignIn = %q, %v", third, err)
	}
	if _, ok := b.Session(planted); ok {
		t.Error("a planted cookie became a session")
	}
	screen := b.pair("bar")
	if _, _, err := b.SignIn(t.Context(), token, screen, kitchen); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Session(screen); !ok {
		t.Error("signing in ended the browser's pairing")
	}
}

func TestSignOut(t *testing.T) {
	b := newBench(t)
	cookie := b.signIn(b.add("lea", Manager))
	p, _ := b.Session(cookie)
	for range 2 { // twice is once
		if err := b.SignOut(t.Context(), cookie); err != nil {
			t.Fatal(err)
		}
	}
	b.restart()
	if _, ok := b.Session(cookie); ok || !revoked(p) {
		t.Error("signed out and still in")
	}
	screen := b.pair("grill")
	if err := b.SignOut(t.Context(), screen); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Pairings(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("Pairings = %v, %v after the screen signed out", list, err)
	}
}

func TestWrongTokensAreLimited(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	var limit *LimitError
	refusals := 0
	for {
		_, _, err := b.SignIn(t.Context(), "aby_admin_guess", "", kitchen)
		if errors.As(err, &limit) {
			break
		}
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("SignIn = %v", err)
		}
		if refusals++; refusals > 100 {
			t.Fatal("wrong tokens are not limited")
		}
	}
	if limit.Wait <= 0 || limit.Wait > time.Minute {
		t.Errorf("Wait = %v", limit.Wait)
	}
	if _, _, err := b.SignIn(t.Context(), token, "", kitchen); !errors.As(err, &limit) {
		t.Errorf("SignIn from the limited address = %v, want a LimitError", err)
	}
	if _, _, err := b.SignIn(t.Context(), token, "", netip.MustParseAddr("192.168.1.21")); err != nil {
		t.Errorf("SignIn from another address = %v", err)
	}
	b.clock.pass(limit.Wait)
	if _, _, err := b.SignIn(t.Context(), token, "", kitchen); err != nil {
		t.Errorf("SignIn after the wait = %v", err)
	}
	seen := map[string]int{}
	for _, act := range b.acts() {
		seen[act]++
	}
	if seen["192.168.1.20 sign_in_refused"] != refusals || seen["lea signed_in"] != 2 {
		t.Errorf("audit log has %v, want %d refusals and 2 sign-ins", seen, refusals)
	}
}

func TestManyAddressesAreLimitedTogether(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	taken := 0
	for i := range 3000 {
		from := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		if _, _, err := b.SignIn(t.Context(), "guess", "", from); errors.Is(err, ErrRefused) {
			taken++
		}
	}
	if taken > 60 {
		t.Errorf("%d wrong tokens in one moment were looked at, want at most 60", taken)
	}
	if n := len(b.signIns.addresses); n > maxAddresses {
		t.Errorf("the limiter remembers %d addresses, want at most %d", n, maxAddresses)
	}
	if _, _, err := b.SignIn(t.Context(), token, "", kitchen); err != nil {
		t.Errorf("SignIn of somebody with a token = %v: strangers lock everybody out", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	b := newBench(t)
	token := b.add("lea", Manager)
	screen := b.pair("grill")
	first := b.signIn(token)
	second := b.signIn(token)
	b.clock.pass(time.Second)
	b.Session(second)
	var wg sync.WaitGroup
	for range 7 { // together they share commits
		wg.Go(func() {
			for range (MaxSessions - 1) / 7 {
				if _, _, err := b.SignIn(t.Context(), token, "", kitchen); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := b.count(func(s *session) bool { return s.pairing == 0 }); n != MaxSessions {
		t.Errorf("%d sessions, want %d", n, MaxSessions)
	}
	if _, ok := b.Session(first); ok {
		t.Error("the session unused for the longest time stayed")
	}
	if _, ok := b.Session(second); !ok {
		t.Error("a session in use ended")
	}
	if _, ok := b.Session(screen); !ok {
		t.Error("a screen ended for a person's session")
	}
}

func TestSubjectOfDemo(t *testing.T) {
	p := Principal{Name: "demo", Role: Admin, Via: ViaDemo}
	if p.Subject() != "demo:demo" || p.Revoked() != nil || !p.Someone() {
		t.Errorf("demo principal = %q, %v", p.Subject(), p.Revoked())
	}
	p.Touch()
	if !p.OnRevoked(func() { t.Error("called") })() {
		t.Error("stop = false")
	}
	if got := From(With(t.Context(), p)); got != p {
		t.Errorf("From = %+v", got)
	}
	if From(t.Context()).Someone() {
		t.Error("an empty context has somebody")
	}
}
