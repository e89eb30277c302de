package folio

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/sale"
)

// The calls that a Lightspeed K till makes of its hotel system, which this box poses as (spec/pos.md 7.2). A till sends
// more than the specification says and may send it as numbers or as text; what is not needed is not looked at.

// lightGuest is one line of the till's list.
type lightGuest struct {
	RoomID          string         `json:"roomId"`
	RoomDescription string         `json:"roomDescription"`
	ClientName      string         `json:"clientName"`
	ReservationID   string         `json:"reservationId"`
	CreditLimit     jsontext.Value `json:"creditLimit,omitzero"`
	Blocked         bool           `json:"blocked"`
}

// decimal is an amount that comes as a number or as text.
type decimal string

// UnmarshalJSON takes 4, 4.0 and "4.00".
func (d *decimal) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" {
		text = ""
	}
	if len(text) > 40 {
		return errors.New("is too long for an amount")
	}
	*d = decimal(text)
	return nil
}

// MarshalJSON writes a number.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(cmp.Or(string(d), "0")), nil }

// label is a text that may come as a number.
type label string

// UnmarshalJSON takes 7 and "7".
func (l *label) UnmarshalJSON(b []byte) error {
	var s string
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	} else if s = string(b); s == "null" {
		s = ""
	}
	*l = label(s)
	return nil
}

// MarshalJSON writes text.
func (l label) MarshalJSON() ([]byte, error) { return json.Marshal(string(l)) }

// lightCharge is the body of a charge.
type lightCharge struct {
	Name             label       `json:"name,omitzero"`
	CloseDate        label       `json:"closeDate,omitzero"`
	Covers           decimal     `json:"covers,omitzero"`
	OwnerID          label       `json:"ownerId,omitzero"`
	OwnerName        label       `json:"ownerName,omitzero"`
	DeviceID         label       `json:"deviceId,omitzero"`
	APIKey           label       `json:"apiKey,omitzero"`
	ReceiptID        label       `json:"receiptId,omitzero"`
	FiscID           label       `json:"fiscId,omitzero"`
	UUID             label       `json:"uuid,omitzero"`
	InitialAccountID label       `json:"initialAccountId,omitzero"`
	Identifier       label       `json:"identifier,omitzero"`
	RevenueCenterID  label       `json:"revenueCenterId,omitzero"`
	RevenueCenter    label       `json:"revenueCenterName,omitzero"`
	Transactions     []lightLine `json:"transactions"`
	Payments         []lightPay  `json:"payments"`
	ServiceCharge    lightFee    `json:"serviceCharge,omitzero"`
}

type lightLine struct {
	Quantity  decimal    `json:"quantity,omitzero"`
	Amount    decimal    `json:"amount,omitzero"`
	GroupName label      `json:"groupName,omitzero"`
	Type      label      `json:"type,omitzero"`
	Taxes     []lightTax `json:"taxLines,omitzero"`
}

type lightTax struct {
	Amount   decimal `json:"taxAmount,omitzero"`
	Included label   `json:"taxIncluded,omitzero"`
}

type lightPay struct {
	Amount        decimal `json:"amount"`
	Gratuity      decimal `json:"gratuity,omitzero"`
	MethodName    label   `json:"methodName,omitzero"`
	MethodCode    label   `json:"methodCode,omitzero"`
	ReservationID label   `json:"reservationId,omitzero"`
}

type lightFee struct {
	Amount decimal `json:"amount,omitzero"`
}

// A tillError is told to the till: at most 50 characters, which it prints.
type tillError struct {
	status int
	code   string
	text   string
	detail string
}

func (e *tillError) problem() error {
	return &api.Problem{Status: e.status, Code: e.code, Detail: cmp.Or(e.detail, e.text), Extra: map[string]any{"customerErrorMessage": e.text}}
}

func (s *Service) tillError(status int, code, word, detail string) error {
	return (&tillError{status, code, s.words.T("refusal." + word), detail}).problem()
}

