package box

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/api"
	"aboyeur/bridge/delivery"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/order"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/reservation"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/kounta"
	"aboyeur/protocol/lightspeed"
	"aboyeur/protocol/rest"
)

// subscribeAgain is the pause between two tries to tell Lightspeed K where its notifications go.
const subscribeAgain = time.Minute

// otherPOS is the till that orders are handed to.
type otherPOS struct {
	b       *Box
	adapter pos.Adapter
	orders  *pos.Injections
	k       *lightspeed.Client // nil for another till
	kSeries *pos.KSeries
	secret  string // of notifications
	refused *pos.Refused

	mu     sync.Mutex // guards said
	said   map[item]time.Time
	tokens interface{ Close() }
}

// item is a word about an item: it is on sale, or not.
type item struct {
	sku string
	on  bool
}

// echoLife is how long a till may take to repeat what the box told it of an item; maxSaid bounds what is remembered of that.
const (
	echoLife = time.Minute
	maxSaid  = 256
)

// says remembers what the box is about to tell the till of an item.
func (p *otherPOS) says(sku string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, at := range p.said {
		if time.Since(at) > echoLife {
			delete(p.said, i)
		}
	}
	if p.said == nil {
		p.said = map[item]time.Time{}
	}
	if len(p.said) < maxSaid {
		p.said[item{sku, on}] = time.Now()
	}
}

// echo tells whether the till repeats what the box told it.
func (p *otherPOS) echo(sku string, on bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.said[item{sku, on}]
	delete(p.said, item{sku, on})
	return ok && time.Since(at) <= echoLife
}

var _ order.POS = (*otherPOS)(nil)

// buildPOS makes the link to a till that orders are handed to, where there is one. It starts nothing, and asks nobody.
func (b *Box) buildPOS() (err error) {
	if !b.c.POS.Other() {
		return nil
	}
	p := &otherPOS{b: b, refused: b.refusedOfTill()}
	if p.adapter, err = b.newTill(p); err != nil {
		return fmt.Errorf("link to %s: %w", b.c.POS.Kind, err)
	}
	c := pos.InjectionsConfig{Journal: b.journal, Till: p.adapter, Report: p.report, Down: p.down, Backoff: b.o.backoff, Now: b.o.Now, Log: b.log}
	if b.o.patience > 0 {
		c.Limit = b.o.patience
	}
	if p.orders, err = pos.NewInjections(c); err != nil {
		return err
	}
	if p.kSeries != nil {
		p.kSeries.Late(func(reference string, o pos.Opened, verdict error) {
			ctx, cancel := context.WithTimeout(context.Background(), Grace)
			defer cancel()
			if err := p.orders.Heard(ctx, reference, o, verdict); err != nil {
				b.log.Warn("the till's word of an order was lost; it is looked for", "err", err)
			}
		})
	}
	b.pos = p
	return nil
}

// refusedOfTill keeps what is refused of the till's messages.
func (b *Box) refusedOfTill() *pos.Refused {
	return &pos.Refused{Journal: b.journal, Till: b.c.POS.Kind, Title: tillTitle(b.c.POS.Kind), Now: b.now}
}

func tillTitle(kind string) string {
	switch kind {
	case firmwareconfig.KindLightspeedK:
		return "Lightspeed K"
	case firmwareconfig.KindLightspeedO:
		return "Lightspeed O"
	case firmwareconfig.KindBepoz:
		return "Bepoz"
	}
	return kind
}

// posHooks has orders handed to the other till. What the till does not know is refused in the order's own transaction, and
// named.
func (b *Box) posHooks(c *order.Config) {
	if b.pos == nil {
		return
	}
	c.POS = b.pos
	before := c.Refuse
	c.Refuse = func(tx *journal.Tx, o sale.Placed) (*order.Refusal, error) {
		if before != nil {
			if no, err := before(tx, o); no != nil || err != nil {
				return no, err
			}
		}
		if b.deliveries != nil && b.deliveries.Serves(o.Source) { // its links were asked
			return nil, nil
		}
		return b.pos.unlinked(o), nil
	}
}

