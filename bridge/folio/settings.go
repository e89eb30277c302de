package folio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// RoomCode is the one code a room payment may have (OPR-07).
const RoomCode = "IKPMS"

// defaultRoom is PM of a room payment.
const defaultRoom = "ROOM"

// Keys of the settings in the journal. A bundle may bring values under the same keys.
const (
	keyMethod   = "pms.payment_method"
	keyMapping  = "pms.mapping"
	keyGateway  = "pms.gateway"
	keyTenders  = "pms.tenders"
	keyChecked  = "pms.checklist"
	KeyClose    = "site.business_day_close" // the box's calendars read it at start
	maxRules    = 500
	maxOutlets  = 100
	maxAccounts = 200
)

// MethodSetting is the room payment as people set it up (OPR-04 to OPR-10).
type MethodSetting struct {
	PaymentMethod
	TransmitAll bool   `json:"transmit_all_tickets" doc:"every closed check is told to the hotel, whatever paid it"`
	Address     string `json:"server_address" doc:"IP address or name of the till that hands payments over; with a port it is tried"`
}

// MappingSetting assigns revenue (OPR-26).
type MappingSetting struct {
	Outlets    []Outlet `json:"outlets"`
	Rules      []Rule   `json:"rules" doc:"the first that fits holds; a last one of any everywhere is a default"`
	Paymasters []string `json:"paymasters,omitzero" doc:"rooms that are house accounts; * at the end stands for the rest"`
}

// GatewaySetting is the virtual till that the POS vendor makes for the link (OPR-11).
type GatewaySetting struct {
	Name    string `json:"name"`
	Product string `json:"product" doc:"what the vendor is told it is for"`
	Case    string `json:"case,omitzero" doc:"the vendor's number for the request"`
}

// settings are the values in force.
type settings struct {
	MethodSetting
	MappingSetting
	Gateway   GatewaySetting
	Tenders   map[string]string    // method to the hotel's PM
	Checked   map[string]checkMark // items that a person ticks
	Close     time.Duration
	account   string
	Revisions map[string]int64
}

type checkMark struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitzero"`
}

func (s *settings) firstOutlet() string {
	if len(s.Outlets) == 0 {
		return ""
	}
	return s.Outlets[0].Name
}

// outlet is the number of an outlet in the hotel system, 0 when it has none.
func (s *settings) outlet(name string) int {
	for _, o := range s.Outlets {
		if o.Name == name {
			return o.Code
		}
	}
	return 0
}

// method is the PM that stands for a payment: at most five characters (spec/fias.md 5).
func (s *settings) method(name string) string {
	if name == "" || name == RoomMethod {
		return cmp.Or(s.Tenders[RoomMethod], defaultRoom)
	}
	if pm := s.Tenders[name]; pm != "" {
		return pm
	}
	var short []rune
	for _, c := range strings.ToUpper(name) {
		if c > ' ' && c != '|' && len(short) < 5 {
			short = append(short, c)
		}
	}
	return string(short)
}

// paymaster tells whether a room is a house account.
func (s *settings) paymaster(room string) bool {
	return room != "" && (room == s.account || slices.ContainsFunc(s.Paymasters, func(p string) bool {
		begin, wild := strings.CutSuffix(p, "*")
		return p == room || wild && strings.HasPrefix(room, begin)
	}))
}