// tillOf finds who calls: by the apiKey, which is a token of role till, or by the token of the request itself.
func (s *Service) tillOf(r *http.Request, key string) (access.Principal, error) {
	by := access.From(r.Context())
	if key != "" {
		var ok bool
		if by, ok = s.c.Key(key); !ok {
			return by, s.tillError(http.StatusUnauthorized, "unauthorized", "key", "the apiKey is none of this box; make one with aboyeur token add --role till")
		}
	}
	switch by.Role {
	case access.Till, access.Manager, access.Admin:
		return by, nil
	case "":
		return by, s.tillError(http.StatusUnauthorized, "unauthorized", "key", "send the apiKey; it is a token of role till")
	}
	return by, s.tillError(http.StatusForbidden, "forbidden", "key", "the apiKey is not of role till")
}

func (s *Service) lightSearch(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if _, err := s.tillOf(r, q.Get("apiKey")); err != nil {
		return err
	}
	term := ""
	for _, name := range []string{"term", "query", "q", "search"} {
		term = cmp.Or(term, strings.TrimSpace(q.Get(name)))
	}
	list := []lightGuest{}
	if term == "" {
		return api.Answer(w, http.StatusOK, list)
	}
	if reason := s.gate(); reason != "" {
		return s.tillError(http.StatusServiceUnavailable, "pms_link_down", reason, "")
	}
	guests, err := s.search.find(r.Context(), term)
	if err != nil {
		return s.tillError(http.StatusServiceUnavailable, "pms_link_down", LinkDown, err.Error())
	}
	set := s.set.Load()
	for _, g := range guests {
		l := lightGuest{RoomID: g.Room, RoomDescription: g.Room, ClientName: g.Name, ReservationID: g.Reservation, Blocked: g.NoPost}
		if g.account() {
			l.ReservationID = accountReservation(g.Room)
		} else if set.paymaster(g.Room) {
			l.RoomDescription = "PM " + g.Room
		}
		if g.Limit != nil && *g.Limit > 0 {
			left := *g.Limit
			if g.Balance != nil {
				left -= *g.Balance
			}
			l.CreditLimit = jsontext.Value(money.Format(max(left, 0), money.Decimals(s.c.Currency)))
		}
		list = append(list, l)
	}
	return api.Answer(w, http.StatusOK, list)
}

// lightWait is how long a till waits for a charge: inquiry and posting may each take the answer's time.
func (s *Service) lightWait() time.Duration { return 2*s.c.AnswerTimeout + 5*time.Second }

func (s *Service) lightCharge(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, api.MaxBody+1))
	if err != nil || len(body) > api.MaxBody {
		return s.tillError(http.StatusRequestEntityTooLarge, "too_large", "invalid", "the body is larger than 1 MiB")
	}
	var c lightCharge
	if err := json.Unmarshal(body, &c); err != nil {
		return s.tillError(http.StatusBadRequest, "invalid", "invalid", err.Error())
	}
	by, err := s.tillOf(r, cmp.Or(r.URL.Query().Get("apiKey"), string(c.APIKey)))
	if err != nil {
		return err
	}
	key := cmp.Or(r.Header.Get("X-Lightspeed-Idempotency-Key"), string(c.UUID), string(c.FiscID))
	if key == "" {
		return s.tillError(http.StatusBadRequest, "idempotency_key_missing", "invalid", "send X-Lightspeed-Idempotency-Key, or uuid in the body; without one a repeat would charge twice")
	}
	if len(key) > api.MaxKey {
		return s.tillError(http.StatusBadRequest, "invalid_key", "invalid", "the idempotency key is too long")
	}
	checks, err := s.readLight(&c)
	if err != nil {
		return s.tillError(http.StatusUnprocessableEntity, "invalid", "invalid", err.Error())
	}
	// What the till repeats must be what it sent; its key for us leaves its body as it is.
	checks.hash = sale.Hash(bytes.TrimSpace(body))
	return s.bookLight(r.Context(), w, by, key, checks)
}

// lightSale is a till's check, read.
type lightSale struct {
	Sale
	hash     [32]byte
	original string // the account it reverses
	rooms    []lightRoom
	flag     string // what did not add up
}

// lightRoom is one payment of it by a room.
type lightRoom struct {
	at     int // in Payments
	guest  Guest
	parts  []Part
	amount int64 // with the tip
	tip    int64
}

