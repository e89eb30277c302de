package ohip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	"aboyeur/protocol/ohip"
)

const (
	defaultLimit = 20
	maxLimit     = 200
)

func (s *Simulator) page(r *http.Request) (limit, offset int, bad *reply) {
	limit, err := number(r.FormValue("limit"), defaultLimit)
	if err == nil && (limit == 0 || limit > maxLimit) {
		err = fmt.Errorf("limit of %d", limit)
	}
	if err == nil {
		offset, err = number(r.FormValue("offset"), 0)
	}
	for _, f := range r.Form["fetchInstructions"] {
		if strings.Contains(f, ",") { // seen of OPERA: one parameter each, never a list
			err = fmt.Errorf("fetchInstructions")
		}
	}
	if err != nil {
		p := refuse(http.StatusBadRequest, "OPERAWS-GEN01346", "Invalid value of: Query.")
		return 0, 0, &p
	}
	return limit, offset, nil
}

// search is getHotelReservations.
func (s *Simulator) search(r *http.Request, _ []byte, _ []Kind, _ bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	limit, offset, bad := s.page(r)
	if bad != nil {
		return *bad
	}
	if r.FormValue("searchType") != "InHouse" {
		return refuse(http.StatusBadRequest, "OPERAWS-GEN01346", "Minimum search criteria not met, please provide more details.")
	}
	room, name := r.FormValue("roomId"), strings.ToLower(strings.TrimSuffix(r.FormValue("surname"), "%"))
	s.mu.Lock()
	defer s.mu.Unlock()
	var fits []any
	for _, id := range s.order {
		g := s.guests[id]
		if !g.inHouse() || room != "" && g.Room != room || !strings.HasPrefix(strings.ToLower(g.Surname), name) {
			continue
		}
		fits = append(fits, s.info(g))
	}
	total := len(fits)
	if total == 0 {
		return reply{status: http.StatusOK, body: map[string]any{"reservations": map[string]any{"totalPages": 0, "offset": offset, "limit": limit, "hasMore": false, "totalResults": 0}}}
	}
	fits = fits[min(offset, total):min(offset+limit, total)]
	return reply{status: http.StatusOK, body: map[string]any{"reservations": map[string]any{
		"reservationInfo": fits, "totalPages": (total + limit - 1) / limit, "offset": offset + len(fits), "limit": limit, "hasMore": offset+len(fits) < total, "totalResults": total,
	}}}
}

// amount writes minor units as OPERA does; s.mu need not be held.
func (s *Simulator) amount(minor int64) map[string]any {
	return map[string]any{"amount": json.Number(ohip.FormatMinor(minor, ohip.Decimals(s.c.Currency))), "currencyCode": s.c.Currency}
}

// info is one guest as the list has it. s.mu is held.
func (s *Simulator) info(g *Guest) map[string]any {
	i := map[string]any{
		"reservationIdList": []any{map[string]string{"id": "C" + g.Reservation, "type": "Confirmation"}, map[string]string{"id": g.Reservation, "type": "Reservation"}},
		"roomStay":          map[string]any{"arrivalDate": g.Arrival, "departureDate": g.Departure, "roomType": g.RoomType, "roomId": g.Room},
		"reservationGuest": map[string]any{"givenName": g.Given, "surname": g.Surname, "nameTitle": g.Title, "fullName": g.Name(),
			"vip": map[string]string{"vipCode": g.VIP}, "id": "P" + g.Reservation},
		"reservationStatus": g.Status, "computedReservationStatus": g.Status, "hotelId": s.c.Hotel, "roomStayReservation": true,
		"cashiering": map[string]any{
			"billingPrivileges":   map[string]any{"postingRestriction": g.NoPost},
			"revenuesAndBalances": map[string]any{"balance": s.amount(s.balance[g.Reservation])},
		},
	}
	if g.CreditLimit != nil {
		i["cashiering"].(map[string]any)["creditLimit"] = s.amount(*g.CreditLimit)
	}
	return i
}

