package ohip

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Guest is a reservation of the hotel.
type Guest struct {
	Reservation string `json:"reservation"`
	Room        string `json:"room"`
	RoomType    string `json:"room_type,omitempty"` // "" means STD; PM is a paymaster
	Surname     string `json:"surname"`
	Given       string `json:"given,omitempty"`
	Title       string `json:"title,omitempty"`
	VIP         string `json:"vip,omitempty"`
	NoPost      bool   `json:"no_post,omitempty"`
	CreditLimit *int64 `json:"credit_limit,omitempty"` // minor units; absent: none
	Status      string `json:"status,omitempty"`       // "" means InHouse
	Arrival     string `json:"arrival,omitempty"`
	Departure   string `json:"departure,omitempty"`
}

// maxGuests bounds a hotel.
const maxGuests = 20000

// ReadGuests reads a JSON array of guests, as a file for `aboyeur simulate` has it.
func ReadGuests(r io.Reader) ([]Guest, error) {
	d := json.NewDecoder(io.LimitReader(r, 16<<20))
	d.DisallowUnknownFields()
	var all []Guest
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("guests: %w; write [{\"reservation\":\"12345\",\"room\":\"217\",\"surname\":\"Doe\"}]", err)
	}
	return all, nil
}

// check completes g and finds what is wrong with it.
func (g *Guest) check() error {
	if g.Reservation == "" || g.Room == "" || g.Surname == "" {
		return errors.New("a guest has a reservation, a room and a surname")
	}
	if g.RoomType == "" {
		g.RoomType = "STD"
	}
	if g.Status == "" {
		g.Status = "InHouse"
	}
	return nil
}

func (g *Guest) inHouse() bool { return g.Status == "InHouse" || g.Status == "DueOut" }

// Demo is a small hotel with every case in it: sharers, no post, a credit limit, a paymaster, a guest who has left.
func Demo() []Guest {
	limit := int64(50000)
	return []Guest{
		{Reservation: "24331", Room: "217", Surname: "Doe", Given: "Jo", Title: "Mrs", CreditLimit: &limit, Arrival: "2026-11-20", Departure: "2026-11-24"},
		{Reservation: "24332", Room: "217", Surname: "Doe", Given: "Jack", Title: "Mr", Arrival: "2026-11-20", Departure: "2026-11-24"},
		{Reservation: "24401", Room: "304", Surname: "Guérin", Given: "Zoé", Title: "Mme", VIP: "V1"},
		{Reservation: "24402", Room: "305", Surname: "Nopost", Given: "Ned", NoPost: true},
		{Reservation: "24403", Room: "0306", Surname: "Müller", Given: "Jürgen", Title: "Herr", Status: "DueOut"},
		{Reservation: "24404", Room: "306", Surname: "Gone", Given: "Greta", Status: "CheckedOut"},
		{Reservation: "90001", Room: "9001", RoomType: "PM", Surname: "Restaurant revenue"},
	}
}

// An Entry is one request that booked something.
type Entry struct {
	N           uint64    `json:"n"` // from 1
	At          time.Time `json:"at"`
	Op          Op        `json:"op"` // charge, void_check, sale
	Reservation string    `json:"reservation,omitempty"`
	Room        string    `json:"room,omitempty"`
	Check       string    `json:"check,omitempty"`
	Reference   string    `json:"reference,omitempty"`
	Remark      string    `json:"remark,omitempty"`
	Covers      int       `json:"covers,omitempty"`
	Currency    string    `json:"currency"`
	Amount      int64     `json:"amount"` // minor units, the sum of its lines
	Lines       []Line    `json:"lines"`
	Method      string    `json:"method,omitempty"`    // of a sale
	Request     string    `json:"request,omitempty"`   // x-request-id
	Duplicate   bool      `json:"duplicate,omitempty"` // booked a second time by a fault
	Faults      []Kind    `json:"faults,omitempty"`    // that struck this request
}

// Line is one posting on a folio.
type Line struct {
	Number   int64  `json:"number"` // transaction number
	Code     string `json:"code"`
	Amount   int64  `json:"amount"` // minor units, quantity included
	Quantity int    `json:"quantity"`
	Window   int    `json:"window"`
}

// Name is the guest's, as reception writes it.
func (g *Guest) Name() string {
	return strings.TrimSpace(g.Surname + ", " + strings.TrimSpace(g.Title+" "+g.Given))
}
