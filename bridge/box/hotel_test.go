package box

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/devices/port"
	"aboyeur/simulate/dinner"
	simulatedcloud "aboyeur/simulate/ohip"
	"aboyeur/simulate/opera"
)

// aHotel is a simulated hotel that can be shut and opened.
type aHotel struct {
	room, noPost  string // who can be asked for: a guest who may be charged, and one who may not
	open          func(l net.Listener) (shut func())
	booked        func() (amounts []int64)
	configuration func(address string) firmwareconfig.PMS
}

// onSite is IFC8 in one of its dialects.
func onSite(t *testing.T, dialect opera.Dialect) aHotel {
	sim, err := opera.New(opera.Config{Dialect: dialect})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return aHotel{
		room: "2781", noPost: "105",
		open: func(l net.Listener) func() {
			return serving(func(ctx context.Context) error { return sim.Serve(ctx, l) })
		},
		booked: func() (amounts []int64) {
			for _, p := range sim.Hotel().Ledger(0) {
				amounts = append(amounts, int64(p.Total))
			}
			return amounts
		},
		configuration: func(address string) firmwareconfig.PMS {
			at, err := port.Parse("tcp:" + address)
			if err != nil {
				t.Fatal(err)
			}
			return firmwareconfig.PMS{Dialect: string(dialect), Connect: at, Encoding: "utf-8"}
		},
	}
}

// inTheCloud is OPERA Cloud.
func inTheCloud(t *testing.T) aHotel {
	sim, err := simulatedcloud.New(simulatedcloud.Config{})
	if err != nil {
		t.Fatal(err)
	}
	secrets := filepath.Join(t.TempDir(), "opera.yaml")
	text := "app_key: " + simulatedcloud.DefaultAppKey + "\nclient_id: " + simulatedcloud.DefaultClientID + "\nclient_secret: " + simulatedcloud.DefaultSecret + "\n"
	if err := os.WriteFile(secrets, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return aHotel{
		room: "304", noPost: "305",
		open: func(l net.Listener) func() {
			return serving(func(ctx context.Context) error { return sim.Serve(ctx, l) })
		},
		booked: func() (amounts []int64) {
			for _, e := range sim.Ledger() {
				amounts = append(amounts, e.Amount)
			}
			return amounts
		},
		configuration: func(address string) firmwareconfig.PMS {
			return firmwareconfig.PMS{Dialect: firmwareconfig.DialectOHIP, URL: "http://" + address, Cloud: firmwareconfig.Cloud{
				Hotel: simulatedcloud.DefaultHotel, CredentialsFile: secrets, Cashier: "7",
				Charges: []firmwareconfig.CloudCharges{{Outlet: firmwareconfig.Any, Subtotals: []string{"2000", "2010"}, Tip: "9000"}},
			}}
		},
	}
}

func serving(serve func(context.Context) error) (shut func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = serve(ctx) })
	return func() { cancel(); running.Wait() }
}

type hotelView struct {
	Charging bool
	Link     struct{ State, Reason string }
}

type checkView struct {
	ID, State string
	Balance   int64
}

// A check is opened, paid by a room and closed, over each of the three ways to a hotel. A guest who may not be charged is
// refused with words for staff. While the hotel is gone the kitchen cooks and rooms are refused at once; when it is back
// rooms pay again. Its own books have each charge once.
func TestRoomPays(t *testing.T) {
	for name, make := range map[string]func(*testing.T) aHotel{
		"fias":   func(t *testing.T) aHotel { return onSite(t, opera.FIAS) },
		"xmlpos": func(t *testing.T) aHotel { return onSite(t, opera.XMLPOS) },
		"ohip":   inTheCloud,
	} {
		t.Run(name, func(t *testing.T) { roomPays(t, make(t)) })
	}
}