// reservation is getReservation, which has another form than the list.
func (s *Simulator) reservation(r *http.Request, _ []byte, _ []Kind, _ bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	if _, _, bad := s.page(r); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, p := s.find(r.PathValue("reservation"))
	if g == nil {
		return p
	}
	i := s.info(g)
	delete(i, "reservationGuest")
	i["reservationGuests"] = []any{map[string]any{"primary": true, "profileInfo": map[string]any{
		"profileIdList": []any{map[string]string{"id": "P" + g.Reservation, "type": "Profile"}},
		"profile": map[string]any{"customer": map[string]any{"personName": []any{map[string]string{
			"givenName": g.Given, "surname": g.Surname, "nameTitle": g.Title, "nameType": "Primary"}}}},
	}}}
	i["roomStay"] = map[string]any{"arrivalDate": g.Arrival, "departureDate": g.Departure, "currentRoomInfo": map[string]any{"roomType": g.RoomType, "roomId": g.Room}}
	return reply{status: http.StatusOK, body: map[string]any{"reservations": map[string]any{"reservation": []any{i}}}}
}

// find gives the guest of a reservation, or what OPERA answers instead. s.mu is held.
func (s *Simulator) find(id string) (*Guest, reply) {
	if _, err := strconv.ParseUint(id, 10, 63); err != nil {
		return nil, refuse(http.StatusBadRequest, "OPERAWS-GEN01278", id+" - Please enter a valid number.")
	}
	g, ok := s.guests[id]
	if !ok {
		return nil, refuse(http.StatusNotFound, "", "Reservation not found.")
	}
	return g, reply{}
}

// read takes the body of a booking: strictly, as OPERA does.
func (s *Simulator) read(body []byte) (ohip.Criteria, *reply) {
	var q ohip.ChargesRequest
	if err := jsonv2.Unmarshal(body, &q, jsonv2.RejectUnknownMembers(true)); err != nil {
		p := refuse(http.StatusBadRequest, "OPERAWS-GEN01242", "Unknown property or value.")
		return q.Criteria, &p
	}
	if q.Criteria.HotelID != s.c.Hotel {
		p := refuse(http.StatusBadRequest, "OPERAWS-GEN01244", "Hotel of the criteria is another one.")
		return q.Criteria, &p
	}
	return q.Criteria, nil
}

// lines checks charges and makes postings of them, without numbers yet. s.mu is held.
func (s *Simulator) lines(c *ohip.Criteria) (lines []Line, total int64, bad *reply) {
	no := func(status int, code, title string) ([]Line, int64, *reply) {
		p := refuse(status, code, title)
		return nil, 0, &p
	}
	if len(c.Charges) == 0 {
		return no(http.StatusBadRequest, "OPERAWS-GEN01346", "Charges are required.")
	}
	cashier := strings.Trim(string(c.CashierID), `"`)
	if s.c.Cashiers != nil && !slices.Contains(s.c.Cashiers, cashier) {
		return no(http.StatusBadRequest, "OPERAWS-FOF00094", "Invalid Cashier")
	}
	for _, h := range c.Charges {
		if h.TransactionCode == "" || s.c.Codes != nil && !slices.Contains(s.c.Codes, h.TransactionCode) {
			return no(http.StatusBadRequest, "OPERAWS-FOF00001", "Invalid transaction code "+h.TransactionCode)
		}
		if h.Price.CurrencyCode != "" && h.Price.CurrencyCode != s.c.Currency {
			return no(http.StatusBadRequest, "OPERAWS-FOF00002", "Invalid currency "+h.Price.CurrencyCode)
		}
		minor, err := h.Price.Amount.Minor(ohip.Decimals(s.c.Currency))
		if err != nil {
			return no(http.StatusBadRequest, "OPERAWS-FOF01952", "The amount has more decimals than the currency allows.")
		}
		if h.PostingQuantity == 0 || h.PostingQuantity < -1000 || h.PostingQuantity > 1000 || minor > 1e12 || minor < -1e12 {
			return no(http.StatusBadRequest, "OPERAWS-GEN01346", "Invalid quantity or amount.")
		}
		line := Line{Code: h.TransactionCode, Amount: minor * int64(h.PostingQuantity), Quantity: h.PostingQuantity, Window: max(1, h.FolioWindowNo)}
		total += line.Amount
		lines = append(lines, line)
	}
	return lines, total, nil
}