// newTill makes the adapter of the configured till.
func (b *Box) newTill(p *otherPOS) (pos.Adapter, error) {
	c := &b.c.POS
	credentials, err := readCredentials(c.CredentialsFile)
	if err != nil {
		return nil, err
	}
	if c.WebhookSecretFile != "" {
		secret, err := os.ReadFile(c.WebhookSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the secret of its notifications: %w", err)
		}
		p.secret = string(bytes.TrimSpace(secret))
	}
	cloud := rest.Config{Now: b.o.Now, Retry: rest.Retry{Attempts: 1}} // the queue repeats
	currency := b.c.Site.Currency.Code
	switch c.Kind {
	case firmwareconfig.KindLightspeedK:
		tokens, err := b.kTokens(p, credentials, cloud)
		if err != nil {
			return nil, err
		}
		p.k, err = lightspeed.New(lightspeed.Config{Base: c.BaseURL, Location: c.Location, Endpoint: c.Endpoint, Currency: currency, Tokens: tokens, Delivery: lightspeed.MinDelivery, HTTP: cloud})
		if err != nil {
			return nil, err
		}
		p.kSeries = pos.NewKSeries(p.k, c.Location, currency, b.o.answer)
		return p.kSeries, nil
	case firmwareconfig.KindLightspeedO:
		tokens := rest.Bearer(credentials.Token)
		if credentials.ClientID != "" {
			tokens = rest.Basic(credentials.ClientID, credentials.ClientSecret)
		}
		company, site, _ := strings.Cut(c.Location, "/")
		client, err := kounta.New(kounta.Config{Base: c.BaseURL, Company: company, Site: site, Currency: currency, Tokens: tokens, HTTP: cloud, Creates: 1})
		if err != nil {
			return nil, err
		}
		return pos.NewOSeries(client, site, currency, strings.ToUpper(c.Status)), nil
	}
	return nil, errors.New("this version of aboyeur cannot hand orders to it")
}

// kTokens are the access tokens: those of a merchant's consent, or one that does not end, as simulated tills take.
func (b *Box) kTokens(p *otherPOS, credentials booking.Credentials, cloud rest.Config) (rest.TokenSource, error) {
	if credentials.ClientID == "" {
		return rest.Bearer(credentials.Token), nil
	}
	cloud.Base = cmp.Or(b.c.POS.BaseURL, lightspeed.Host)
	kept := refreshed{filepath.Join(b.c.Data.Dir, "lightspeed-k.token"), credentials.Token}
	token, err := kept.read()
	if err != nil {
		return nil, err
	}
	t, err := lightspeed.NewTokens(lightspeed.Refresh{ID: credentials.ClientID, Secret: credentials.ClientSecret, Token: token, Save: kept.save, HTTP: cloud})
	if err != nil {
		return nil, err
	}
	p.tokens = t
	return t, nil
}

// refreshed keeps the refresh token that replaced the configured one: that has ended.
type refreshed struct{ path, configured string }

// read gives the token to use. One that was kept for another configured token is of the past.
func (r refreshed) read() (string, error) {
	b, err := os.ReadFile(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return r.configured, nil
	}
	if err != nil {
		return "", fmt.Errorf("read the token that Lightspeed gave: %w", err)
	}
	of, token, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if of != r.name() || token == "" {
		return r.configured, nil
	}
	return token, nil
}

func (r refreshed) name() string {
	sum := sha256.Sum256([]byte(r.configured))
	return hex.EncodeToString(sum[:8])
}

// save keeps a token; power may go at any instant.
func (r refreshed) save(token string) error {
	f, err := os.OpenFile(r.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("keep the token that Lightspeed gave: %w", err)
	}
	_, err = f.WriteString(r.name() + " " + token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(r.path+".new", r.path)
	}
	if err != nil {
		return fmt.Errorf("keep the token that Lightspeed gave: %w", err)
	}
	return nil
}

