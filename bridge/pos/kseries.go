package pos

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/lightspeed"
)

// Defaults of waiting for what a K-Series till says of an order.
const (
	DefaultAnswer = 30 * time.Second // for a notification, before the order is looked for
	tablesLife    = 5 * time.Minute  // how long the floor plan is believed
	maxNews       = 256              // references whose news came before anybody asked
	readyLife     = time.Minute      // how long it is believed that the till takes orders
)

// KSeries is a Lightspeed K till. An order is answered at once and brought to the till later: Inject waits for the
// notification of its reference, and looks for the order when none comes.
type KSeries struct {
	client   *lightspeed.Client
	answer   time.Duration
	loc      string
	currency string
	late     func(reference string, o Opened, err error) // hears what nobody waits for

	mu     sync.Mutex // guards what follows
	tables []lightspeed.Table
	read   time.Time
	waits  map[string]chan lightspeed.Notification // by reference; each holds one
	early  []lightspeed.Notification               // came before anybody waited, oldest first
	ready  time.Time                               // when the till was last known to take orders
}

var _ Adapter = (*KSeries)(nil)

// NewKSeries makes the adapter of a client. answer 0 means DefaultAnswer.
func NewKSeries(c *lightspeed.Client, location, currency string, answer time.Duration) *KSeries {
	if answer <= 0 {
		answer = DefaultAnswer
	}
	return &KSeries{client: c, answer: answer, loc: location, currency: currency, waits: map[string]chan lightspeed.Notification{}}
}

// Late has f hear what the till says of an order when nobody waits for it any more. Call it before the first notification; f
// must not block for long.
func (k *KSeries) Late(f func(reference string, o Opened, err error)) { k.late = f }

// Close ends idle connections.
func (k *KSeries) Close() { k.client.Close() }

// Heard takes a notification of the till. Those of no reference of ours are nobody's here.
func (k *KSeries) Heard(n lightspeed.Notification) {
	reference := n.Reference
	if n.PaymentReference != "" {
		reference = n.PaymentReference
	}
	if n.Type == lightspeed.TypeReady || n.Status == "READY" || n.Status == "NOT_READY" {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.ready = time.Time{}
		if n.Status == "READY" {
			k.ready = time.Now()
		}
		return
	}
	switch n.Status {
	case lightspeed.Success, lightspeed.Failure, lightspeed.Cancelled, lightspeed.Abandoned:
	default:
		return
	}
	if reference == "" {
		return
	}
	if k.keep(reference, n) && k.late != nil && n.Reference != "" {
		o, err := k.verdict(n)
		k.late(reference, o, err)
	}
}

// keep gives n to whoever waits for it; alone: nobody does.
func (k *KSeries) keep(reference string, n lightspeed.Notification) (alone bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.waits[reference]; ok {
		select {
		case c <- n:
		default: // said before
		}
		return false
	}
	if len(k.early) == maxNews {
		k.early = append(k.early[:0], k.early[1:]...)
	}
	k.early = append(k.early, n)
	return true
}

// verdict is what a notification of an order says became of it.
func (k *KSeries) verdict(n lightspeed.Notification) (Opened, error) {
	if n.Status != lightspeed.Success {
		code := Validation
		if strings.Contains(n.Reason, "ITEM_NOT_FOUND") {
			code = Unlinked
		}
		return Opened{}, &Refusal{Code: code, Detail: n.Reason, Spent: true}
	}
	o := Opened{ID: n.AccountID}
	if n.Account != nil {
		if o.ID == "" {
			o.ID = n.Account.ID()
		}
		if c, err := n.Account.Check(k.currency); err == nil {
			o.Total, o.Priced = c.Total, true
			if len(c.Tables) > 0 {
				o.Table = c.Tables[0]
			}
		}
	}
	return o, nil
}

// open asks whether the till takes orders, unless that was known a moment ago: an order sent to a till that is closed is lost
// with its reference.
func (k *KSeries) open(ctx context.Context) error {
	k.mu.Lock()
	fresh := time.Since(k.ready) < readyLife
	k.mu.Unlock()
	if fresh {
		return nil
	}
	r, err := k.client.Ready(ctx)
	switch {
	case err != nil:
		if no := certain(kName, err); no != nil {
			return no
		}
		return &Refusal{Code: Offline, Detail: kName + " does not tell how its till stands", Err: err}
	case !r.Ready:
		return &Refusal{Code: OfflineTill, Detail: "the till takes no orders now; open its sales period or look at its network"}
	}
	k.mu.Lock()
	k.ready = time.Now()
	k.mu.Unlock()
	return nil
}

