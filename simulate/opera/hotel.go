package opera

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A Hotel is what a property's OPERA knows: rooms, the guests in them, accounts, what they may be charged, and every
// charge booked. Its methods may be called from any goroutine.
type Hotel struct {
	mu sync.Mutex // guards everything below

	f        File
	rooms    map[string]*room
	guests   map[string]*Guest // by reservation, in-house only
	accounts map[string]*Account
	places   map[string]place // locators, by reservation
	business time.Time        // the day that charges are booked on, at midnight UTC
	audit    bool             // the end of the day is running
	next     int64            // transaction number
	booked   []Posting        // the folio ledger, oldest first
	dropped  int              // of booked, from its front
	keep     int
	total    Totals
}

// room is a room and who is in it, in the order of arrival.
type room struct {
	number    string
	paymaster bool
	guests    []*Guest
	equipment map[string]string // what RE records said: RS, DN, ML, TV ...
}

// Totals are sums over everything ever booked.
type Totals struct {
	Postings int64  `json:"postings"`
	Amount   Amount `json:"amount"`
	Rooms    int64  `json:"rooms"`      // of Postings, those on a room's folio
	Accounts int64  `json:"accounts"`   // on an account
	Methods  int64  `json:"methods"`    // paid otherwise, without a folio
	NotFolio int64  `json:"zero_value"` // answered OK and not booked, as the hotel wants it of nothing
}

// NewHotel makes a hotel of f, the day it is where f names none taken from now. The error names every fault of f.
func NewHotel(f File, now time.Time) (*Hotel, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	f = f.filled()
	h := &Hotel{f: f, rooms: map[string]*room{}, guests: map[string]*Guest{}, accounts: map[string]*Account{}, places: map[string]place{}, next: f.FirstTransaction, keep: DefaultKeep}
	y, m, d := now.Date()
	h.business = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if f.BusinessDate != "" {
		h.business, _ = time.Parse(time.DateOnly, f.BusinessDate) // checked
	}
	for _, n := range f.Rooms {
		h.rooms[n] = &room{number: n}
	}
	for _, n := range f.Paymasters {
		h.rooms[n] = &room{number: n, paymaster: true}
	}
	for _, g := range f.Guests {
		h.admit(g)
	}
	for _, a := range f.Accounts {
		h.accounts[a.Number] = &a
	}
	return h, nil
}

// admit puts g into its room. With h.mu held or before anybody has h.
func (h *Hotel) admit(g Guest) *Guest {
	if g.Arrival == "" {
		g.Arrival = h.business.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	if g.Departure == "" {
		g.Departure = h.business.AddDate(0, 0, 2).Format(time.DateOnly)
	}
	at := &g
	r := h.rooms[g.Room]
	r.guests = append(r.guests, at)
	h.guests[g.Reservation] = at
	return at
}

// A Change is something that happened to a guest, as GI, GC and GO tell it. Guest is a copy.
type Change struct {
	Kind  ChangeKind `json:"kind"`
	Guest Guest      `json:"guest"`
	Share bool       `json:"share"`               // somebody else is in the room
	From  string     `json:"from,omitempty"`      // of a move: the room left
	Left  bool       `json:"left,omitempty"`      // of a move: somebody stays in the room left
	Empty bool       `json:"empty,omitempty"`     // no guest: this room has nobody (resync only)
	Swap  bool       `json:"swap,omitempty"`      // belongs to a resync
	Name  string     `json:"full_name,omitempty"` // Guest as GN has it
}

// ChangeKind is what became of a guest.
type ChangeKind string

const (
	CheckedIn  ChangeKind = "checked_in"  // GI
	Changed    ChangeKind = "changed"     // GC
	CheckedOut ChangeKind = "checked_out" // GO
)

func (h *Hotel) changeOf(kind ChangeKind, g *Guest) Change {
	return Change{Kind: kind, Guest: *g, Share: len(h.rooms[g.Room].guests) > 1, Name: h.fullName(g)}
}

// CheckIn puts a guest into a room.
func (h *Hotel) CheckIn(g Guest) (Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := g.check(h.hasRoom); err != nil {
		return Change{}, err
	}
	if _, ok := h.guests[g.Reservation]; ok {
		return Change{}, fmt.Errorf("reservation %s is in the house already", g.Reservation)
	}
	return h.changeOf(CheckedIn, h.admit(g)), nil
}

func (h *Hotel) hasRoom(number string) bool { return h.rooms[number] != nil }

// Change gives the in-house reservation of g the properties of g, all but its room.
func (h *Hotel) Change(g Guest) (Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.inHouse(g.Reservation)
	if err != nil {
		return Change{}, err
	}
	g.Room = at.Room
	if err := g.check(h.hasRoom); err != nil {
		return Change{}, err
	}
	*at = g
	return h.changeOf(Changed, at), nil
}

func (h *Hotel) inHouse(reservation string) (*Guest, error) {
	at := h.guests[reservation]
	if at == nil {
		return nil, fmt.Errorf("reservation %q is not in the house", reservation)
	}
	return at, nil
}

// Move takes a guest to another room.
func (h *Hotel) Move(reservation, to string) (Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.inHouse(reservation)
	if err != nil {
		return Change{}, err
	}
	if h.rooms[to] == nil {
		return Change{}, fmt.Errorf("there is no room %q", to)
	}
	from := at.Room
	h.leave(at)
	at.Room = to
	h.rooms[to].guests = append(h.rooms[to].guests, at)
	c := h.changeOf(Changed, at)
	c.From, c.Left = from, len(h.rooms[from].guests) > 0
	return c, nil
}

func (h *Hotel) leave(at *Guest) {
	r := h.rooms[at.Room]
	r.guests = slices.DeleteFunc(r.guests, func(g *Guest) bool { return g == at })
}

// CheckOut ends a guest's stay. What comes for the reservation later is not found.
func (h *Hotel) CheckOut(reservation string) (Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.inHouse(reservation)
	if err != nil {
		return Change{}, err
	}
	return h.checkOut(at), nil
}

func (h *Hotel) checkOut(at *Guest) Change {
	h.leave(at)
	delete(h.guests, at.Reservation)
	delete(h.places, at.Reservation)
	c := h.changeOf(CheckedOut, at)
	c.Share = len(h.rooms[at.Room].guests) > 0
	return c
}

// StartAudit begins the end of the day: postings are answered NA. It tells whether it was not running before.
func (h *Hotel) StartAudit() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.audit
	h.audit = true
	return !was
}

