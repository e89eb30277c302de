package ohip

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/rest"
)

// Defaults for a Config left at zero.
const (
	DefaultScope         = "urn:opc:hgbu:ws:__myscopes__" // of grant client_credentials
	DefaultTimeout       = 10 * time.Second               // of an inquiry
	DefaultAnswerTimeout = 60 * time.Second               // of a posting (docs/spec/fias.md 6.9)
	DefaultMatches       = 16                             // guests of one inquiry
	DefaultMaxAnswer     = 2 << 20                        // bytes; a folio's page has a tenth of it
)

// MaxText is the longest reference or remark, in characters (docs/spec/fias.md 10.2).
const MaxText = 2000

// Config is one hotel on one gateway. Gateway, Hotel, AppKey, ClientID and ClientSecret are required.
type Config struct {
	Gateway string // https://HOST
	Hotel   string // OPERA's code of the property; goes into x-hotelid and paths
	AppKey  string // x-app-key

	ClientID     string
	ClientSecret string
	Grant        string // client_credentials (default), or password with Username and Password
	Username     string
	Password     string
	Scope        string // "" means DefaultScope with client_credentials, none with password
	Enterprise   string // enterpriseId of client_credentials

	ExternalSystem string // x-externalsystem; "" sends none
	Application    string // x-originating-application; "" sends none

	Currency string         // of amounts that come without
	Decimals map[string]int // of currencies that the property keeps other than ISO 4217 does

	CashierID       string           // of the integration user; a number goes as one
	CashierOnCharge bool             // in each charge too
	Window          int              // folio window of a posting that names none; 0: OPERA decides
	Codes           map[string]Codes // transaction codes by outlet; "" is for outlets not named

	ReservationInBody bool       // reservationId in the criteria too; some properties answer 500 to it
	PostIt            *bool      // criteria.postIt; nil sends none
	ByCheck           bool       // post to …/check/{check}/charges, which validates
	VoidBy            VoidBy     // how Void is written
	Charge            Charge     // optional members of every charge: routing, allowance, automatic posting, article
	IncomeAuditDate   string     // criteria.incomeAuditDate; "" sends none
	Matches           int        // guests asked for at once; 0 means DefaultMatches
	NameSuffix        string     // put behind a name to search by its beginning, where the property wants a wildcard
	Search            url.Values // of an inquiry; nil means searchType=InHouse
	RoomParam         string     // "" means roomId
	NameParam         string     // "" means surname
	Fetch             []string   // fetchInstructions of Reservation, one parameter each
	InHouse           []string   // reservation statuses that may be charged; nil means InHouse, DueOut, CheckedIn
	PaymasterTypes    []string   // room types of paymaster rooms; nil means PM
	Fields            Fields
	Paths             Paths
	Rules             []Rule // before DefaultRules

	Timeout       time.Duration // of an inquiry; 0 means DefaultTimeout
	AnswerTimeout time.Duration // of a posting, one attempt; 0 means DefaultAnswerTimeout

	// HTTP has TLS, clock, retries, limits and trace. Base, Tokens, Header, Secrets and KeyHeader are set here.
	HTTP rest.Config
}

// Paths are the operations' paths; {hotel}, {reservation} and {check} are filled in. "" means the usual one.
type Paths struct {
	Token, Reservations, Reservation, Charges, CheckCharges, VoidCheck, PasserBy, Folio string
}

func (p Paths) withDefaults() Paths {
	for _, d := range []struct {
		path  *string
		value string
	}{
		{&p.Token, "/oauth/v1/tokens"},
		{&p.Reservations, "/rsv/v1/hotels/{hotel}/reservations"},
		{&p.Reservation, "/rsv/v1/hotels/{hotel}/reservations/{reservation}"},
		{&p.Charges, "/csh/v1/hotels/{hotel}/reservations/{reservation}/charges"},
		{&p.CheckCharges, "/csh/v1/hotels/{hotel}/reservations/{reservation}/check/{check}/charges"},
		{&p.VoidCheck, "/csh/v1/hotels/{hotel}/check/{check}/charges"},
		{&p.PasserBy, "/csh/v1/hotels/{hotel}/passerBySale"},
		{&p.Folio, "/csh/v1/hotels/{hotel}/reservations/{reservation}/folios"},
	} {
		if *d.path == "" {
			*d.path = d.value
		}
	}
	return p
}

// Codes are the transaction codes of one outlet: what OPERA books a part of a check on.
type Codes struct {
	Subtotals     map[int]string // 1-16
	Discounts     map[int]string // a discount without one is booked on its subtotal's
	Taxes         map[int]string
	ServiceCharge string
	Tip           string
	Total         string // not "": the whole check goes as one charge on this, its parts are only checked
}

// VoidBy is how a void is written (docs/spec/fias.md 10.2 names both).
type VoidBy string

const (
	VoidByAmount   VoidBy = ""         // negative amounts
	VoidByQuantity VoidBy = "quantity" // quantity -1
)

