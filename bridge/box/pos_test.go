package box

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/simulate/bookings"
	"aboyeur/simulate/dinner"
	simkounta "aboyeur/simulate/kounta"
	simlightspeed "aboyeur/simulate/lightspeed"
)

// serveTill runs a simulated till on a real socket.
func serveTill(t *testing.T, s interface {
	Serve(context.Context, net.Listener) error
}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return "http://" + l.Addr().String()
}

// posFiles writes credentials and secret of a till.
func posFiles(t *testing.T, token, secret string) (credentials, hook string) {
	t.Helper()
	dir := t.TempDir()
	credentials, hook = filepath.Join(dir, "pos.yaml"), filepath.Join(dir, "pos.secret")
	for path, text := range map[string]string{credentials: "token: " + token + "\n", hook: secret + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return credentials, hook
}

// lightspeedK links a box to a simulated K-Series till.
func lightspeedK(t *testing.T, c *firmwareconfig.Config) *simlightspeed.Simulator {
	t.Helper()
	sim, err := simlightspeed.New(simlightspeed.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Simulator.Close)
	credentials, hook := posFiles(t, simlightspeed.DefaultToken, simlightspeed.DefaultPassword)
	c.POS = firmwareconfig.POS{Kind: firmwareconfig.KindLightspeedK, Location: simlightspeed.DefaultLocation, BaseURL: serveTill(t, sim), CredentialsFile: credentials, WebhookSecretFile: hook,
		Endpoint: "aboyeur", User: simlightspeed.DefaultUser, Inject: firmwareconfig.InjectStrict, Payments: map[string]string{"ubereats": "UBER", "default": "CARD"}}
	c.HTTP.PublicURL = "http://" + c.HTTP.Listen
	return sim
}

func quickPOS(o *Options) {
	o.backoff = []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond}
	o.answer = 2 * time.Second
}

// dish is an order of one dish.
func dish(source, id, sku string) dinner.Order {
	return dinner.Order{Source: source, SourceOrderID: id, Service: "delivery", Currency: "EUR", Partner: dinner.Partner{Name: "Uber Eats", OrderID: "8F3A2"}, Notes: "Sonner",
		Lines: []dinner.Line{{SKU: sku, Name: "Bœuf", Category: "Grill", Quantity: 2, Price: 1250, Notes: "saignant"}}, Payments: []dinner.Payment{{Method: "prepaid", Amount: 2500}}}
}