// readLight turns a body into a sale, and decides by its own sums what its amounts include.
func (s *Service) readLight(c *lightCharge) (*lightSale, error) {
	decimals := money.Decimals(s.c.Currency)
	read := func(what string, d decimal) (int64, error) {
		if d == "" {
			return 0, nil
		}
		n, err := money.Parse(trimZeros(string(d), decimals), decimals)
		if err != nil {
			return 0, fmt.Errorf("%s %q %w", what, string(d), err)
		}
		return n, nil
	}
	set := s.set.Load()
	l := &lightSale{original: string(c.InitialAccountID)}
	l.ID = "lightspeed:" + cmp.Or(string(c.UUID), string(c.FiscID), string(c.ReceiptID))
	l.Outlet = set.firstOutlet()
	l.POSConfig = cmp.Or(string(c.RevenueCenter), string(c.RevenueCenterID))
	for _, o := range set.Outlets {
		if o.Name == string(c.RevenueCenter) {
			l.Outlet = o.Name
		}
	}
	l.Check = lightCheck(c)
	l.Staff, l.Workstation, l.Table = string(cmp.Or(c.OwnerID, c.OwnerName)), string(c.DeviceID), ""
	l.At = s.c.Now().UTC()
	if at, err := time.Parse(time.RFC3339, string(c.CloseDate)); err == nil && l.At.Sub(at).Abs() < 24*time.Hour {
		l.At = at.UTC()
	}
	if whole, _, _ := strings.Cut(string(c.Covers), "."); whole != "" {
		if n, err := strconv.Atoi(whole); err == nil && n >= 0 && n <= 99999 {
			l.Covers = n
		}
	}
	if len(c.Transactions) > 1000 || len(c.Payments) > 50 {
		return nil, errors.New("has more than 1000 lines or 50 payments")
	}
	lines, taxes := tally{}, tally{}
	for i, t := range c.Transactions {
		amount, err := read(fmt.Sprintf("transactions[%d].amount", i), t.Amount)
		if err != nil {
			return nil, err
		}
		part := Subtotal
		if strings.Contains(string(t.Type), "Discount") {
			part = partDiscount
		}
		lines.add([]Part{{part, string(t.GroupName), amount}}, 1)
		for j, tax := range t.Taxes {
			if !strings.EqualFold(string(tax.Included), "false") {
				continue
			}
			n, err := read(fmt.Sprintf("transactions[%d].taxLines[%d].taxAmount", i, j), tax.Amount)
			if err != nil {
				return nil, err
			}
			taxes.add([]Part{{partTax, string(t.GroupName), n}}, 1)
		}
	}
	fee, err := read("serviceCharge.amount", c.ServiceCharge.Amount)
	if err != nil {
		return nil, err
	}
	lines.add([]Part{{partService, "", fee}}, 1)
	var paid, tips int64
	amounts, gratuities := make([]int64, len(c.Payments)), make([]int64, len(c.Payments))
	for i, p := range c.Payments {
		if amounts[i], err = read(fmt.Sprintf("payments[%d].amount", i), p.Amount); err != nil {
			return nil, err
		}
		if gratuities[i], err = read(fmt.Sprintf("payments[%d].gratuity", i), p.Gratuity); err != nil {
			return nil, err
		}
		paid, tips = paid+amounts[i], tips+gratuities[i]
	}
	// Lines are with tax or before it, payments with the tip or without: what adds up is right (spec/pos.md 7.2).
	parts := lines.list()
	gross, add := total(parts), total(taxes.list())
	tipInside := false
	switch {
	case paid == gross:
	case add != 0 && paid == gross+add:
		parts = append(parts, taxes.list()...)
	case tips != 0 && paid == gross+tips:
		tipInside = true
	case add != 0 && tips != 0 && paid == gross+add+tips:
		parts, tipInside = append(parts, taxes.list()...), true
	default:
		l.flag = fmt.Sprintf("lines %d, tax on top %d, payments %d, tips %d", gross, add, paid, tips)
	}
	l.Parts = parts
	left := tally{}
	left.add(parts, 1)
	for i, p := range c.Payments {
		if tipInside {
			amounts[i] -= gratuities[i]
		}
		method := strings.ToLower(string(cmp.Or(p.MethodName, p.MethodCode)))
		room := string(p.MethodCode) == RoomCode
		if room {
			method = RoomMethod
		}
		pay := Payment{ID: strconv.Itoa(i), Method: method, Amount: amounts[i], Tip: gratuities[i]}
		shares := share(pay.Amount, left.list())
		left.add(shares, -1)
		l.Payments = append(l.Payments, pay)
		if room && pay.Amount+pay.Tip != 0 {
			if p.ReservationID == "" {
				return nil, fmt.Errorf("payments[%d].reservationId is missing", i)
			}
			guest, ok := s.roomOf(string(p.ReservationID))
			if !ok {
				guest = Guest{Reservation: string(p.ReservationID)}
			}
			l.rooms = append(l.rooms, lightRoom{i, guest, shares, pay.Amount + pay.Tip, pay.Tip})
		}
	}
	return l, nil
}