// readCredentials reads a credentials file; "": there is none.
func readCredentials(path string) (c booking.Credentials, err error) {
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the credentials: %w", err)
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&c); err != nil {
		return c, fmt.Errorf("%s is not YAML with client_id, client_secret, scope, username, password and token alone", path) // without the cause, which would quote it
	}
	return c, nil
}

// close gives the connections back.
func (p *otherPOS) close() {
	if p == nil {
		return
	}
	p.adapter.Close()
	if p.tokens != nil {
		p.tokens.Close()
	}
}

// terms are what an order needs to stand at the till.
func (p *otherPOS) terms(tx *journal.Tx, o sale.Placed) (t pos.Terms, deadline time.Time, err error) {
	c := &p.b.c.POS
	t = pos.Terms{
		Reference: pos.Reference(o.Partner.Name, o.Partner.OrderID, o.Source+"/"+o.SourceOrderID), OpenItems: c.Inject == firmwareconfig.InjectOpenItem, OpenItem: c.OpenItem,
		Profile: c.Profile, Staff: c.Staff, Allergy: p.b.health.words.T("paper.allergy") + ":",
	}
	slug := strings.ToLower(strings.ReplaceAll(o.Partner.Name, " ", ""))
	if p.b.deliveries != nil {
		h, ours, err := p.b.deliveries.Handover(tx, o.ID)
		if err != nil {
			return t, deadline, err
		}
		if ours {
			p.delivered(&t, &h)
			return t, h.Until, nil
		}
	}
	if len(o.Payments) > 0 {
		t.Method = p.method(slug, o.Payments[0].Method)
	}
	return t, deadline, nil
}

// delivered adds what an aggregator said: its fees as items, the discount that the restaurant bears, and the payment of what
// was paid online. A courier's tip, taxes and what the marketplace gives away stay out (spec/delivery.md 7).
func (p *otherPOS) delivered(t *pos.Terms, h *delivery.Handover) {
	o := &h.Order
	t.Reference, t.POS, t.OpenItems, t.Tip = h.Reference, h.POS, h.OpenItems, h.Tip
	for _, f := range []struct {
		name   string
		amount int64
	}{{"delivery_fee", o.Charges.DeliveryFee}, {"service_fee", o.Charges.ServiceFee}, {"small_order_fee", o.Charges.SmallOrderFee}, {"packaging_fee", o.Charges.PackagingFee}, {"bag_fee", o.Charges.BagFee}} {
		if sku := h.Fees[f.name]; sku != "" {
			t.Fees = append(t.Fees, pos.Fee{SKU: sku, Name: p.b.health.words.T("pos.fee." + f.name), Amount: f.amount})
		}
	}
	t.Discount = pos.Discount{Code: h.Discount, Amount: o.Charges.Discount}
	paid := len(o.Payments) > 0
	for _, x := range o.Payments {
		paid = paid && !x.Collect
	}
	if paid {
		if t.Method = h.Method; t.Method == "" {
			t.Method = p.method(o.Slug, o.Payments[0].Method)
		}
	}
}

// method is the till's for a payment: by the first of the names that it has one for, else its default; "" leaves it open.
func (p *otherPOS) method(names ...string) string {
	for _, n := range append(names, "default") {
		if m := p.b.c.POS.Payments[n]; m != "" {
			return m
		}
	}
	return ""
}

// Put queues an order for the till.
func (p *otherPOS) Put(tx *journal.Tx, o sale.Placed) error {
	t, deadline, err := p.terms(tx, o)
	if err != nil {
		return err
	}
	j := pos.Job{ID: o.ID, Reference: t.Reference, Deadline: deadline}
	j.Order, _ = pos.Compose(o.Order, t)
	if j.Order.Table != "" {
		j.Lane = j.Order.Table // a table's orders come in their order
	}
	return p.orders.Put(tx, j)
}