// An evening at a Lightspeed K till: orders reach it once with lines, prices, notes and payment, through an outage and a restart
// of the box; what it refuses stands as NO with its cause and the kitchen is told on paper; what somebody typed in goes nowhere.
func TestOrdersAtLightspeedK(t *testing.T) {
	r := newRig(t)
	sim := lightspeedK(t, r.config)
	r.config.Stations[1].Output = firmwareconfig.OutputPOS // the bar's tickets are the POS's
	r.change = quickPOS
	r.start()
	stands := func(id, inPOS string) {
		t.Helper()
		r.wait("order stands as "+inPOS, func() bool { return r.get(id).InPOS == inPOS })
	}
	first := r.place(dish("otter", "1", "MA-1"))
	stands(first.ID, "yes")
	at := sim.Orders()
	if len(at) != 1 || at[0].Note != "Uber Eats 8F3A2 | Sonner | 2 Bœuf: saignant" || at[0].Items[0].Price != 1250 || at[0].Items[0].Quantity != 2 || at[0].Total != 2500 || at[0].Method != "UBER" || at[0].Paid != 2500 ||
		!strings.HasPrefix(at[0].Reference, "UE8F3A2-") || r.get(first.ID).Injection.POSID != at[0].Account || *r.get(first.ID).Injection.POSTotal != 2500 {
		t.Errorf("at the till %+v, here %+v", at, r.get(first.ID).Injection)
	}
	r.done(first.ID)

	// The bar prints nothing that the till has, and by itself what it has not.
	drink := dish("otter", "2", "DR-1")
	drink.Lines[0].Category, drink.Lines[0].Name = "Drinks", "Spritz"
	second := r.place(drink)
	stands(second.ID, "yes")
	drink.SourceOrderID, drink.Lines[0].Name, drink.Lines[0].SKU = "3", "Bellini", "NONE"
	third := r.place(drink)
	stands(third.ID, "no")
	if i := r.get(third.ID).Injection; i.Cause != "ITEM_MAPPING_FAILED" || i.Detail != "ITEM_NOT_FOUND NONE" {
		t.Errorf("%+v", i)
	}
	r.wait("the fallback ticket is printed", func() bool { plain, _ := r.papers("bar", "Bellini"); return plain == 1 })
	if marked, _ := r.papers("bar", "NOT IN POS"); marked != 1 {
		t.Errorf("%d papers say that it is not in the POS", marked)
	}
	if plain, _ := r.papers("bar", "Spritz"); plain != 0 {
		t.Error("the box printed what the POS prints")
	}

	// A person tries again what the till refused: under another reference, since that one is used up.
	sim.Next("the kitchen is closed", simlightspeed.Refuse)
	fourth := r.place(dish("otter", "4", "MA-1"))
	stands(fourth.ID, "no")
	r.wait("the slip is printed", func() bool { marked, _ := r.papers("grill", "PAS EN CAISSE"); return marked == 1 })
	r.must(http.StatusOK, http.MethodPost, "/v1/orders/"+fourth.ID+"/retry", nil, nil)
	stands(fourth.ID, "yes")

	// The till is away: orders wait, one is typed in by hand, the box starts anew.
	if err := sim.Faults(bookings.Faults{Down: true}); err != nil {
		t.Fatal(err)
	}
	fifth, sixth := r.place(dish("otter", "5", "MA-1")), r.place(dish("otter", "6", "MA-1"))
	r.wait("it is tried again and again", func() bool { return r.get(fifth.ID).Injection.Attempts > 1 })
	r.must(http.StatusOK, http.MethodPost, "/v1/orders/"+sixth.ID+"/added-manually", nil, nil)
	var pos struct {
		Up      bool
		Kind    string
		Cause   string
		Waiting int
	}
	r.wait("one order waits for the till", func() bool {
		r.must(http.StatusOK, http.MethodGet, "/v1/pos/queue", nil, &pos)
		return pos.Waiting == 1
	})
	if pos.Up || pos.Kind != "lightspeed-k" || pos.Cause != "pos_offline" {
		t.Errorf("%+v", pos)
	}
	r.down()
	r.start()
	if err := sim.Faults(bookings.Faults{}); err != nil {
		t.Fatal(err)
	}
	var asked struct {
		Up, Open bool
		Devices  []string
	}
	r.must(http.StatusOK, http.MethodGet, "/v1/pos/queue?ask=true", nil, &asked)
	if !asked.Open || len(asked.Devices) != 2 {
		t.Errorf("asked, the till says %+v", asked)
	}
	var form struct{ Proof struct{ Code string } }
	r.must(http.StatusOK, http.MethodPost, "/v1/pos/verify", nil, &form)
	if form.Proof.Code != "proved" {
		t.Errorf("the link is %q", form.Proof.Code)
	}
	stands(fifth.ID, "yes")
	stands(sixth.ID, "manual")
	counts := map[string]int{}
	for _, o := range sim.Orders() {
		if o.Account != "" {
			counts[o.Reference]++
		}
	}
	if len(counts) != 4 {
		t.Errorf("at the till %v", counts)
	}

	// A notification without the password is nobody's.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+"/webhooks/lightspeed", strings.NewReader(`{"type":"ORDER","status":"SUCCESS","thirdPartyReference":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(simlightspeed.DefaultUser, "guessed")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a notification with another password: %d", answer.StatusCode)
	}

	// Its statistic groups are imported, and its set-up is proved by a call.
	var departments struct {
		Imports bool
		Groups  []struct{ Category, Value string }
	}
	r.must(http.StatusOK, http.MethodPost, "/v1/departments/import", nil, &departments)
	if !departments.Imports || len(departments.Groups) == 0 || departments.Groups[0].Value == "" {
		t.Errorf("imported %+v", departments)
	}
	var setup struct{ Proof struct{ Code string } }
	r.must(http.StatusOK, http.MethodPost, "/v1/pos/verify", nil, &setup)
	if setup.Proof.Code != "proved" {
		t.Errorf("the set-up is %+v", setup)
	}
}

// An order at a Lightspeed O till: made once though its answer is empty and lists lag, paid and complete.
func TestOrdersAtLightspeedO(t *testing.T) {
	r := newRig(t)
	sim, err := simkounta.New(bookings.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Simulator.Close)
	credentials, _ := posFiles(t, simkounta.Token, "x")
	r.config.POS = firmwareconfig.POS{Kind: firmwareconfig.KindLightspeedO, Location: simkounta.Company + "/" + simkounta.Site, BaseURL: serveTill(t, sim), CredentialsFile: credentials, Status: "accepted",
		Inject: firmwareconfig.InjectStrict, Payments: map[string]string{"default": "7"}}
	r.change = quickPOS
	r.start()
	o := r.place(dish("otter", "1", "9007199254740993"))
	r.wait("it is in", func() bool { return r.get(o.ID).InPOS == "yes" })
	if at := sim.Orders(); len(at) != 1 || at[0].Status != "COMPLETE" || string(at[0].Total) != "25.00" || sim.Notes()[at[0].Reference] != "Uber Eats 8F3A2 | Sonner | 2 Bœuf: saignant" {
		t.Errorf("%+v", at)
	}
	unlinked := r.place(dish("otter", "2", ""))
	r.wait("it is not", func() bool { return r.get(unlinked.ID).InPOS == "no" })
	if i := r.get(unlinked.ID).Injection; i.Cause != "ITEM_MAPPING_FAILED" || !strings.Contains(i.Detail, "Bœuf") {
		t.Errorf("%+v", i)
	}
}