// trimZeros cuts digits beyond a currency's decimals off where they are zeros or a float's noise is not there.
func trimZeros(s string, decimals int) string {
	whole, part, ok := strings.Cut(s, ".")
	if !ok || len(part) <= decimals {
		return s
	}
	return whole + "." + part[:decimals] + strings.TrimRight(part[decimals:], "0")
}

// lightCheck makes a check number of a receipt's: its digits, the last eight of them.
func lightCheck(c *lightCharge) string {
	for _, text := range []label{c.ReceiptID, c.FiscID, c.Identifier, c.UUID} {
		var d []byte
		for _, b := range []byte(text) {
			if b >= '0' && b <= '9' {
				d = append(d, b)
			}
		}
		if d = bytes.TrimLeft(d[max(0, len(d)-maxCheck):], "0"); len(d) > 0 {
			return string(d)
		}
	}
	return "1"
}

// bookLight charges the rooms of a till's check and records the rest as revenue. Its rooms are charged one after the
// other; when one is refused, those before it are void again, so that "refused" is true of the whole check.
func (s *Service) bookLight(ctx context.Context, w http.ResponseWriter, by access.Principal, key string, l *lightSale) error {
	known, err := s.knowLight(ctx, by, key, l)
	if err != nil {
		return err
	}
	if l.flag != "" {
		s.c.Log.Warn("amounts of a till's check do not add up", "check", l.Check, "sums", l.flag)
	}
	var booked []Posting
	for i, room := range l.rooms {
		p, err := s.chargeLight(ctx, by, key, l, room, i)
		if err == nil && p.State == Posted {
			booked = append(booked, p)
			l.Payments[room.at].Posting = p.ID
			continue
		}
		if err == nil && p.State != Refused {
			// Nobody knows; nothing more is done, and a manager looks it up.
			return (&tillError{http.StatusGatewayTimeout, "pms_unknown", s.words.T("refusal.unknown"), "posting " + p.ID.String() + " is " + p.State}).problem()
		}
		for _, b := range booked {
			if b.Kind == Charge {
				_, _, undoErr := s.VoidPosting(context.WithoutCancel(ctx), by, "", b.ID, Reversal{Note: "another room of the check was refused", Queue: true}, 0)
				if undoErr != nil && !errors.Is(undoErr, ErrState) {
					s.c.Log.Error("charge of a refused check not taken back", "posting", b.ID.String(), "err", undoErr)
				}
			}
		}
		if err != nil {
			return s.lightProblem(err)
		}
		return (&tillError{http.StatusUnprocessableEntity, "refused", p.Message, "the hotel refused: " + p.Reason}).problem()
	}
	if !known {
		err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error { return s.Sold(tx, by, l.Sale) })
		if err != nil {
			return err
		}
	}
	ids := []string{}
	for _, p := range booked {
		ids = append(ids, p.ID.String())
	}
	return api.Answer(w, http.StatusOK, lightAnswer{Status: "ok", Postings: ids})
}

// lightAnswer tells a till that all is booked; it looks at the status only.
type lightAnswer struct {
	Status   string   `json:"status"`
	Postings []string `json:"postings"`
}

