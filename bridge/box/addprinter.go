package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/kitchen"
	"aboyeur/devices/port"
	"aboyeur/devices/port/scan"
	"aboyeur/protocol/escpos"
)

// addedPrefix is where the settings of printers stand that people added in the console.
const addedPrefix = "printers/"

// addedPrinter is such a setting.
type addedPrinter struct {
	Name     string `json:"name" doc:"unique: letters a-z, digits and hyphens"`
	Connect  string `json:"connect" doc:"tcp:HOST:PORT, usb:VENDOR:PRODUCT, serial:DEVICE?baud=9600 or file:PATH"`
	Model    string `json:"model,omitzero" doc:"a model of the configuration; generic-80mm when absent"`
	Columns  int    `json:"columns,omitzero" doc:"0: as the model has"`
	Fallback string `json:"fallback,omitzero"`
	Hardware string `json:"hardware,omitzero" doc:"as a scan told it; the printer is followed by it"`
}

type (
	foundPrinter struct {
		Address  string `json:"address"`
		Hardware string `json:"hardware,omitzero"`
		Maker    string `json:"maker,omitzero"`
		Device   string `json:"device,omitzero"`
		Firmware string `json:"firmware,omitzero"`
		Serial   string `json:"serial,omitzero"`
		Number   int    `json:"number" doc:"what identify prints"`
		KnownAs  string `json:"known_as,omitzero" doc:"the name it has here already"`
	}
	scanned struct {
		Found  []foundPrinter `json:"found"`
		Asked  int            `json:"asked" doc:"addresses"`
		TookMS int64          `json:"took_ms"`
	}
	whichPrinter struct {
		Address string `json:"address" doc:"of the last scan"`
	}
	nothing struct{}
)

// routes are the calls that find, add and remove printers.
func (ps *printers) routes() []api.Route {
	managers, admins := []access.Role{access.Manager}, []access.Role{access.Admin}
	tags := []string{"printers"}
	return []api.Route{
		{Method: "POST", Path: "/v1/printers/scan", Roles: managers, Tags: tags, Summary: "Look for receipt printers on the box's own networks; prints nothing",
			Doc:  "At most 1024 addresses of private networks, port 9100, 300 ms each. One at a time.",
			Body: nothing{}, Answer: scanned{}, Problems: []int{http.StatusConflict}, Handle: ps.postScan},
		{Method: "POST", Path: "/v1/printers/identify", Roles: managers, Tags: tags, Summary: "Have a printer of the last scan print its number",
			Body: whichPrinter{}, Status: http.StatusNoContent, Problems: []int{http.StatusBadGateway}, Handle: ps.postIdentify},
		{Method: "POST", Path: "/v1/printers", Roles: admins, Tags: tags, Summary: "Add a printer; it is kept and works at once",
			Doc:  "No station prints there before the configuration says so: it stands in for others and takes queues that people move.",
			Body: addedPrinter{}, Answer: kitchen.PrinterView{}, Status: http.StatusCreated, Problems: []int{http.StatusConflict}, Handle: ps.postPrinter},
		{Method: "DELETE", Path: "/v1/printers/{name}", Roles: admins, Tags: tags, Summary: "Remove a printer that was added so",
			Status: http.StatusNoContent, Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: ps.deletePrinter},
	}
}

func (ps *printers) postScan(w http.ResponseWriter, r *http.Request) error {
	if !ps.scanning.CompareAndSwap(false, true) {
		return api.Conflict("scanning", "a scan is under way; wait for its end")
	}
	defer ps.scanning.Store(false)
	by := access.From(r.Context())
	err := ps.b.journal.Write(r.Context(), func(tx *journal.Tx) error { return access.Record(tx, by, "printers_scanned", "", "") })
	if err != nil {
		return err
	}
	c := ps.scanConfig()
	names, present := map[netip.AddrPort]string{}, []foundPrinter{}
	for _, v := range ps.b.kitchen.Printers() {
		s := ps.get(v.Name)
		at, ok := s.place()
		if !ok {
			continue
		}
		names[at] = v.Name
		if v.Up { // it is served: a second connection would only wait behind ours
			c.Skip = append(c.Skip, at)
			present = append(present, foundPrinter{Address: v.Connect, Hardware: v.Hardware, Maker: v.Maker, Device: v.Device, Firmware: v.Firmware, Serial: v.Serial, KnownAs: v.Name})
		}
	}
	result, err := scan.Run(r.Context(), c)
	switch {
	case errors.Is(err, scan.ErrNoNetwork):
		return api.Conflict("no_network", err.Error())
	case err != nil:
		return err
	}
	answer := scanned{Found: present, Asked: result.Asked + len(c.Skip), TookMS: result.Took.Milliseconds()}
	for _, f := range result.Found {
		answer.Found = append(answer.Found, foundPrinter{
			Address: "tcp:" + f.Address.String(), Hardware: f.Hardware, Maker: f.Maker, Device: f.Device, Firmware: f.Firmware, Serial: f.Serial,
			KnownAs: names[f.Address],
		})
	}
	for i := range answer.Found {
		answer.Found[i].Number = i + 1
	}
	ps.mu.Lock()
	ps.last = answer.Found
	ps.mu.Unlock()
	return api.Answer(w, http.StatusOK, answer)
}