// doubt forgets that the till takes orders.
func (k *KSeries) doubt() {
	k.mu.Lock()
	k.ready = time.Time{}
	k.mu.Unlock()
}

const kName = "Lightspeed K"

// listen gives the channel on which the news of a reference come, from before the call on. done ends that and gives what came
// and was not taken from the channel: later words go elsewhere, so that none is lost between the two.
func (k *KSeries) listen(reference string) (news <-chan lightspeed.Notification, done func() (n lightspeed.Notification, heard bool)) {
	c := make(chan lightspeed.Notification, 1) // one is enough: the first word is the last
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, n := range k.early {
		if n.Reference == reference || n.PaymentReference == reference {
			c <- n
			k.early = append(k.early[:i], k.early[i+1:]...)
			break
		}
	}
	k.waits[reference] = c
	return c, func() (n lightspeed.Notification, heard bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.waits[reference] == c {
			delete(k.waits, reference)
		}
		select {
		case n = <-c:
			return n, true
		default:
			return n, false
		}
	}
}

// Info tells how the location stands.
func (k *KSeries) Info(ctx context.Context) (Info, error) {
	r, err := k.client.Ready(ctx)
	if err != nil {
		if no := certain(kName, err); no != nil {
			err = no
		}
		return Info{Kind: "lightspeed-k", Location: k.loc}, err
	}
	return Info{Kind: "lightspeed-k", Location: k.loc, Online: r.Open, Open: r.Ready, Devices: r.Devices}, nil
}