// EndAudit ends it and moves to the next business date. It tells whether it was running.
func (h *Hotel) EndAudit() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.audit {
		return false
	}
	h.audit = false
	h.business = h.business.AddDate(0, 0, 1)
	return true
}

// BusinessDate is the day that charges are booked on, as 2026-08-21, and whether the end of the day is running.
func (h *Hotel) BusinessDate() (date string, audit bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.business.Format(time.DateOnly), h.audit
}

// Guests are the guests in the house, by room and arrival.
func (h *Hotel) Guests() []Guest {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Guest
	for _, n := range h.roomNumbers() {
		for _, g := range h.rooms[n].guests {
			all = append(all, *g)
		}
	}
	return all
}

func (h *Hotel) roomNumbers() []string {
	return slices.Concat(h.f.Rooms, h.f.Paymasters)
}

// Swap is the whole house as a resync tells it: a check-in for each guest, a check-out for each empty room.
func (h *Hotel) Swap() []Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Change
	for _, n := range h.roomNumbers() {
		r := h.rooms[n]
		if len(r.guests) == 0 {
			all = append(all, Change{Kind: CheckedOut, Guest: Guest{Room: n}, Empty: true, Swap: true})
		}
		for i, g := range r.guests {
			c := h.changeOf(CheckedIn, g)
			c.Share, c.Swap = i > 0, true // the first found the room empty
			all = append(all, c)
		}
	}
	return all
}

// keepPostings sets how many postings are held.
func (h *Hotel) keepPostings(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep = n
}

// An Inquiry asks who could be charged.
type Inquiry struct {
	Text string // room or account number, or the beginning of a name
	Card string // a key card's text instead of Text
	By   By     // 0 means ByRoom|ByName
	Max  int    // 0 means DefaultMatches
}

// By is what an inquiry's text may be; the bits of RequestType in XML_POS.
type By uint8

const (
	ByCard By = 2
	ByRoom By = 4
	ByName By = 8
)

// DefaultMatches is how many an inquiry finds that does not say how many it wants.
const DefaultMatches = 16

// A Match is somebody who could be charged: a guest in a room, or an account.
type Match struct {
	Guest
	Kind     Kind   // room, paymaster or account
	FullName string // the name as GN has it
	Limit    Amount // credit limit, 0: none
	Owing    Amount // balance of the folio
}

// Kind is what a posting is booked on.
type Kind string

const (
	OnRoom      Kind = "room"
	OnPaymaster Kind = "paymaster" // a room that nobody sleeps in
	OnAccount   Kind = "account"   // city ledger, reservation 0
	OnMethod    Kind = "method"    // paid by card or cash: no folio
)

// AccountReservation is the reservation number of accounts (fias.md 6.4).
const AccountReservation = "0"