func (ps *printers) postIdentify(w http.ResponseWriter, r *http.Request) error {
	var v whichPrinter
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	ps.mu.Lock()
	var found foundPrinter
	for _, f := range ps.last {
		if f.Address == v.Address {
			found = f
		}
	}
	ps.mu.Unlock()
	if found.Number == 0 {
		return api.Invalid([]api.Fault{{Pointer: "/address", Detail: "is not of the last scan; scan again and choose one of it"}})
	}
	by := access.From(r.Context())
	if found.KnownAs != "" && ps.b.kitchen.Queue(found.KnownAs) != nil { // it has a queue: nothing may come between its tickets
		if err := ps.b.kitchen.Slip(r.Context(), by, found.KnownAs, found.Number, found.Address); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	at, err := netip.ParseAddrPort(strings.TrimPrefix(found.Address, "tcp:"))
	if err != nil {
		return err
	}
	profile, _ := escpos.ProfileFor(firmwareconfig.DefaultModel)
	if err := scan.Identify(r.Context(), at, profile, ps.b.c.Site.Language, found.Number, found.Address); err != nil {
		return &api.Problem{Status: http.StatusBadGateway, Code: "printer", Detail: err.Error() + "; see that it is switched on, and scan again"}
	}
	err = ps.b.journal.Write(r.Context(), func(tx *journal.Tx) error {
		return access.Record(tx, by, "printer_identified", found.Address, strconv.Itoa(found.Number))
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxAdded bounds the printers that people add.
const maxAdded = 32

func (ps *printers) postPrinter(w http.ResponseWriter, r *http.Request) error {
	var v addedPrinter
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	c, faults := ps.check(v)
	if err := api.Invalid(faults); err != nil {
		return err
	}
	by := access.From(r.Context())
	if err := ps.add(r.Context(), c, v, by); err != nil {
		if errors.Is(err, kitchen.ErrNameTaken) {
			return api.Conflict("name_taken", err.Error())
		}
		return err
	}
	view, _ := ps.b.kitchen.View(c.Name)
	return api.Answer(w, http.StatusCreated, view)
}

// named tells whether a text is a printer's name, as the configuration takes it.
func named(text string) bool {
	return len(text) >= 1 && len(text) <= 32 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// check makes a printer's configuration of what somebody wrote.
func (ps *printers) check(v addedPrinter) (c firmwareconfig.Printer, faults []api.Fault) {
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	c = firmwareconfig.Printer{
		Name: v.Name, Model: v.Model, Columns: v.Columns, Language: ps.b.c.Site.Language, Fallback: v.Fallback,
		FallbackAfter: firmwareconfig.DefaultFallbackAfter, QueueWarn: firmwareconfig.DefaultQueueWarn,
	}
	if !named(v.Name) {
		wrong("/name", "is not a name; write 1 to 32 of a-z, 0-9 and hyphen, as in bar-2")
	}
	var err error
	if c.Connect, err = port.Parse(v.Connect); err != nil {
		wrong("/connect", err.Error())
	}
	if c.Model == "" {
		c.Model = firmwareconfig.DefaultModel
	}
	if _, ok := escpos.ProfileFor(c.Model); !ok {
		wrong("/model", "is no model; write one of "+strings.Join(escpos.Models(), ", "))
	}
	if v.Columns != 0 && (v.Columns < escpos.MinColumns || v.Columns > escpos.MaxColumns) {
		wrong("/columns", fmt.Sprintf("is not a number from %d to %d; leave it out for what the model has", escpos.MinColumns, escpos.MaxColumns))
	}
	if v.Hardware != "" {
		if _, err := net.ParseMAC(v.Hardware); err != nil && c.Connect.Scheme == port.TCP {
			wrong("/hardware", "is no hardware address, as in 00:26:ab:01:02:03")
		}
	}
	added := 0
	for _, p := range ps.b.kitchen.Printers() {
		if s := ps.get(p.Name); s != nil && s.added {
			added++
		}
		if p.Name != v.Name && p.Connect == c.Connect.String() {
			wrong("/connect", p.Name+" is at this address already, and two queues would mix their tickets on paper")
		}
	}
	if added >= maxAdded {
		wrong("/name", fmt.Sprintf("would be one more than %d; remove one first, or write them into the configuration", maxAdded))
	}
	if v.Fallback != "" && (ps.b.kitchen.Queue(v.Fallback) == nil || v.Fallback == v.Name) {
		wrong("/fallback", "is no other printer here; see /v1/printers")
	}
	c.Type = typeOf(c.Connect)
	return c, faults
}

func typeOf(a port.Address) string {
	switch {
	case a.Scheme == port.USB:
		return firmwareconfig.TypeUSB
	case a.Scheme == port.Serial && strings.Contains(a.Path, "rfcomm"):
		return firmwareconfig.TypeBluetooth
	case a.Scheme == port.Serial:
		return firmwareconfig.TypeSerial
	case a.Scheme == port.File:
		return firmwareconfig.TypeFile
	}
	return firmwareconfig.TypeWired
}

// add takes a printer in, keeps it as a setting, and starts it.
func (ps *printers) add(ctx context.Context, c firmwareconfig.Printer, v addedPrinter, by access.Principal) error {
	if err := ps.join(ctx, c); err != nil {
		return err
	}
	value, err := json.Marshal(v)
	if err == nil {
		err = ps.b.journal.Write(ctx, func(tx *journal.Tx) error {
			if err := tx.SetSetting(addedPrefix+c.Name, value, by.Name); err != nil {
				return err
			}
			if v.Hardware != "" {
				if err := ps.putHardware(tx, c.Name, v.Hardware); err != nil {
					return err
				}
			}
			return access.Record(tx, by, "printer_added", c.Name, v.Connect)
		})
	}
	if err != nil {
		return errors.Join(err, ps.leave(ctx, c.Name))
	}
	s := ps.get(c.Name)
	ps.mu.Lock()
	s.hardware = v.Hardware
	ps.mu.Unlock()
	ps.start(s)
	return nil
}

// join makes queue and driver of an added printer.
func (ps *printers) join(ctx context.Context, c firmwareconfig.Printer) error {
	s, k, err := ps.prepare(ctx, c)
	if err != nil {
		return err
	}
	s.added = true
	return ps.b.kitchen.AddPrinter(ctx, k, func(q *kitchen.Queue) (kitchen.Printer, error) { return ps.drive(s, k, q) })
}

// leave takes an added printer out again.
func (ps *printers) leave(ctx context.Context, name string) error {
	if err := ps.b.kitchen.RemovePrinter(ctx, name); err != nil {
		return err
	}
	ps.mu.Lock()
	s := ps.each[name]
	delete(ps.each, name)
	ps.mu.Unlock()
	if s != nil && s.stop != nil {
		s.stop()
	}
	ps.b.health.forget(name)
	return nil
}

func (ps *printers) deletePrinter(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	s := ps.get(name)
	switch {
	case s == nil:
		return api.NotFound("printer", name)
	case !s.added:
		return api.Conflict("configured", "printer "+name+" is in the configuration; remove it there")
	}
	if err := ps.leave(r.Context(), name); err != nil {
		if inUse := (*kitchen.InUseError)(nil); errors.As(err, &inUse) {
			return api.Conflict("in_use", inUse.Error())
		}
		return err
	}
	by := access.From(r.Context())
	err := ps.b.journal.Write(r.Context(), func(tx *journal.Tx) error {
		for _, key := range []string{addedPrefix + name, knownKey(name), hardwareKey(name), movedKey(name), "printer/" + name + "/paused"} {
			if err := tx.SetSetting(key, nil, by.Name); err != nil {
				return err
			}
		}
		return access.Record(tx, by, "printer_removed", name, "")
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// restore takes the printers in that people added before.
func (ps *printers) restore(ctx context.Context) error {
	settings, err := ps.b.journal.Settings(ctx, addedPrefix)
	if err != nil {
		return err
	}
	for _, setting := range settings {
		var v addedPrinter
		if err := json.Unmarshal(setting.Value, &v); err != nil {
			return fmt.Errorf("setting %s: %w", setting.Key, err)
		}
		if v.Fallback != "" && ps.b.kitchen.Queue(v.Fallback) == nil {
			ps.b.log.Warn("the fallback of an added printer is no printer any more", "printer", v.Name, "fallback", v.Fallback)
			v.Fallback = ""
		}
		c, faults := ps.check(v)
		if len(faults) > 0 || ps.b.kitchen.Queue(v.Name) != nil { // the configuration has it now, or says otherwise
			ps.b.log.Warn("an added printer does not fit the configuration any more", "printer", v.Name, "faults", faults)
			continue
		}
		if err := ps.join(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// start runs an added printer's driver while the box runs.
func (ps *printers) start(s *standing) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.life == nil || s.stop != nil {
		return // Run starts it
	}
	ctx, stop := context.WithCancel(ps.life)
	s.stop = stop
	g := ps.b.group()
	g.Add("printer "+s.c.Name, s.driver.Run)
	ps.running.Go(func() { g.Run(ctx) })
}