// Change changes an order that has not left yet.
func (p *otherPOS) Change(tx *journal.Tx, o sale.Placed) (taken bool, err error) {
	t, _, err := p.terms(tx, o)
	if err != nil {
		return false, err
	}
	changed, _ := pos.Compose(o.Order, t)
	return p.orders.Change(tx, o.ID, changed)
}

// Withdraw ends the attempts for an order.
func (p *otherPOS) Withdraw(tx *journal.Tx, id journal.ID) (under bool, err error) {
	return p.orders.Withdraw(tx, id)
}

// unlinked names what the till does not know of an order whose source is no aggregator; under open_item it goes in all the same.
func (p *otherPOS) unlinked(o sale.Placed) *order.Refusal {
	c := &p.b.c.POS
	if _, names := pos.Compose(o.Order, pos.Terms{OpenItems: c.Inject == firmwareconfig.InjectOpenItem, OpenItem: c.OpenItem}); len(names) > 0 {
		return &order.Refusal{Cause: order.ItemMappingFailed, Names: names}
	}
	return nil
}

// report tells orders what became of one at the till.
func (p *otherPOS) report(tx *journal.Tx, id journal.ID, o pos.Outcome) error {
	h := order.Handed{Cause: o.Code, Detail: o.Detail, Attempts: o.Attempts, NextAt: o.NextAt, ID: o.ID, Total: o.Total}
	switch o.State {
	case pos.In:
		h.InPOS = order.Yes
	case pos.Pending:
		h.InPOS = order.Pending
	default:
		h.InPOS = order.No
	}
	switch o.Code { // in the words of spec/delivery.md 5.6
	case "":
	case pos.Unlinked:
		h.Cause = order.ItemMappingFailed
	case pos.TooOld:
		h.Cause = "ORDER_TOO_OLD"
	case pos.Validation, pos.InvalidTable, pos.TableUnavailable, pos.StaffUnknown, pos.ProfileUnknown:
		h.Cause = "UNKNOWN_ORDER_ISSUE"
	default:
		h.Cause = "INTEGRATION_ERROR"
	}
	return p.b.orders.Injected(tx, id, h)
}

// down warns of a till that takes no orders.
func (p *otherPOS) down(code, detail string) {
	p.b.health.raise(code != "", "pos_down", warning.Critical, p.b.c.POS.Kind, detail)
}

// subscribe tells Lightspeed K where its notifications go, until it knows.
func (p *otherPOS) subscribe(ctx context.Context) error {
	at := strings.TrimSuffix(p.b.c.HTTP.PublicURL, "/") + "/webhooks/lightspeed"
	for {
		err := p.k.Subscribe(ctx, at, p.b.c.POS.User, p.secret)
		if err == nil {
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		p.b.log.Warn("Lightspeed was not told where its notifications go", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(subscribeAgain):
		}
	}
}

// routes are how the hand-over stands, and where a till's notifications come.
func (p *otherPOS) routes() []api.Route {
	var mirrored func(context.Context) (pos.MirrorStanding, error)
	if p.b.mirror != nil {
		mirrored = p.b.mirror.Standing
	}
	routes := p.orders.Routes(p.b.c.POS.Kind, p.b.c.POS.Location, mirrored)
	if p.k == nil {
		return routes
	}
	return append(routes, api.Route{Method: "POST", Path: "/webhooks/lightspeed", Tags: []string{"webhooks"}, Summary: "Notifications of Lightspeed K", Status: http.StatusNoContent,
		Problems: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}, Admit: true, Handle: p.notified})
}