// A party that sits opens its check at the till, with the reservation's id as its reference, at the first till that is active.
// What happens at that check reaches the platform: told by the till at once, asked for where the till told nothing, after the
// box was down too. A check that staff opened there becomes the party's.
func TestPartysCheckAtLightspeed(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	sim := lightspeedK(t, e.config)
	e.config.POS.Checks = firmwareconfig.ChecksPOS
	e.change = func(o *Options) { o.mirror, o.answer = time.Hour, 200*time.Millisecond }
	e.open()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	told := func(ref, want string) {
		t.Helper()
		e.wait(ref+" is told "+want, func() bool { return fmt.Sprint(e.told("opentable", ref)) == want })
	}
	e.seat("opentable", "R1", "7")
	row := e.state("R1", "open")
	at := sim.Orders()
	if len(at) != 1 || at[0].Table != "7" || at[0].Covers != 2 || at[0].Lines != 0 || at[0].Reference != row.ID {
		t.Fatalf("at the till %+v", at)
	}
	account := at[0].Account
	e.settled("opentable") // of what waits only the newest is told
	// Told at once.
	do(sim.Ring(account, "ST-1"))
	told("R1", "[seated appetizer]")
	do(sim.Ring(account, "DR-1", "MA-1", "DE-1"))
	told("R1", "[seated appetizer dessert]")
	do(sim.Void(account, "DR-1"))
	e.wait("the void is here", func() bool { return e.check(row.Checks[0]).Total == 3*simlightspeed.Price })
	do(sim.Take(account, "CARD", 1000))
	do(sim.CloseCheck(account))
	told("R1", "[seated appetizer dessert paid]")
	if c := e.check(row.Checks[0]); c.State != "closed" || c.Balance != 0 || c.Paid != 3000 || len(e.openChecks()) != 0 {
		t.Errorf("the check is %+v", c)
	}
	// A waiter opens one at the till, of which the box hears nothing; the party that sits there then has it.
	sim.Deaf(true)
	waiters, err := sim.Seat(5, 2)
	do(err)
	e.seat("opentable", "R2", "5")
	if row := e.state("R2", "failed"); row.Problem != "table_unavailable" {
		t.Errorf("at a table that the till has taken: %+v", row)
	}
	e.seat("opentable", "R3", "3")
	third := e.state("R3", "open").Checks[0]
	account = sim.Orders()[len(sim.Orders())-1].Account
	e.settled("opentable")
	// Nothing is told any more, and the box goes down; what it missed it asks for.
	do(sim.Ring(account, "ST-1"))
	e.down()
	do(sim.Ring(account, "MA-1"))
	do(sim.Ring(waiters, "ST-1"))
	e.change = func(o *Options) { o.mirror = 50 * time.Millisecond }
	e.open()
	told("R3", "[seated entree]")
	told("R2", "[appetizer]") // the newest that waits is told
	if row := e.state("R2", "open"); row.Origin != "manual_match" || row.Problem != "" {
		t.Errorf("the check that the waiter opened: %+v", row)
	}
	do(sim.Move(account, 7))
	e.wait("it has moved", func() bool { return slices.Equal(e.check(third).Tables, []string{"7"}) })
	// The till is away for a while: then it is asked again.
	do(sim.Faults(bookings.Faults{Down: true}))
	do(sim.Ring(account, "DE-1"))
	e.wait("it is known that it is away", func() bool {
		var q struct{ Checks struct{ Fault string } }
		e.do(http.MethodGet, "/v1/pos/queue", nil, &q)
		return q.Checks.Fault != ""
	})
	do(sim.Faults(bookings.Faults{}))
	told("R3", "[seated entree dessert]")
	do(sim.CloseCheck(account))
	told("R3", "[seated entree dessert paid]")
	sim.Forget(waiters)
	e.wait("the one that the till forgot has ended", func() bool { return len(e.openChecks()) == 0 })
	if got := fmt.Sprint(e.told("opentable", "R2")); got != "[appetizer]" {
		t.Errorf("told %s of a check that was never paid", got)
	}
}