// A Client speaks for one hotel. Its methods may be called from any goroutine.
type Client struct {
	c       Config
	cashier jsontext.Value
	rules   []Rule
	tokens  *rest.Tokens
	http    *rest.Client
}

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	var faults []error
	for _, need := range []struct{ name, value string }{
		{"gateway", c.Gateway}, {"hotel", c.Hotel}, {"app key", c.AppKey}, {"client id", c.ClientID}, {"client secret", c.ClientSecret},
	} {
		if need.value == "" {
			faults = append(faults, fmt.Errorf("OPERA Cloud: %s is missing", need.name))
		}
	}
	if c.VoidBy != VoidByAmount && c.VoidBy != VoidByQuantity {
		faults = append(faults, fmt.Errorf("OPERA Cloud: void by %q is not known; leave it out or write quantity", c.VoidBy))
	}
	for currency, n := range c.Decimals {
		if n < 0 || n > 4 {
			faults = append(faults, fmt.Errorf("OPERA Cloud: %d decimals of %s; write 0 to 4", n, currency))
		}
	}
	for name, value := range map[string]string{"hotel": c.Hotel, "app key": c.AppKey, "enterprise": c.Enterprise, "external system": c.ExternalSystem, "application": c.Application} {
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			faults = append(faults, fmt.Errorf("OPERA Cloud: %s has a character that a header cannot hold", name))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c.Gateway = strings.TrimRight(c.Gateway, "/")
	if c.Scope == "" && c.Grant != "password" {
		c.Scope = DefaultScope
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.AnswerTimeout <= 0 {
		c.AnswerTimeout = DefaultAnswerTimeout
	}
	if c.Matches <= 0 {
		c.Matches = DefaultMatches
	}
	if c.Search == nil {
		c.Search = url.Values{"searchType": {"InHouse"}}
	}
	if c.RoomParam == "" {
		c.RoomParam = "roomId"
	}
	if c.NameParam == "" {
		c.NameParam = "surname"
	}
	if c.InHouse == nil {
		c.InHouse = []string{"InHouse", "DueOut", "CheckedIn"}
	}
	if c.PaymasterTypes == nil {
		c.PaymasterTypes = []string{"PM"}
	}
	c.Fields = c.Fields.withDefaults()
	c.Paths = c.Paths.withDefaults()

	o := &Client{c: c, rules: append(append([]Rule(nil), c.Rules...), DefaultRules()...)}
	if c.CashierID != "" {
		o.cashier = jsontext.Value(c.CashierID)
		if _, err := strconv.ParseUint(c.CashierID, 10, 53); err != nil || c.CashierID[0] == '0' {
			b, err := jsontext.AppendQuote(nil, c.CashierID)
			if err != nil {
				return nil, fmt.Errorf("OPERA Cloud: cashier: %w", err)
			}
			o.cashier = b
		}
	}

	transport := c.HTTP
	if transport.MaxAnswer <= 0 {
		transport.MaxAnswer = DefaultMaxAnswer
	}
	transport.Secrets = append([]string{c.AppKey, c.ClientSecret, c.Password}, transport.Secrets...)
	transport.Hidden = append([]string{c.NameParam}, transport.Hidden...)
	header := http.Header{"X-App-Key": {c.AppKey}}
	if c.Enterprise != "" {
		header.Set("enterpriseId", c.Enterprise)
	}
	var err error
	o.tokens, err = rest.NewTokens(rest.OAuth{
		Endpoint: c.Gateway + c.Paths.Token, Grant: c.Grant, ID: c.ClientID, Secret: c.ClientSecret,
		Username: c.Username, Password: c.Password, Scope: c.Scope, Header: header, HTTP: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("OPERA Cloud: %w", err)
	}
	transport.Base, transport.Tokens = c.Gateway, o.tokens
	transport.KeyHeader = "x-request-id"
	transport.Header = http.Header{"X-App-Key": {c.AppKey}, "X-Hotelid": {c.Hotel}}
	if c.ExternalSystem != "" {
		transport.Header.Set("x-externalsystem", c.ExternalSystem)
	}
	if c.Application != "" {
		transport.Header.Set("x-originating-application", c.Application)
	}
	if o.http, err = rest.New(transport); err != nil {
		return nil, fmt.Errorf("OPERA Cloud: %w", err)
	}
	return o, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.http.Close()
	c.tokens.Close()
}

// path fills in a path of Config.Paths.
func (c *Client) path(template, reservation, check string) string {
	segment := func(s string) string { return strings.TrimPrefix(rest.Path(s), "/") }
	return strings.NewReplacer("{hotel}", segment(c.c.Hotel), "{reservation}", segment(reservation), "{check}", segment(check)).Replace(template)
}

func (c *Client) decimals(currency string) int {
	if currency == "" {
		currency = c.c.Currency
	}
	if n, ok := c.c.Decimals[currency]; ok {
		return n
	}
	return Decimals(currency)
}

func (c *Client) now() time.Time {
	if c.c.HTTP.Now != nil {
		return c.c.HTTP.Now()
	}
	return time.Now()
}