func roomPays(t *testing.T, hotel aHotel) {
	address := freeAddress(t)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	shut := hotel.open(l)
	r := newRig(t)
	p := hotel.configuration(address)
	p.Kind, p.AnswerTimeout = firmwareconfig.KindOpera, time.Minute
	p.PaymentMethod = firmwareconfig.PaymentMethod{Type: "room", Code: firmwareconfig.RoomPaymentCode, Name: "Opera"}
	p.Outlets = []firmwareconfig.Outlet{{Name: "restaurant", Code: 1}}
	p.Revenue.Every = firmwareconfig.DefaultRevenueEvery
	r.config.PMS = p
	r.start()
	charging := func(want bool) func() bool {
		return func() bool {
			var v hotelView
			status, err := r.call(http.MethodGet, "/v1/pms", nil, &v)
			return err == nil && status == http.StatusOK && v.Charging == want
		}
	}
	r.wait("rooms can be charged", charging(true))

	check := r.openCheck(2350)
	if status, text := r.pay(check, hotel.noPost); status != http.StatusConflict || text == "" || utf8.RuneCountInString(text) > 50 {
		t.Errorf("a guest who may not be charged: %d, staff is told %q", status, text)
	}
	if status, text := r.pay(check, hotel.room); status != http.StatusOK {
		t.Fatalf("a room pays: %d %q", status, text)
	}
	r.close(check)
	if got := hotel.booked(); len(got) != 1 || got[0] != 2350 {
		t.Fatalf("the hotel booked %v, want 2350 once", got)
	}

	shut()
	second := r.openCheck(1990)
	r.wait("the link is seen to be down", func() bool {
		status, _ := r.pay(second, hotel.room)
		return status == http.StatusConflict || status == http.StatusServiceUnavailable
	})
	o := dinner.Menus()[0]
	o.Source, o.SourceOrderID = "rig", "while the hotel is gone"
	r.done(r.place(o).ID)
	if got := hotel.booked(); len(got) != 1 {
		t.Fatalf("a hotel that is not there booked %v", got)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer hotel.open(l)()
	r.wait("rooms can be charged again", charging(true))
	r.wait("a room pays again", func() bool {
		status, _ := r.pay(second, hotel.room)
		return status == http.StatusOK
	})
	r.close(second)
	if got := hotel.booked(); len(got) != 2 || got[1] != 1990 {
		t.Errorf("the hotel booked %v, want 2350 and 1990", got)
	}
	r.down()
}

func (r *rig) openCheck(price int64) (id string) {
	r.t.Helper()
	var c checkView
	if status, err := r.call(http.MethodPost, "/v1/checks", map[string]any{"tables": []string{"12"}, "covers": 2}, &c); err != nil || status != http.StatusCreated {
		r.t.Fatalf("open a check: %d %v", status, err)
	}
	line := map[string]any{"name": "Menu du marché", "group": "food", "quantity": 1, "price": price}
	if status, err := r.call(http.MethodPost, "/v1/checks/"+c.ID+"/lines", map[string]any{"lines": []any{line}}, &c); err != nil || status != http.StatusOK || c.Balance != price {
		r.t.Fatalf("add a line: %d %v %+v", status, err, c)
	}
	return c.ID
}

// pay puts what is left of a check on whoever is found under term.
func (r *rig) pay(check, term string) (status int, text string) {
	r.t.Helper()
	var c checkView
	if status, err := r.call(http.MethodGet, "/v1/checks/"+check, nil, &c); err != nil || status != http.StatusOK {
		r.t.Fatalf("read the check: %d %v", status, err)
	}
	var found struct {
		Guests []struct{ Room, Reservation, Name string }
	}
	status, err := r.call(http.MethodGet, "/v1/pms/guests?q="+term, nil, &found)
	if status != http.StatusOK {
		return status, ""
	}
	if err != nil || len(found.Guests) == 0 {
		r.t.Fatalf("nobody is found under %s: %v", term, err)
	}
	g := found.Guests[0]
	var answer struct{ Message string }
	status, err = r.call(http.MethodPost, "/v1/checks/"+check+"/payments", map[string]any{
		"method": "room", "code": "IKPMS", "amount": c.Balance, "room": g.Room, "reservation": g.Reservation, "guest": g.Name,
	}, &answer)
	if err != nil && !errors.Is(err, context.Canceled) {
		r.t.Fatal(err)
	}
	return status, answer.Message
}

func (r *rig) close(check string) {
	r.t.Helper()
	var c checkView
	if status, err := r.call(http.MethodPost, "/v1/checks/"+check+"/close", nil, &c); err != nil || status != http.StatusOK || c.State != "closed" {
		r.t.Fatalf("close the check: %d %v %+v", status, err, c)
	}
}

// What an admin said of the day's end holds for every part of the box after its next start.
func TestDayCloseIsKept(t *testing.T) {
	r := newRig(t)
	hotel := onSite(t, opera.FIAS)
	r.config.PMS = hotel.configuration("127.0.0.1:1") // nobody is there; the setting does not need it
	r.config.PMS.Kind, r.config.PMS.AnswerTimeout, r.config.PMS.Revenue.Every = firmwareconfig.KindOpera, 5*time.Second, firmwareconfig.DefaultRevenueEvery
	r.start()
	before := r.box.dayClose
	status, err := r.call(http.MethodPut, "/v1/pms/settings/closing", map[string]any{"value": map[string]any{"business_day_close": "04:00"}, "revision": 0}, nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("set the day's end: %d %v", status, err)
	}
	r.down()
	r.start()
	if r.box.dayClose != 4*time.Hour || before != 5*time.Hour+30*time.Minute {
		t.Errorf("the day ends %v after midnight, before that %v; want 4h and 5h30m", r.box.dayClose, before)
	}
}
