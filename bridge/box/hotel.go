package box

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/floor"
	"aboyeur/bridge/folio"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/fias"
	"aboyeur/protocol/ohip"
	"aboyeur/protocol/rest"
	"aboyeur/protocol/xmlpos"
)

// chargeWait is how long a payment waits for the hotel beyond the time it gives the hotel's answer: the inquiry before the
// posting has its own.
const chargeWait = 5 * time.Second

// buildFloor makes the checks, and the hotel that pays for some of them.
func (b *Box) buildFloor(ctx context.Context) (err error) {
	c := floor.Config{
		Journal: b.journal, Calendar: floor.Calendar{Location: b.c.Site.Location, Close: b.dayClose},
		Currency: b.c.Site.Currency.Code, Courses: len(b.c.Courses), Now: b.o.Now, Log: b.log, Follow: b.followCheck, Deposit: b.deposit, Enter: b.enter, Till: b.c.POS.Kind,
	}
	for _, a := range b.c.Floor.Areas {
		c.Areas = append(c.Areas, floor.Area{Name: a.Name, Tables: a.Tables})
	}
	if b.c.PMS.Kind != firmwareconfig.KindNone {
		if err := b.buildHotel(ctx); err != nil {
			return fmt.Errorf("hotel link: %w", err)
		}
		c.Hotel = books{b.folio, b.c.Site.Currency.Code, 2*b.c.PMS.AnswerTimeout + chargeWait}
		if len(b.c.PMS.Outlets) > 0 {
			c.Outlet = b.c.PMS.Outlets[0].Name
		}
	}
	b.checks, err = floor.New(ctx, c)
	return err
}

// buildHotel makes the link to the hotel system and what charges rooms through it.
func (b *Box) buildHotel(ctx context.Context) (err error) {
	p := &b.c.PMS
	if b.hotel, err = b.newPMS(p); err != nil {
		return err
	}
	c := folio.Config{
		Journal: b.journal, PMS: b.hotel, Calendar: folio.Calendar{Location: b.c.Site.Location, Close: b.c.Site.BusinessDayClose},
		Currency: b.c.Site.Currency.Code, Language: b.c.Site.Language, Dialect: p.Dialect, Address: peer(p), Version: p.Version, Branch: p.Branch,
		Method:      folio.PaymentMethod{Type: p.PaymentMethod.Type, Code: p.PaymentMethod.Code, Name: p.PaymentMethod.Name},
		TransmitAll: p.TransmitAllTickets, RevenueAccount: p.Revenue.Account, RevenueEvery: p.Revenue.Every, AnswerTimeout: p.AnswerTimeout,
		Key: func(key string) (access.Principal, bool) { return b.access.Bearer(key) },
		Settled: func(tx *journal.Tx, sale string, p folio.Posting) error {
			return b.checks.Settled(tx, sale, floorPosting(p))
		},
		Warnings: b.warnings, Now: b.o.Now, Log: b.log, Registerer: b.registry,
	}
	for _, o := range p.Outlets {
		c.Outlets = append(c.Outlets, folio.Outlet{Name: o.Name, Code: o.Code})
	}
	for _, r := range p.Revenue.Mapping {
		c.Mapping = append(c.Mapping, folio.Rule{Outlet: r.Outlet, POSConfig: r.POSConfig, FloorPlan: r.FloorPlan, Group: r.Group, Period: r.Period, Subtotal: r.Subtotal})
	}
	for key, value := range folio.BundleSettings(c) {
		b.fromBundle[key] = value
	}
	b.folio, err = folio.New(ctx, c)
	return err
}

// peer names where the hotel system is, for people.
func peer(p *firmwareconfig.PMS) string {
	if p.URL != "" {
		return p.URL
	}
	return p.Connect.String()
}

// newPMS makes the hotel system of the configured dialect.
func (b *Box) newPMS(p *firmwareconfig.PMS) (folio.PMS, error) {
	var secure *tls.Config
	if p.TLS {
		secure = &tls.Config{ServerName: p.Connect.Host, MinVersion: tls.VersionTLS12}
	}
	dial := folio.DialPort(p.Connect, secure)
	switch p.Dialect {
	case firmwareconfig.DialectFIAS:
		c := folio.FIASConfig{
			Dial: dial, Peer: peer(p), Encoding: p.Encoding, Location: b.c.Site.Location, Currency: b.c.Site.Currency.Code,
			Version: b.o.Version, AnswerTimeout: p.AnswerTimeout, NightLimit: p.NightAuditLimit, Now: b.o.Now, Log: b.log,
		}
		if p.AuthKeyFile != "" {
			text, err := os.ReadFile(p.AuthKeyFile)
			if err != nil {
				return nil, fmt.Errorf("read the IfcAuthKey: %w", err)
			}
			if c.Key, err = fias.ParseKey(string(bytes.TrimSpace(text))); err != nil {
				return nil, fmt.Errorf("%s: %w", p.AuthKeyFile, err)
			}
		}
		return folio.NewFIAS(c)
	case firmwareconfig.DialectXMLPOS:
		return folio.NewXMLPOS(folio.XMLPOSConfig{
			Dial: dial, Peer: peer(p), Dialect: xmlpos.Dialect{Charset: xmlpos.Charset(cmp.Or(p.Encoding, string(xmlpos.UTF8)))}, Location: b.c.Site.Location,
			Currency: b.c.Site.Currency.Code, AnswerTimeout: p.AnswerTimeout, Now: b.o.Now, Log: b.log,
		})
	default:
		return b.newCloud(p)
	}
}