// charge is postBillingCharges and postBillingCheckCharges.
func (s *Simulator) charge(r *http.Request, body []byte, faults []Kind, twice bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	c, bad := s.read(body)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, p := s.find(r.PathValue("reservation"))
	if g == nil {
		return p
	}
	lines, total, bad := s.lines(&c)
	check := r.PathValue("check")
	switch {
	case bad != nil:
		return *bad
	case slices.Contains(faults, NightAudit):
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00003", "End of day is in progress. Posting is not possible.")
	case !g.inHouse():
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00004", "The guest is not in house.")
	case g.NoPost:
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00005", "No Post is set on the reservation.")
	case total > 0 && g.CreditLimit != nil && s.balance[g.Reservation]+total > *g.CreditLimit:
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00006", "The posting exceeds the credit limit of the reservation.")
	case c.ReservationID != nil && c.ReservationID.ID != g.Reservation:
		return refuse(http.StatusBadRequest, "OPERAWS-GEN01346", "Reservation of the criteria is another one.")
	case check != "" && slices.ContainsFunc(c.Charges, func(h ohip.Charge) bool { return h.CheckNumber != check }):
		return refuse(http.StatusBadRequest, "OPERAWS-GEN01346", "Check number of a charge is another one.")
	}
	e := Entry{Op: Charge, Reservation: g.Reservation, Room: g.Room, Lines: lines, Amount: total}
	s.book(r, &c, e, faults, twice)
	return reply{status: http.StatusCreated, body: map[string]any{"links": []any{}}}
}

// sale is postPasserBySale.
func (s *Simulator) sale(r *http.Request, body []byte, faults []Kind, twice bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	c, bad := s.read(body)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, total, bad := s.lines(&c)
	if bad != nil {
		return *bad
	}
	if slices.Contains(faults, NightAudit) {
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00003", "End of day is in progress. Posting is not possible.")
	}
	var paid int64
	for _, p := range c.Payments {
		minor, err := p.PostingAmount.Amount.Minor(ohip.Decimals(s.c.Currency))
		if err != nil || p.PaymentMethod.PaymentMethod == "" {
			return refuse(http.StatusBadRequest, "OPERAWS-FOF00007", "Invalid payment.")
		}
		paid += minor
	}
	if paid != total {
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00108", "The folio has an open balance. Settle the balance, then retry.")
	}
	e := Entry{Op: Sale, Lines: lines, Amount: total, Method: c.Payments[0].PaymentMethod.PaymentMethod}
	s.book(r, &c, e, faults, twice)
	return reply{status: http.StatusCreated, body: map[string]any{"folioWindowDetails": []any{}}}
}

// book writes an entry into the ledger, twice where a fault says so. s.mu is held.
func (s *Simulator) book(r *http.Request, c *ohip.Criteria, e Entry, faults []Kind, twice bool) {
	h := c.Charges[0]
	e.Check, e.Reference, e.Remark, e.Covers = h.CheckNumber, h.PostingReference, h.PostingRemark, h.Covers
	e.Request, e.Faults, e.Currency = r.Header.Get("x-request-id"), faults, s.c.Currency
	s.enter(e)
	if twice {
		e.Duplicate = true
		e.Lines = slices.Clone(e.Lines)
		s.enter(e)
	}
}

