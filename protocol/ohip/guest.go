package ohip

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/rest"
)

// A Guest is a reservation in house that may be charged, or may not.
type Guest struct {
	Reservation string // what a charge names
	Room        string
	RoomType    string
	Surname     string
	Given       string
	Title       string
	Profile     string
	VIP         string
	Status      string // as OPERA says it; "" when it does not
	Arrival     string // dates as OPERA writes them
	Departure   string
	NoPost      bool
	CreditLimit *int64 // minor units; nil: not told
	Balance     *int64 // minor units; nil: not told
	Paymaster   bool   // an account of the house, not a guest
}

// Name is surname, title or given name, as a till shows it.
func (g *Guest) Name() string {
	first := strings.TrimSpace(g.Title + " " + g.Given)
	switch {
	case g.Surname == "":
		return first
	case first == "":
		return g.Surname
	}
	return g.Surname + ", " + first
}

// Fields are where an answer has what a Guest has: paths of member names with points between, the first that leads to
// something counts. nil means the usual places; what the public texts do not place is marked (E).
type Fields struct {
	Reservation, Room, RoomType, Surname, Given, Title, FullName, Profile, VIP, Status, Arrival, Departure []string

	NoPost      []string
	CreditLimit []string // (E)
	Balance     []string
}

func (f Fields) withDefaults() Fields {
	const person = "reservationGuests.0.profileInfo.profile.customer.personName.0."
	for _, d := range []struct {
		paths *[]string
		value []string
	}{
		{&f.Reservation, []string{"reservationIdList", "reservationId"}},
		{&f.Room, []string{"roomStay.roomId", "roomStay.currentRoomInfo.roomId", "roomStay.roomNumber", "roomStay.roomRates.0.roomId"}},
		{&f.RoomType, []string{"roomStay.roomType", "roomStay.currentRoomInfo.roomType", "roomStay.roomRates.0.roomType"}},
		{&f.Surname, []string{"reservationGuest.surname", person + "surname"}},
		{&f.Given, []string{"reservationGuest.givenName", person + "givenName"}},
		{&f.Title, []string{"reservationGuest.nameTitle", "reservationGuest.namePrefix", person + "nameTitle"}},
		{&f.FullName, []string{"reservationGuest.fullName"}},
		{&f.Profile, []string{"reservationGuest.id", "reservationGuests.0.profileInfo.profileIdList.0.id"}},
		{&f.VIP, []string{"reservationGuest.vip.vipCode"}},
		{&f.Status, []string{"reservationStatus", "computedReservationStatus"}},
		{&f.Arrival, []string{"roomStay.arrivalDate"}},
		{&f.Departure, []string{"roomStay.departureDate"}},
		{&f.NoPost, []string{"cashiering.billingPrivileges.postingRestriction"}},
		{&f.CreditLimit, []string{"cashiering.creditLimit", "reservationPaymentMethod.creditLimit", "reservationPaymentMethods.0.creditLimit", "creditLimit"}},
		{&f.Balance, []string{"cashiering.revenuesAndBalances.balance", "revenuesAndBalances.balance", "roomStay.balance"}},
	} {
		if *d.paths == nil {
			*d.paths = d.value
		}
	}
	return f
}

// A Query is an inquiry by Room, by Name (the beginning of a surname), or by a Term that is one of them. One is required.
type Query struct {
	Room  string
	Name  string
	Term  string // what somebody typed: a room when it has a digit, else a name
	Limit int    // 0 means Config.Matches
}

// Found are the guests that fit, in OPERA's order.
type Found struct {
	Guests []Guest
	More   bool // OPERA has further ones
}

// Search asks OPERA who is in house. Nobody is no error. An error is a *rest.Error or wraps one.
func (c *Client) Search(ctx context.Context, q Query) (Found, error) {
	if q.Room == "" && q.Name == "" {
		if q.Term = strings.TrimSpace(q.Term); strings.ContainsAny(q.Term, "0123456789") {
			q.Room = q.Term
		} else {
			q.Name = q.Term
		}
	}
	query := url.Values{}
	for name, values := range c.c.Search {
		query[name] = slices.Clone(values)
	}
	switch {
	case q.Room != "":
		query.Set(c.c.RoomParam, q.Room)
	case q.Name != "":
		query.Set(c.c.NameParam, q.Name+c.c.NameSuffix)
	default:
		return Found{}, &rest.Error{Op: "find guests", Method: http.MethodGet, Path: c.c.Paths.Reservations, Fate: rest.NotSent, Err: errors.New("neither room nor name given")}
	}
	limit := q.Limit
	if limit <= 0 {
		limit = c.c.Matches
	}
	query.Set("limit", strconv.Itoa(limit))
	query.Set("offset", "0")
	var body []byte
	_, err := c.http.Do(ctx, rest.Call{Op: "find guests", Path: c.path(c.c.Paths.Reservations, "", ""), Query: query, Out: &body, Timeout: c.c.Timeout})
	if err != nil {
		return Found{}, c.inquiry(err)
	}
	found, err := c.guests(body)
	if err != nil {
		return Found{}, &rest.Error{Op: "find guests", Method: http.MethodGet, Path: c.path(c.c.Paths.Reservations, "", ""), Fate: rest.Accepted, Status: http.StatusOK, Err: err}
	}
	if q.Room != "" { // a property that searches by the beginning of a room must not have 21 charged for 217
		found.Guests = slices.DeleteFunc(found.Guests, func(g Guest) bool { return g.Room != "" && !strings.EqualFold(g.Room, q.Room) })
	}
	if len(found.Guests) > limit {
		found.Guests, found.More = found.Guests[:limit], true
	}
	return found, nil
}