// loadSettings puts in force what the journal has, over what the configuration gives. Reading a list writes into the one that is
// there, so lists are copies: those of the configuration are read by who works with the settings before these.
func (s *Service) loadSettings(ctx context.Context) error {
	set := &settings{
		MethodSetting:  MethodSetting{PaymentMethod: s.c.Method, TransmitAll: s.c.TransmitAll},
		MappingSetting: MappingSetting{Outlets: slices.Clone(s.c.Outlets), Rules: slices.Clone(s.c.Mapping)},
		Tenders:        map[string]string{}, Checked: map[string]checkMark{}, Close: s.c.Calendar.Close, account: s.c.RevenueAccount, Revisions: map[string]int64{},
	}
	set.Type, set.Code, set.Name = cmp.Or(set.Type, RoomMethod), cmp.Or(set.Code, RoomCode), cmp.Or(set.Name, "Opera")
	set.Gateway.Product = "Oracle OPERA"
	var closing string
	for key, dst := range map[string]any{
		keyMethod: &set.MethodSetting, keyMapping: &set.MappingSetting, keyGateway: &set.Gateway, keyTenders: &set.Tenders, keyChecked: &set.Checked, KeyClose: &closing,
	} {
		stored, err := s.c.Journal.Setting(ctx, key)
		if errors.Is(err, journal.ErrNoSetting) {
			continue
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(stored.Value, dst); err != nil {
			return fmt.Errorf("setting %s: %w", key, err)
		}
		set.Revisions[key] = stored.Revision
	}
	if closing != "" {
		d, ok := parseClock(closing)
		if !ok {
			return fmt.Errorf("setting %s: %q is not a time of day", KeyClose, closing)
		}
		set.Close = d
	}
	s.set.Store(set)
	return nil
}

// BundleSettings are the values that a configuration gives the settings people change in the console, by key: what a bundle
// brings for them.
func BundleSettings(c Config) map[string][]byte {
	return map[string][]byte{
		keyMethod:  encode(MethodSetting{PaymentMethod: c.Method, TransmitAll: c.TransmitAll}),
		keyMapping: encode(MappingSetting{Outlets: c.Outlets, Rules: c.Mapping}),
	}
}

// parseClock reads HH:MM.
func parseClock(text string) (time.Duration, bool) {
	if len(text) != 5 {
		return 0, false
	}
	at, err := time.Parse("15:04", text)
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, err == nil
}

func formatClock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
}

// put changes a setting made from a revision, notes it in the audit log, and puts it in force.
func (s *Service) put(ctx context.Context, by access.Principal, key string, revision int64, value any) error {
	s.putting.Lock()
	defer s.putting.Unlock()
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, err := tx.PutSetting(key, encode(value), revision, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, "setting", key, string(encode(value)))
	})
	if err != nil {
		return api.Outdated(err)
	}
	return s.loadSettings(context.WithoutCancel(ctx))
}

func (m *MethodSetting) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	if m.Type != RoomMethod {
		wrong("/type", "is not room: only a charge to a room goes to the hotel")
	}
	if m.Code != RoomCode {
		wrong("/code", "is not "+RoomCode+", by which tills and hotel link know a room payment; write "+RoomCode)
	}
	if strings.TrimSpace(m.Name) == "" || utf8.RuneCountInString(m.Name) > maxShort {
		wrong("/name", "is empty or longer than "+strconv.Itoa(maxShort)+" characters")
	}
	if m.Address != "" {
		if err := checkAddress(m.Address); err != nil {
			wrong("/server_address", err.Error())
		}
	}
	return faults
}

// checkAddress takes an IP address or a host name, with or without a port.
func checkAddress(text string) error {
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return errors.New("has a port that is not a number from 1 to 65535")
		}
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return nil
	}
	if strings.Trim(host, "0123456789.") == "" {
		return errors.New("is not an IP address; write four numbers from 0 to 255, as in 192.168.1.20")
	}
	if len(host) == 0 || len(host) > 253 {
		return errors.New("is no host name; write the IP address of the till, as in 192.168.1.20")
	}
	for _, label := range strings.Split(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return errors.New("is no host name; write the IP address of the till, as in 192.168.1.20")
		}
	}
	return nil
}

func (m *MappingSetting) check(subtotals int) []api.Fault {
	var faults []api.Fault
	wrong := func(detail, format string, args ...any) {
		faults = append(faults, api.Fault{Pointer: fmt.Sprintf(format, args...), Detail: detail})
	}
	if len(m.Outlets) > maxOutlets {
		wrong("has more than "+strconv.Itoa(maxOutlets)+" entries", "/outlets")
	}
	if len(m.Rules) > maxRules {
		wrong("has more than "+strconv.Itoa(maxRules)+" entries", "/rules")
	}
	if len(m.Paymasters) > maxAccounts {
		wrong("has more than "+strconv.Itoa(maxAccounts)+" entries", "/paymasters")
	}
	names, codes := map[string]bool{}, map[int]bool{}
	for i, o := range m.Outlets {
		switch {
		case o.Name == "" || utf8.RuneCountInString(o.Name) > maxShort:
			wrong("is empty or longer than "+strconv.Itoa(maxShort)+" characters", "/outlets/%d/name", i)
		case names[o.Name]:
			wrong("stands twice; an outlet has one name", "/outlets/%d/name", i)
		}
		switch {
		case o.Code < 1 || o.Code > 99999:
			wrong("is not a number from 1 to 99999", "/outlets/%d/code", i)
		case codes[o.Code]:
			wrong("stands twice; give each outlet a code of its own", "/outlets/%d/code", i)
		}
		names[o.Name], codes[o.Code] = true, true
	}
	for i := range m.Rules {
		r := &m.Rules[i]
		for _, f := range []*string{&r.Outlet, &r.POSConfig, &r.FloorPlan, &r.Group, &r.Period} {
			*f = cmp.Or(*f, Any)
		}
		if r.Outlet != Any && !names[r.Outlet] {
			wrong("is no outlet; write one of outlets, or any", "/rules/%d/outlet", i)
		}
		if r.Period != Any && !slices.Contains(periods[:], r.Period) {
			wrong("is none of "+strings.Join(periods[:], ", ")+", any", "/rules/%d/period", i)
		}
		if r.Subtotal < 1 || r.Subtotal > subtotals {
			wrong("is not a number from 1 to "+strconv.Itoa(subtotals)+", which is what the hotel link has", "/rules/%d/subtotal", i)
		}
	}
	return faults
}