// Tables are those of all floor plans.
func (k *KSeries) Tables(ctx context.Context) ([]Table, error) {
	found, err := k.client.Tables(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	k.tables, k.read = found, time.Now()
	k.mu.Unlock()
	all := make([]Table, len(found))
	for i, t := range found {
		all[i] = Table{t.ID, t.Name, t.Area, t.Seats, t.Active}
	}
	return all, nil
}

// table is the number of the table of that exact name.
func (k *KSeries) table(ctx context.Context, name string) (int, error) {
	if err := k.plan(ctx); err != nil {
		return 0, refusal(Offline, "the floor plan cannot be read", err)
	}
	k.mu.Lock()
	known := k.tables
	k.mu.Unlock()
	for _, t := range known {
		if t.Name == name && t.Active {
			return t.Number, nil
		}
	}
	return 0, &Refusal{Code: InvalidTable, Detail: fmt.Sprintf("the till has no table %q", name)}
}

// Groups are the pairs that items have.
func (k *KSeries) Groups(ctx context.Context) ([]Group, error) {
	items, err := k.client.Items(ctx)
	if err != nil {
		return nil, err
	}
	var all []Group
	for _, s := range lightspeed.Statistics(items) {
		all = append(all, Group(s))
	}
	return all, nil
}

// Profiles are the order profiles.
func (k *KSeries) Profiles(ctx context.Context) ([]Choice, error) {
	found, err := k.client.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	var all []Choice
	for _, p := range found {
		all = append(all, Choice{p.Code, p.Name})
	}
	return all, nil
}

// OpenCheck opens a check with nothing on it. A table that has one already is refused: Lightspeed would open a second.
func (k *KSeries) OpenCheck(ctx context.Context, o Opening) (Opened, error) {
	number, err := k.table(ctx, o.Table)
	if err != nil {
		return Opened{}, err
	}
	if found, ok, err := k.Find(ctx, Look{Reference: o.Reference}); err == nil && ok {
		found.Existed = true
		return found, nil
	}
	blocking, err := k.client.AtTable(ctx, number)
	switch {
	case err == nil && blocking.Open:
		return Opened{}, &Refusal{Code: TableUnavailable, Detail: fmt.Sprintf("check %s is open at table %s", blocking.ID, o.Table)}
	case err != nil && !errors.Is(err, lightspeed.ErrNotFound):
		return Opened{}, refusal(Offline, "the table cannot be read", err)
	}
	return k.send(ctx, lightspeed.Order{Reference: o.Reference, Table: number, Covers: o.Covers, First: guest(o.Guest), Profile: o.Profile, Staff: o.Staff, Note: o.Notes}, o.Table)
}

// Inject hands an order over, to a till that takes orders.
func (k *KSeries) Inject(ctx context.Context, o Order) (Opened, error) {
	l := lightspeed.Order{Reference: o.Reference, ToGo: o.Table == "", Covers: o.Covers, First: guest(o.Guest), Phone: o.Phone, Profile: o.Profile, Staff: o.Staff, Note: o.note(),
		CollectAt: o.CollectAt, Method: o.Method, Paid: o.Paid + o.Tip, Tip: o.Tip}
	if o.Delivery {
		l.Address = o.Address
	}
	if len(o.Short) <= lightspeed.MaxCollection {
		l.Collection = o.Short
	}
	for i := range o.Lines {
		line := &o.Lines[i]
		if line.SKU == "" {
			return Opened{}, &Refusal{Code: Unlinked, Detail: fmt.Sprintf("%q has no item at the till", line.Name)}
		}
		w := lightspeed.Line{SKU: line.SKU, Name: line.Name, Price: line.Price, Custom: true, Quantity: line.Quantity, Course: line.Course}
		var words []string
		if w.Modifiers, w.Items, words = kModifiers(line.Modifiers); len(words) > 0 {
			l.Note += " | " + line.Name + ": " + strings.Join(words, ", ")
		}
		l.Lines = append(l.Lines, w)
	}
	kDiscount(l.Lines, o.Lines, o.Discount)
	if o.Table != "" {
		var err error
		if l.Table, err = k.table(ctx, o.Table); err != nil {
			return Opened{}, err
		}
	}
	if err := l.Check(); err != nil {
		return Opened{}, refusal(Validation, err.Error(), nil)
	}
	if err := k.open(ctx); err != nil {
		return Opened{}, err
	}
	return k.send(ctx, l, o.Table)
}

// instruction begins the SKU of an option that is a word to the kitchen; the rest is its id at the till.
const instruction = "instruction:"

// kModifiers parts modifiers into words to the kitchen by their ids, products, and what is neither.
func kModifiers(all []Modifier) (ids []string, items []lightspeed.Line, words []string) {
	for i := range all {
		m := &all[i]
		id, word := strings.CutPrefix(m.SKU, instruction)
		switch {
		case word:
			ids = append(ids, id)
		case m.SKU == "":
			words = append(words, m.Name)
		default:
			l := lightspeed.Line{SKU: m.SKU, Name: m.Name, Price: m.Price, Custom: true, Quantity: max(m.Quantity, 1)}
			var below []string
			l.Modifiers, l.Items, below = kModifiers(m.Modifiers)
			items, words = append(items, l), append(words, below...)
		}
	}
	return ids, items, words
}

// kDiscount takes the discount off the lines, each by what it costs at most.
func kDiscount(lines []lightspeed.Line, of []Line, d Discount) {
	if d.Code == "" {
		return
	}
	left := d.Amount
	for i := range lines {
		if n := min(left, of[i].each()*int64(of[i].Quantity)); n > 0 {
			lines[i].Code, lines[i].Discount, left = d.Code, n, left-n
		}
	}
}

func guest(name string) string {
	if name == "" {
		return "Guest"
	}
	return name
}

// send makes the one call and waits for what the till says.
func (k *KSeries) send(ctx context.Context, o lightspeed.Order, table string) (Opened, error) {
	news, done := k.listen(o.Reference)
	defer done()
	existed := false
	err := k.client.Send(ctx, o)
	switch {
	case errors.Is(err, lightspeed.ErrDuplicate):
		existed = true
	case err != nil:
		k.doubt()
		if no := certain(kName, err); no != nil {
			return Opened{}, no
		}
	}
	// Whatever else came of the call, the till's word or the order itself decides.
	t := time.NewTimer(k.answer)
	defer t.Stop()
	if existed {
		t.Reset(0) // its news came long ago
	}
	said := func(n lightspeed.Notification) (Opened, error) {
		o, err := k.verdict(n)
		if o.Table == "" {
			o.Table = table
		}
		o.Existed = existed
		return o, err
	}
	select {
	case n := <-news:
		return said(n)
	case <-t.C:
		k.doubt()
		found, ok, failed := k.Find(ctx, Look{Reference: o.Reference})
		if failed == nil && ok {
			found.Existed = existed
			return found, nil
		}
		err = failed
	case <-ctx.Done():
		err = ctx.Err()
	}
	n, heard := done()
	switch {
	case heard: // the word came while the order was looked for
		return said(n)
	case err != nil:
		return Opened{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return Opened{}, ErrUnknown
}

// Find looks for an order of ours: what the till said of it, else the check.
func (k *KSeries) Find(ctx context.Context, l Look) (Opened, bool, error) {
	c, err := k.client.ByReference(ctx, l.Reference)
	switch {
	case errors.Is(err, lightspeed.ErrNotFound):
		return Opened{}, false, nil
	case err != nil:
		if no := certain(kName, err); no != nil {
			return Opened{}, false, no
		}
		return Opened{}, false, err
	}
	o := Opened{ID: c.ID, Existed: true, Total: c.Total, Priced: true}
	if len(c.Tables) > 0 {
		o.Table = c.Tables[0]
	}
	return o, true, nil
}

// Resend: a reference is taken once, whatever was heard of it.
func (k *KSeries) Resend() Resend { return Resend{Safe: true} }

// Check reads a check, its table by the name that everybody calls it. The error wraps ErrNoCheck when there is none.
func (k *KSeries) Check(ctx context.Context, id string) (booking.Check, error) {
	return k.asked(ctx, func() (booking.Check, error) { return k.client.Account(ctx, id) })
}

// AtTable reads the oldest open check at a table.
func (k *KSeries) AtTable(ctx context.Context, table string) (booking.Check, error) {
	number, err := k.table(ctx, table)
	if err != nil {
		var no *Refusal
		if errors.As(err, &no) && no.Code == InvalidTable {
			err = fmt.Errorf("%w: %w", ErrNoCheck, err)
		}
		return booking.Check{}, err
	}
	return k.asked(ctx, func() (booking.Check, error) { return k.client.AtTable(ctx, number) })
}

func (k *KSeries) asked(ctx context.Context, read func() (booking.Check, error)) (booking.Check, error) {
	if err := k.plan(ctx); err != nil {
		return booking.Check{}, err
	}
	c, err := read()
	if errors.Is(err, lightspeed.ErrNotFound) {
		return c, fmt.Errorf("%w: %w", ErrNoCheck, err)
	}
	if err == nil {
		c, _ = k.named(c)
	}
	return c, err
}

// Said is the check that a notification tells of as it stands, its table by its name. ok is false when it tells of none, or of
// a table that is not known yet: then it has to be asked for.
func (k *KSeries) Said(n lightspeed.Notification) (c booking.Check, ok bool) {
	if n.Account == nil {
		return booking.Check{ID: n.AccountID}, false
	}
	c, err := n.Account.Check(k.currency)
	if c.ID == "" {
		c.ID = n.AccountID
	}
	if err != nil {
		return c, false
	}
	switch n.Status {
	case lightspeed.Closed:
		c.Open = false
	case lightspeed.Cancelled, lightspeed.Abandoned:
		c.Open, c.Lines, c.Payments, c.Total, c.Paid = false, nil, nil, 0, 0
	}
	return k.named(c)
}

// named puts names in the place of the numbers of tables.
func (k *KSeries) named(c booking.Check) (booking.Check, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, number := range c.Tables {
		known := false
		for _, t := range k.tables {
			if strconv.Itoa(t.Number) == number {
				c.Tables[i], known = t.Name, true
				break
			}
		}
		if !known {
			return c, false
		}
	}
	return c, true
}

// plan reads the floor plan unless that was done a while ago.
func (k *KSeries) plan(ctx context.Context) error {
	k.mu.Lock()
	read := k.read
	k.mu.Unlock()
	if time.Since(read) <= tablesLife {
		return nil
	}
	_, err := k.Tables(ctx)
	return err
}

// AddPayment puts a payment on a check and waits for the till's word.
func (k *KSeries) AddPayment(ctx context.Context, p Payment) error {
	news, done := k.listen(p.Reference)
	defer done()
	err := k.client.Pay(ctx, lightspeed.Payment{Reference: p.Reference, Account: p.Check, Method: p.Method, Amount: p.Amount, Tip: p.Tip})
	wait := k.answer
	switch {
	case errors.Is(err, lightspeed.ErrDuplicate):
		wait = 0 // it left before: what became of it was said then, or shows on the check
	case err != nil:
		if no := certain(kName, err); no != nil {
			return no
		}
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case n := <-news:
		return paid(n)
	case <-t.C:
		err = ErrUnknown
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
	if n, heard := done(); heard { // in that very moment
		return paid(n)
	}
	return err
}

// paid is what a notification of a payment says became of it.
func paid(n lightspeed.Notification) error {
	switch {
	case n.Status == lightspeed.Success:
		return nil
	case n.ErrorCode == "OVERPAID":
		return &Refusal{Code: Overpaid, Detail: n.ErrorCode}
	case n.ErrorCode == "ACCOUNT_ALREADY_CLOSED":
		return &Refusal{Code: CheckClosed, Detail: n.ErrorCode}
	case n.ErrorCode == "PAYMENT_METHOD_NOT_FOUND":
		return &Refusal{Code: UnknownMethod, Detail: n.ErrorCode}
	}
	return &Refusal{Code: Validation, Detail: strings.TrimSpace(n.ErrorCode + " " + n.Reason)}
}

// SetAvailability takes an item from sale, or gives it back.
func (k *KSeries) SetAvailability(ctx context.Context, sku string, available bool) error {
	return k.client.SetAvailability(ctx, sku, available)
}

func refusal(code, detail string, err error) error {
	return &Refusal{Code: code, Detail: detail, Err: err}
}