// notified takes a notification. What it says of an order is on disk when it is answered, unless an attempt under way waits for
// it: that looks for the order when the box goes down now.
func (p *otherPOS) notified(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxBody))
	if err != nil {
		return p.refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is larger than 1 MiB, or broke off", "", nil)
	}
	n, err := p.k.Read(booking.Message{Header: r.Header, Path: r.URL.Path, Body: body, Remote: r.RemoteAddr}, p.b.c.POS.User, p.secret)
	about := cmp.Or(n.Reference, n.PaymentReference, n.AccountID, n.SKU)
	var wrong *booking.Malformed
	switch {
	case err == nil:
	case errors.Is(err, booking.ErrSignature):
		p.b.health.raise(true, "pos_signature", warning.Warn, p.b.c.POS.Kind, p.refused.Title)
		return p.refuse(http.StatusUnauthorized, "credentials", "the notification does not say user and password of this box", "", nil)
	case errors.Is(err, booking.ErrVenue):
		return p.refuse(http.StatusNotFound, "location", fmt.Sprintf("the notification is of another business location, %.40q", n.Location), about, body)
	case errors.As(err, &wrong):
		return p.refuse(http.StatusUnprocessableEntity, "", "the notification makes no sense: "+err.Error(), about, body)
	default:
		return err
	}
	p.b.health.raise(false, "pos_signature", "", p.b.c.POS.Kind)
	p.kSeries.Heard(n)
	if err := p.b.checkTold(r.Context(), n); err != nil {
		return err
	}
	if err := p.b.itemTold(r.Context(), n); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// refuse answers a notification that is not taken, and keeps why.
func (p *otherPOS) refuse(status int, code, detail, about string, body []byte) error {
	p.refused.Note(status, detail, about, body)
	return &api.Problem{Status: status, Code: code, Detail: detail}
}

// reservations is the till as reservations open their checks at it; nil where checks are the box's own.
func (p *otherPOS) reservations() reservation.Till {
	if p == nil || p.kSeries == nil || p.b.c.POS.Checks != firmwareconfig.ChecksPOS {
		return nil
	}
	return checksAtTill{p.kSeries}
}

// checksAtTill opens checks at a till.
type checksAtTill struct{ adapter pos.Adapter }

// Info tells which devices take orders. A till that does not name them counts as one.
func (c checksAtTill) Info(ctx context.Context) (reservation.TillInfo, error) {
	info, err := c.adapter.Info(ctx)
	if err != nil {
		return reservation.TillInfo{}, err
	}
	var t reservation.TillInfo
	for _, d := range info.Devices {
		t.Devices = append(t.Devices, reservation.Device{Name: d, Active: info.Open})
	}
	if len(t.Devices) == 0 {
		t.Devices = []reservation.Device{{Active: info.Open}}
	}
	return t, nil
}

// Find looks for a check by our reference.
func (c checksAtTill) Find(ctx context.Context, reference string) (reservation.Opened, bool, error) {
	o, ok, err := c.adapter.Find(ctx, pos.Look{Reference: reference})
	return reservation.Opened{ID: o.ID}, ok, err
}

// Open opens a check. What passes is tried again by whoever asks.
func (c checksAtTill) Open(ctx context.Context, reference string, o reservation.Opening) (reservation.Opened, error) {
	if len(o.Tables) == 0 {
		return reservation.Opened{}, &reservation.TillError{Problem: reservation.NoTable}
	}
	opened, err := c.adapter.OpenCheck(ctx, pos.Opening{Reference: reference, Table: o.Tables[0], Covers: o.Covers, Guest: o.Guest, Notes: o.Notes, Profile: o.Profile, Staff: o.Staff})
	var no *pos.Refusal
	if errors.As(err, &no) && !no.Passes() {
		problem := reservation.POSRejected
		switch no.Code {
		case pos.TableUnavailable:
			problem = reservation.TableUnavailable
		case pos.InvalidTable:
			problem = reservation.InvalidTable
		case pos.StaffUnknown:
			problem = reservation.StaffUnknown
		}
		return reservation.Opened{}, &reservation.TillError{Problem: problem, Detail: no.Detail}
	}
	return reservation.Opened{ID: opened.ID}, err
}