// A CheckItem is a step of setting the hotel link up (OPR-04).
type CheckItem struct {
	Item   string     `json:"item"`
	Done   bool       `json:"done"`
	Manual bool       `json:"manual" doc:"a person says when it is done"`
	Text   string     `json:"text"`
	Detail string     `json:"detail,omitzero"`
	By     *checkMark `json:"by,omitzero"`
}

// Items that a person ticks: what happens at the vendors.
var manualItems = []string{"vendor_gateway", "hotel_licence"}

// Checklist tells how far the set-up is.
func (s *Service) Checklist() (items []CheckItem, ready bool) {
	set := s.set.Load()
	st := s.c.PMS.Status()
	add := func(item string, done bool, detail string) {
		items = append(items, CheckItem{Item: item, Done: done, Text: s.words.T("hotel_setup." + item), Detail: detail})
	}
	add("payment_method", set.Type == RoomMethod && set.Code == RoomCode && set.Name != "", set.Code+" "+set.Name)
	add("server_address", set.Address != "", set.Address)
	add("gateway_device", set.Gateway.Name != "", set.Gateway.Name)
	for _, item := range manualItems {
		add(item, false, "")
		last := &items[len(items)-1]
		last.Manual = true
		if mark, ok := set.Checked[item]; ok {
			last.Done, last.By, last.Detail = true, &mark, mark.Note
		}
	}
	version := ""
	if err := s.gated(st); err != nil {
		version = err.Error()
	}
	add("version", version == "", version)
	add("outlets", len(set.Outlets) > 0, strconv.Itoa(len(set.Outlets)))
	add("mapping", s.c.RevenueAccount == "" || len(set.Rules) > 0, strconv.Itoa(len(set.Rules)))
	add("link", st.State == Up || st.State == NightAudit, st.Reason)
	ready = true
	for _, i := range items {
		ready = ready && (i.Done || i.Manual || i.Item == "server_address" || i.Item == "gateway_device")
	}
	return items, ready
}

// Reached tells how trying an address went.
type Reached struct {
	Address string `json:"address"`
	Reached bool   `json:"reached"`
	Reason  string `json:"reason,omitzero"`
	TookMS  int64  `json:"took_ms"`
}

// dialTimeout is how long an address is tried.
const dialTimeout = 3 * time.Second

// TryAddress opens a connection to an address and closes it. That of the hotel link itself is not dialled, since IFC8
// drops a client for the next (spec/fias.md 1.1): the link's state is the answer.
func (s *Service) TryAddress(ctx context.Context, address string) (Reached, error) {
	if err := checkAddress(address); err != nil {
		return Reached{}, api.Invalid([]api.Fault{{Pointer: "/address", Detail: err.Error()}})
	}
	if address == s.c.Address {
		st := s.c.PMS.Status()
		return Reached{Address: address, Reached: st.State == Up || st.State == NightAudit, Reason: st.Reason}, nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "80")
	}
	ctx, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	began := time.Now()
	conn, err := s.c.Dial(ctx, "tcp", address)
	r := Reached{Address: address, Reached: err == nil, TookMS: time.Since(began).Milliseconds()}
	switch {
	case err == nil:
		conn.Close()
	case strings.Contains(err.Error(), "refused"):
		r.Reached, r.Reason = true, "the machine is there; nothing listens on that port"
	default:
		r.Reason = err.Error()
	}
	return r, nil
}