func (s *Simulator) enter(e Entry) {
	s.entries++
	e.N, e.At = s.entries, s.c.Now()
	for i := range e.Lines {
		s.number++
		e.Lines[i].Number = s.number
	}
	if e.Reservation != "" {
		s.balance[e.Reservation] += e.Amount
	}
	if len(s.ledger) >= s.c.Keep {
		s.ledger = slices.Delete(s.ledger, 0, 1+s.c.Keep/10)
	}
	s.ledger = append(s.ledger, e)
	if s.c.Ledger != nil && s.ledgerErr == nil {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = s.c.Ledger.Write(append(line, '\n'))
		}
		if err != nil {
			s.ledgerErr = err
			s.log.Error("ledger cannot be written", "err", err)
		}
	}
	if s.c.OnEntry != nil {
		s.c.OnEntry(e)
	}
}

// voidCheck is voidBillingCheckCharges: everything under the check's number is booked back.
func (s *Simulator) voidCheck(r *http.Request, _ []byte, faults []Kind, _ bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	check := r.PathValue("check")
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(faults, NightAudit) {
		return refuse(http.StatusBadRequest, "OPERAWS-FOF00003", "End of day is in progress. Posting is not possible.")
	}
	open := map[string]map[string]int64{} // reservation -> code -> amount
	rooms := map[string]string{}
	for _, e := range s.ledger {
		if e.Check != check || e.Reservation == "" {
			continue
		}
		if open[e.Reservation] == nil {
			open[e.Reservation] = map[string]int64{}
		}
		rooms[e.Reservation] = e.Room
		for _, l := range e.Lines {
			open[e.Reservation][l.Code] += l.Amount
		}
	}
	booked := false
	for _, id := range s.order {
		e := Entry{Op: VoidCheck, Reservation: id, Room: rooms[id], Check: check, Currency: s.c.Currency, Request: r.Header.Get("x-request-id"), Faults: faults}
		var codes []string
		for code := range open[id] {
			codes = append(codes, code)
		}
		slices.Sort(codes)
		for _, code := range codes {
			if a := open[id][code]; a != 0 {
				e.Lines = append(e.Lines, Line{Code: code, Amount: -a, Quantity: 1, Window: 1})
				e.Amount -= a
			}
		}
		if len(e.Lines) > 0 {
			s.enter(e)
			booked = true
		}
	}
	if !booked {
		return refuse(http.StatusNotFound, "", "Check not found.")
	}
	return reply{status: http.StatusOK, body: map[string]any{"links": []any{}}}
}

// folio is getFolio: a window with a folio with postings, a page at a time.
func (s *Simulator) folio(r *http.Request, _ []byte, _ []Kind, _ bool) reply {
	if p, ok := s.admit(r); !ok {
		return p
	}
	limit, offset, bad := s.page(r)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, p := s.find(r.PathValue("reservation"))
	if g == nil {
		return p
	}
	var all []any
	for _, e := range s.ledger {
		if e.Reservation != g.Reservation {
			continue
		}
		for _, l := range e.Lines {
			all = append(all, map[string]any{
				"transactionNo": l.Number, "transactionCode": l.Code, "postedAmount": s.amount(l.Amount), "transactionAmount": json.Number(ohip.FormatMinor(l.Amount, ohip.Decimals(s.c.Currency))),
				"reference": e.Reference + " ", // OPERA pads it so
				"remark":    e.Remark, "checkNumber": e.Check, "folioWindowNo": l.Window, "transactionDate": e.At.UTC().Format("2006-01-02"),
			})
		}
	}
	total := len(all)
	window := map[string]any{"folioWindowNo": 1, "balance": s.amount(s.balance[g.Reservation]), "emptyFolio": total == 0}
	if r.FormValue("summaryOnly") == "false" {
		all = all[min(offset, total):min(offset+limit, total)]
		window["folios"] = []any{map[string]any{"folioWindowNo": 1, "postings": all}}
		window["hasMore"] = offset+len(all) < total
	}
	return reply{status: http.StatusOK, body: map[string]any{"reservationFolioInformation": map[string]any{
		"reservationInfo": s.info(g), "folioWindows": []any{window},
	}}}
}