// Find tells who fits q: a room's guests in the order of their arrival, the account of that number, or the guests whose
// name begins so. Upper and lower case and accents make no difference; a room number has to be complete.
func (h *Hotel) Find(q Inquiry) []Match {
	h.mu.Lock()
	defer h.mu.Unlock()
	if q.By == 0 {
		q.By = ByRoom | ByName
	}
	if q.Max <= 0 {
		q.Max = DefaultMatches
	}
	var found []Match
	add := func(m Match) bool {
		if len(found) < q.Max {
			found = append(found, m)
		}
		return len(found) < q.Max
	}
	card := q.Card
	if card == "" && q.By&ByCard != 0 {
		card = q.Text
	}
	if card != "" {
		for _, n := range h.roomNumbers() {
			for _, g := range h.rooms[n].guests {
				if g.Card == card && !add(h.match(g)) {
					return found
				}
			}
		}
		if len(found) > 0 || q.Text == "" {
			return found
		}
	}
	if q.Text == "" {
		return nil
	}
	if q.By&ByRoom != 0 {
		if r := h.rooms[q.Text]; r != nil {
			for _, g := range r.guests {
				if !add(h.match(g)) {
					break
				}
			}
			return found
		}
		if a := h.accounts[q.Text]; a != nil {
			return []Match{h.account(a)}
		}
	}
	if q.By&ByName != 0 {
		begin := fold(q.Text)
		for _, n := range h.roomNumbers() {
			for _, g := range h.rooms[n].guests {
				if strings.HasPrefix(fold(g.Name), begin) && !add(h.match(g)) {
					return found
				}
			}
		}
		for _, a := range h.f.Accounts {
			if strings.HasPrefix(fold(a.Name), begin) && !add(h.account(h.accounts[a.Number])) {
				return found
			}
		}
	}
	return found
}

func (h *Hotel) match(g *Guest) Match {
	m := Match{Guest: *g, Kind: OnRoom, FullName: h.fullName(g), Limit: g.CreditLimit, Owing: g.Balance}
	if h.rooms[g.Room].paymaster {
		m.Kind = OnPaymaster
	}
	return m
}

func (h *Hotel) account(a *Account) Match {
	return Match{
		Guest: Guest{Room: a.Number, Reservation: AccountReservation, Name: a.Name, NoPost: a.NoPost},
		Kind:  OnAccount, FullName: a.Name, Limit: a.CreditLimit, Owing: a.Balance,
	}
}

// fullName is the name as the hotel folds it into GN.
func (h *Hotel) fullName(g *Guest) string {
	second := ""
	switch h.f.Names {
	case NamesLastTitle:
		second = g.Title
	case NamesLastFirst:
		second = g.First
	}
	if second == "" {
		return g.Name
	}
	return g.Name + ", " + second
}

// fold is s without case and accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFD.String(s))
}

// Guest is the in-house guest of a reservation as an inquiry would find it.
func (h *Hotel) Guest(reservation string) (Match, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.guests[reservation]; g != nil {
		return h.match(g), true
	}
	return Match{}, false
}

// RoomMethods are the payment methods that mean a room or an account, as LC tells them.
func (h *Hotel) RoomMethods() []string { return h.f.RoomMethods } // never changed

// ID is the hotel's id, of PH in FIAS and HotelId in XML_POS.
func (h *Hotel) ID() string { return h.f.ID }

// Equip notes what a room-equipment record said.
func (h *Hotel) Equip(number string, what map[string]string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[number]
	if r == nil {
		return false
	}
	if r.equipment == nil {
		r.equipment = map[string]string{}
	}
	for k, v := range what {
		r.equipment[k] = v
	}
	return true
}

// A RoomState is a room as the control shows it.
type RoomState struct {
	Number    string            `json:"number"`
	Paymaster bool              `json:"paymaster,omitempty"`
	Guests    []Guest           `json:"guests"`
	Equipment map[string]string `json:"equipment,omitempty"`
}

// Rooms are all rooms with who is in them.
func (h *Hotel) Rooms() []RoomState {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []RoomState
	for _, n := range h.roomNumbers() {
		r := h.rooms[n]
		s := RoomState{Number: n, Paymaster: r.paymaster, Guests: []Guest{}}
		for _, g := range r.guests {
			s.Guests = append(s.Guests, *g)
		}
		if len(r.equipment) > 0 {
			s.Equipment = map[string]string{}
			for k, v := range r.equipment {
				s.Equipment[k] = v
			}
		}
		all = append(all, s)
	}
	return all
}

// Accounts are the city-ledger accounts with their balances.
func (h *Hotel) Accounts() []Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Account
	for _, a := range h.f.Accounts {
		all = append(all, *h.accounts[a.Number])
	}
	return all
}

// Amount is money in minor units of the hotel's currency.
type Amount int64

// Decimal writes a with a point, as CL and BA may have it: 500.00.
func (a Amount) Decimal() string {
	sign, n := "", int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	return sign + strconv.FormatInt(n/100, 10) + fmt.Sprintf(".%02d", n%100)
}
