package box

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/simulate/bookings"
	simlightspeed "aboyeur/simulate/lightspeed"
)

// paidCheck is a check with its payments.
type paidCheck struct {
	State                      string
	Total, Paid, Balance, Tips int64
	Payments                   []struct {
		ID, Method, State string
		Amount            int64
		Entry             struct{ Method, Code string }
	}
}

// standing lists the payments that are not taken back, as METHOD AMOUNT STATE.
func (c *paidCheck) standing() (list []string) {
	for _, p := range c.Payments {
		if p.State != "voided" {
			list = append(list, fmt.Sprint(p.Method, " ", p.Amount, " ", p.State))
		}
	}
	return list
}

// A deposit pays a check that Lightspeed keeps: it is put on that check, once, whatever is heard of it. What the till does not
// take, and what the box knows no method for, is plainly for a person to enter, and the guest's deposit is never lost by it.
func TestDepositsAtLightspeed(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "generic")
	sim := lightspeedK(t, e.config)
	e.config.POS.Checks = firmwareconfig.ChecksPOS
	e.config.POS.Payments["deposit"] = "DEP"
	e.change = func(o *Options) {
		o.mirror, o.answer, o.settle = 50*time.Millisecond, 200*time.Millisecond, time.Minute
	}
	e.open()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// sit seats a party with a deposit of 100.00 at a table, and rings dishes at the till.
	sit := func(ref, table string, skus ...string) (row booked, account string) {
		t.Helper()
		body := fmt.Sprintf(`{"utcUpdatedAt":"2026-11-21T18:00:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":2,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":[%q],
			"liability":{"currency":"EUR","deposits":[{"amount":"100.00","platformDepositId":"D-%s"}]}}`, table, ref)
		e.do(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/"+ref, body, nil)
		row = e.state(ref, "open")
		account = sim.Orders()[len(sim.Orders())-1].Account
		if note := sim.Orders()[len(sim.Orders())-1].Note; !strings.Contains(note, "Deposit paid: 100.00 EUR") {
			t.Errorf("the check at the till says %q and nothing of the deposit", note)
		}
		do(sim.Ring(account, skus...))
		e.wait("the dishes are here", func() bool { return e.check(row.Checks[0]).Total == int64(len(skus))*simlightspeed.Price })
		return row, account
	}
	deposit := func(row booked) {
		t.Helper()
		e.do(http.MethodPost, "/v1/reservations/"+row.ID+"/deposit", nil, nil)
	}
	read := func(row booked) (c paidCheck) {
		t.Helper()
		e.do(http.MethodGet, "/v1/checks/"+row.Checks[0], nil, &c)
		return c
	}
	stands := func(row booked, want ...string) (c paidCheck) {
		t.Helper()
		e.wait(fmt.Sprint("the payments are ", want), func() bool { c = read(row); return slices.Equal(c.standing(), want) })
		return c
	}
	atTill := func(account string) (list []string) {
		t.Helper()
		c, err := e.box.pos.kSeries.Check(t.Context(), account)
		do(err)
		for _, p := range c.Payments {
			list = append(list, fmt.Sprint(p.Method, " ", p.Amount))
		}
		return list
	}

	// Taken; then taken with nobody hearing of it, while the box goes down.
	first, account := sit("R1", "7", "MA-1", "MA-1")
	deposit(first)
	if c := stands(first, "deposit 2000 paid"); c.Balance != 0 || c.Payments[0].Entry.Method != "DEP" {
		t.Errorf("the check is %+v", c)
	}
	do(sim.Ring(account, "DE-1"))
	e.wait("the dessert is here", func() bool { c := read(first); return c.Total == 3000 && c.Balance == 1000 })
	sim.Deaf(true)
	deposit(first)
	e.wait("the till has it", func() bool { return len(atTill(account)) == 2 })
	e.down()
	e.open()
	stands(first, "deposit 2000 paid", "deposit 1000 paid")
	if got := atTill(account); !slices.Equal(got, []string{"DEP 2000", "DEP 1000"}) {
		t.Errorf("at the till: %q", got)
	}
	sim.Deaf(false)
	do(sim.CloseCheck(account))
	e.wait("it is closed", func() bool { return read(first).State == "closed" })
	if c := read(first); c.Paid != 3000 || c.Tips != 0 || e.entry("R1").Deposits.Applied != 3000 {
		t.Errorf("closed: %+v, deposits %+v", c, e.entry("R1").Deposits)
	}

	// More than is due at the till, which has taken money of which nobody heard: a person looks, and the till closes without it.
	second, account := sit("R2", "5", "MA-1", "MA-1")
	e.down()
	sim.Deaf(true)
	e.change = func(o *Options) { o.mirror, o.answer, o.settle = time.Hour, 5*time.Second, time.Minute }
	e.open()
	e.wait("the till was asked", func() bool {
		var q struct {
			Checks struct {
				Read time.Time `json:"read_at"`
			}
		}
		e.do(http.MethodGet, "/v1/pos/queue", nil, &q)
		return !q.Checks.Read.IsZero()
	})
	do(sim.Take(account, "CARD", 500))
	sim.Deaf(false)
	deposit(second)
	e.wait("the till refuses it", func() bool { c := read(second); return slices.Contains(c.standing(), "deposit 2000 to_enter") })
	c := read(second)
	if p := c.Payments[0]; p.Entry.Code != "overpaid" || c.Paid > 500 {
		t.Errorf("refused: %+v", c)
	}
	e.wait("it is warned of", func() bool { return e.warned("deposit_to_enter") })
	do(sim.CloseCheck(account))
	e.wait("the deposit is the party's again", func() bool {
		r := e.entry("R2")
		return r.Deposits.Applied == 0 && r.Deposits.Remaining == 10000 && len(r.Flags) == 1 && r.Flags[0].Code == "deposit_unused" && r.Flags[0].Remedy != ""
	})
	if c := read(second); c.State != "closed" || c.Paid != 2000 || c.Tips != 0 {
		t.Errorf("closed: %+v", c)
	}
	e.wait("nothing is left to enter", func() bool { return !e.warned("deposit_to_enter") })

	// No method is configured: a person enters it, and says so.
	e.down()
	delete(e.config.POS.Payments, "deposit")
	e.change = func(o *Options) { o.mirror = 50 * time.Millisecond }
	e.open()
	third, account := sit("R3", "3", "MA-1", "MA-1", "MA-1")
	deposit(third)
	if c := stands(third, "deposit 3000 to_enter"); c.Balance != 3000 || c.Payments[0].Entry.Code != "no_method" {
		t.Errorf("without a method: %+v", c)
	}
	e.down()
	e.open()
	e.wait("it is warned of after a start", func() bool { return e.warned("deposit_to_enter") })
	do(sim.Take(account, "VOUCHER", 3000))
	e.wait("what was entered is here", func() bool { return read(third).Balance == 0 })
	entered := "/v1/checks/" + third.Checks[0] + "/payments/" + read(third).Payments[0].ID + "/entered"
	e.do(http.MethodPost, entered, nil, nil)
	stands(third, "deposit 3000 paid")
	if status, code := e.refused(http.MethodPost, entered, nil); status != http.StatusConflict || code != "state" {
		t.Errorf("entered twice: %d %s", status, code)
	}
	e.wait("it is not warned of any more", func() bool { return !e.warned("deposit_to_enter") })
	do(sim.Ring(account, "DE-1")) // the till tells of the check once more
	e.wait("the dessert is here", func() bool { return read(third).Total == 4000 })
	if c := stands(third, "deposit 3000 paid"); c.Paid != 3000 || c.Balance != 1000 {
		t.Errorf("told once more: %+v", c)
	}
}