// cloudSecrets is the file that pms.cloud.credentials_file names.
type cloudSecrets struct {
	AppKey       string `yaml:"app_key"`
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	Username     string `yaml:"username"` // where the property wants the password grant
	Password     string `yaml:"password"`
}

// newCloud makes the hotel system of OPERA Cloud.
func (b *Box) newCloud(p *firmwareconfig.PMS) (folio.PMS, error) {
	text, err := os.ReadFile(p.Cloud.CredentialsFile)
	if err != nil {
		return nil, fmt.Errorf("read the credentials of OPERA Cloud: %w", err)
	}
	var secrets cloudSecrets
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&secrets); err != nil {
		return nil, fmt.Errorf("%s is not YAML with app_key, client_id and client_secret alone", p.Cloud.CredentialsFile) // without the cause, which would quote it
	}
	c := ohip.Config{
		Gateway: p.URL, Hotel: p.Cloud.Hotel, AppKey: secrets.AppKey, ClientID: secrets.ClientID, ClientSecret: secrets.ClientSecret,
		Enterprise: p.Cloud.Enterprise, CashierID: p.Cloud.Cashier, Currency: b.c.Site.Currency.Code, AnswerTimeout: p.AnswerTimeout,
		Codes: map[string]ohip.Codes{}, HTTP: rest.Config{Now: b.o.Now},
	}
	if secrets.Username != "" {
		c.Grant, c.Username, c.Password = "password", secrets.Username, secrets.Password
	}
	for _, charges := range p.Cloud.Charges {
		name := charges.Outlet
		if name == firmwareconfig.Any {
			name = ""
		}
		c.Codes[name] = ohip.Codes{
			Total: charges.Total, ServiceCharge: charges.ServiceCharge, Tip: charges.Tip,
			Subtotals: numbered(charges.Subtotals), Taxes: numbered(charges.Taxes), Discounts: numbered(charges.Discounts),
		}
	}
	return folio.NewOHIP(folio.OHIPConfig{Client: c, Now: b.o.Now})
}

// numbered gives each entry its place, from 1.
func numbered(list []string) map[int]string {
	m := make(map[int]string, len(list))
	for i, v := range list {
		m[i+1] = v
	}
	return m
}

// books is the hotel as the floor knows it: it fits folio.Service to floor.Hotel, since neither knows the other.
type books struct {
	folio    *folio.Service
	currency string
	wait     time.Duration
}

var _ floor.Hotel = books{}

func (b books) Charge(ctx context.Context, by access.Principal, c floor.Charge, also func(*journal.Tx) error) (floor.Posting, error) {
	r := folio.Request{
		Room: c.Room, Reservation: c.Reservation, Guest: c.Guest, Amount: new(c.Amount + c.Tip), Tip: c.Tip, Currency: b.currency,
		Check: strconv.FormatInt(c.Number, 10), Outlet: c.Outlet, Table: c.Table, Covers: c.Covers, Staff: c.Staff, Manager: c.Manager,
	}
	for _, p := range c.Parts {
		r.Subtotals = append(r.Subtotals, folio.Item{Group: p.Group, Amount: p.Amount})
	}
	p, _, err := b.folio.Place(ctx, by, "", folio.Order{ID: c.ID, Sale: c.Check, Request: r, Also: also, Wait: b.wait})
	return floorPosting(p), err
}

func (b books) Posting(ctx context.Context, id journal.ID) (floor.Posting, bool, error) {
	p, err := b.folio.Get(ctx, id)
	if errors.Is(err, folio.ErrNone) {
		return floor.Posting{}, false, nil
	}
	return floorPosting(p), err == nil, err
}

func (b books) Sold(tx *journal.Tx, by access.Principal, v floor.Sale) error {
	s := folio.Sale{
		ID: v.ID, Check: strconv.FormatInt(v.Number, 10), Outlet: v.Outlet, FloorPlan: v.FloorPlan, Table: v.Table, Covers: v.Covers, Staff: v.Staff, At: v.At,
	}
	for _, p := range v.Parts {
		s.Parts = append(s.Parts, folio.Part{Part: folio.Subtotal, Group: p.Group, Amount: p.Amount})
	}
	for _, p := range v.Payments {
		paid := folio.Payment{ID: p.ID.String(), Method: p.Method, Amount: p.Amount, Tip: p.Tip}
		if p.Posting != nil {
			paid.Posting = *p.Posting
		}
		s.Payments = append(s.Payments, paid)
	}
	return b.folio.Sold(tx, by, s)
}

func floorPosting(p folio.Posting) floor.Posting {
	v := floor.Posting{ID: p.ID, Kind: p.Kind, State: p.State, Reason: p.Reason, Message: p.Message, Tip: p.Tip}
	if p.Amount != nil {
		v.Amount = *p.Amount
	}
	if p.Original != nil {
		v.Original = *p.Original
	}
	return v
}