// Reservation asks for one reservation, which may say more of its privileges than Search does. ok is false when OPERA has
// none in house by that number.
func (c *Client) Reservation(ctx context.Context, reservation string) (g Guest, ok bool, err error) {
	path := c.path(c.c.Paths.Reservation, reservation, "")
	if reservation == "" {
		return Guest{}, false, &rest.Error{Op: "read reservation", Method: http.MethodGet, Path: path, Fate: rest.NotSent, Err: errors.New("no reservation given")}
	}
	query := url.Values{}
	if len(c.c.Fetch) > 0 {
		query["fetchInstructions"] = c.c.Fetch
	}
	var body []byte
	if _, err := c.http.Do(ctx, rest.Call{Op: "read reservation", Path: path, Query: query, Out: &body, Timeout: c.c.Timeout}); err != nil {
		var e *rest.Error
		if errors.As(err, &e) && e.Status == http.StatusNotFound && readFault(e.Body).known {
			return Guest{}, false, nil
		}
		return Guest{}, false, c.inquiry(err)
	}
	found, err := c.guests(body)
	if err != nil {
		return Guest{}, false, &rest.Error{Op: "read reservation", Method: http.MethodGet, Path: path, Fate: rest.Accepted, Status: http.StatusOK, Err: err}
	}
	for _, g := range found.Guests {
		if g.Reservation == reservation {
			return g, true, nil
		}
	}
	return Guest{}, false, nil
}

// inquiry gives the failure of an inquiry OPERA's words.
func (c *Client) inquiry(err error) error {
	var e *rest.Error
	if errors.As(err, &e) && e.Err == nil && len(e.Body) > 0 {
		if f := readFault(e.Body); f.text != "" {
			text := c.http.Redact(f.text)
			if len(f.codes) > 0 {
				text += " (" + f.codes[0] + ")"
			}
			e.Err = errors.New(text)
		}
	}
	return err
}

// maxGuests bounds what is read of one answer.
const maxGuests = 500

// guests reads an answer of either form. Entries of other hotels, without a reservation number or not in house are left
// out: none of them may be charged.
func (c *Client) guests(body []byte) (Found, error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return Found{}, nil // 204
	}
	var answer Reservations
	if err := json.Unmarshal(body, &answer, lenient); err != nil {
		return Found{}, errors.Join(rest.ErrNotJSON, err)
	}
	r := &answer.Reservations
	f := Found{More: r.HasMore}
	for _, v := range slices.Concat(r.Info, r.Reservation) {
		if len(f.Guests) == maxGuests {
			f.More = true
			break
		}
		if g, ok := c.guest(v); ok {
			f.Guests = append(f.Guests, g)
		}
	}
	return f, nil
}

func (c *Client) guest(v jsontext.Value) (Guest, bool) {
	if hotel := word(v, []string{"hotelId"}); hotel != "" && !strings.EqualFold(hotel, c.c.Hotel) {
		return Guest{}, false
	}
	at := &c.c.Fields
	g := Guest{
		Reservation: reservation(v, at.Reservation),
		Room:        word(v, at.Room),
		RoomType:    word(v, at.RoomType),
		Surname:     word(v, at.Surname),
		Given:       word(v, at.Given),
		Title:       word(v, at.Title),
		Profile:     word(v, at.Profile),
		VIP:         word(v, at.VIP),
		Status:      word(v, at.Status),
		Arrival:     word(v, at.Arrival),
		Departure:   word(v, at.Departure),
	}
	if g.Reservation == "" || g.Status != "" && !slices.ContainsFunc(c.c.InHouse, func(s string) bool { return strings.EqualFold(s, g.Status) }) {
		return Guest{}, false
	}
	if g.Surname == "" {
		g.Surname = word(v, at.FullName)
	}
	if found, ok := first(v, at.NoPost); ok {
		g.NoPost = truth(found)
	}
	for _, m := range []struct {
		paths []string
		to    **int64
	}{{at.CreditLimit, &g.CreditLimit}, {at.Balance, &g.Balance}} {
		if found, ok := first(v, m.paths); ok {
			if minor, ok := money(found, c.c.Currency, c.decimals); ok {
				*m.to = &minor
			}
		}
	}
	g.Paymaster = g.RoomType != "" && slices.Contains(c.c.PaymasterTypes, g.RoomType)
	return g, true
}

// reservation finds OPERA's own number in a list of identifiers: the one of type Reservation, never a confirmation's.
func reservation(v jsontext.Value, paths []string) string {
	for _, p := range paths {
		found, ok := lookup(v, p)
		if !ok {
			continue
		}
		switch found.Kind() {
		case '[':
			var all []jsontext.Value
			if json.Unmarshal(found, &all, lenient) != nil {
				continue
			}
			for _, one := range all {
				if word(one, []string{"type"}) == "Reservation" {
					if id := word(one, []string{"id"}); id != "" {
						return id
					}
				}
			}
		case '{':
			if t := word(found, []string{"type"}); t == "" || t == "Reservation" {
				if id := word(found, []string{"id"}); id != "" {
					return id
				}
			}
		default:
			if id := plain(found); id != "" {
				return id
			}
		}
	}
	return ""
}