// knowLight notes the key of a check that is not known yet, and refuses one that was used for another.
func (s *Service) knowLight(ctx context.Context, by access.Principal, key string, l *lightSale) (known bool, err error) {
	var done int
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		_, _, err := tx.Idempotent(by.Subject(), "lightspeed "+key, l.hash, l.ID)
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT count(*) FROM sales WHERE sale = ?`, []any{l.ID}, &done)
	})
	if errors.Is(err, journal.ErrKeyReused) {
		return false, s.tillError(http.StatusConflict, "other_content", "invalid", "the idempotency key was used for another check")
	}
	return done > 0, err
}

// chargeLight charges or gives back one room's payment; its key makes a repeat the same posting.
func (s *Service) chargeLight(ctx context.Context, by access.Principal, key string, l *lightSale, room lightRoom, i int) (Posting, error) {
	key = fmt.Sprintf("lightspeed %s %d", key, i)
	if len(key) > api.MaxKey {
		digest := sale.Hash([]byte(key))
		key = fmt.Sprintf("lightspeed %x", digest)
	}
	if room.amount < 0 {
		return s.refundLight(ctx, by, key, l, room)
	}
	g := room.guest
	if g.Room == "" {
		return Posting{State: Refused, Reason: "ng", Message: s.message(Refused, "ng")}, nil
	}
	request := Request{
		Room: g.Room, Reservation: g.Reservation, Guest: cmp.Or(g.Name, "-"), Amount: new(room.amount), Tip: room.tip, Currency: s.c.Currency, Check: l.Check,
		Outlet: l.Outlet, Covers: l.Covers, Staff: l.Staff, Workstation: l.Workstation,
	}
	// A till's own discounts may outweigh a part; what does not fit a charge's rules is one subtotal.
	if slices.ContainsFunc(room.parts, func(p Part) bool { return p.Amount < 0 != (p.Part == partDiscount) }) {
		request.Subtotals = []Item{{Amount: room.amount - room.tip}}
	} else {
		request.setParts(room.parts)
	}
	// The till was told the limit and stops its ordinary users itself: what comes above it a manager let pass (spec/pos.md 7.2).
	if left, over := s.over(&posting{Kind: Charge, content: content{Request: request}}, g); over {
		s.c.Log.Info("a till charges more than the credit limit it was told", "check", l.Check, "left", left)
		request.Manager = true
	}
	p, _, err := s.Place(ctx, by, key, Order{Sale: l.ID, Request: request, Wait: s.lightWait()})
	return p, err
}

const selectLight = `SELECT id, amount FROM postings WHERE sale = ? AND kind = 'charge' AND state = 'posted' ORDER BY key`

// refundLight gives a payment of the check that the till reverses back to the room that paid it.
func (s *Service) refundLight(ctx context.Context, by access.Principal, key string, l *lightSale, room lightRoom) (Posting, error) {
	refused := Posting{State: Refused, Reason: "ng", Message: s.words.T("refusal.no_original")}
	if l.original == "" {
		return refused, nil
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectLight, "lightspeed:"+l.original)
	if err != nil {
		return Posting{}, err
	}
	var ids []journal.ID
	for rows.Next() {
		var raw []byte
		var amount int64
		if err := rows.Scan(&raw, &amount); err != nil {
			rows.Close()
			return Posting{}, err
		}
		ids = append(ids, journal.ID(raw))
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return Posting{}, err
	}
	for _, id := range ids {
		o, err := s.read(ctx, id)
		if err != nil {
			return Posting{}, err
		}
		if o.Reservation != room.guest.Reservation {
			continue
		}
		p, _, err := s.reversal(ctx, by, key, Refund, id, Reversal{Amount: new(-room.amount), parts: room.parts, tip: room.tip}, l.ID, s.lightWait())
		if errors.Is(err, ErrExceeds) || errors.Is(err, ErrState) {
			continue
		}
		return p, err
	}
	return refused, nil
}

// lightProblem gives any fault the words that a till prints.
func (s *Service) lightProblem(err error) error {
	var p *api.Problem
	switch {
	case errors.Is(err, ErrBusy):
		return s.tillError(http.StatusServiceUnavailable, "busy", LinkDown, err.Error())
	case errors.As(err, &p):
		told := *p
		told.Extra = map[string]any{"customerErrorMessage": s.words.T("refusal.invalid")}
		return &told
	case errors.Is(err, ErrOther):
		return s.tillError(http.StatusConflict, "other_content", "invalid", err.Error())
	case errors.Is(err, journal.ErrBusy), errors.Is(err, journal.ErrDown):
		return s.tillError(http.StatusServiceUnavailable, "busy", LinkDown, err.Error())
	}
	return err
}
