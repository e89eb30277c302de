package box

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/devices/port"
	"aboyeur/devices/port/scan"
)

// How a printer is followed when the network gives it another address.
const (
	followEvery = 10 * time.Second // how often the printers are looked at
	followAfter = time.Minute      // a printer away for so long may have moved
	followAgain = 5 * time.Minute  // from one search for a printer to the next
)

// hardwareKey is the setting that keeps the address of a printer's network socket; movedKey where the printer is now, if it
// is not where the configuration says.
func hardwareKey(name string) string { return "printer/" + name + "/hardware" }
func movedKey(name string) string    { return "printer/" + name + "/address" }

// moved is the value of movedKey. It counts as long as the configuration says the same as then.
type moved struct {
	Configured string `json:"configured"`
	Now        string `json:"now"`
}

// scanConfig is how this box looks around.
func (ps *printers) scanConfig() scan.Config {
	return scan.Config{Segments: ps.b.o.segments, Port: ps.b.o.rawPort, Neighbours: ps.b.o.neighbours}
}

// place is where a network printer is now; false for others, and for one that the configuration names by a host name,
// which finds it wherever it is.
func (s *standing) place() (netip.AddrPort, bool) {
	if s == nil || s.c.Connect.Scheme != port.TCP {
		return netip.AddrPort{}, false
	}
	a, err := port.Parse(s.driver.Status().Address)
	if err != nil {
		return netip.AddrPort{}, false
	}
	host, err := netip.ParseAddr(a.Host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(host, a.Port), true
}

// watch learns the printers' hardware addresses and follows by them those that moved.
func (ps *printers) watch(ctx context.Context) error {
	every, after := followEvery, followAfter
	if ps.b.o.follow > 0 {
		every, after = ps.b.o.follow, ps.b.o.follow
	}
	searched := map[string]time.Time{}
	var learned time.Time
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := time.Now(); now.Sub(learned) > 6*every {
			learned = now
			if err := ps.learn(ctx); err != nil {
				return err
			}
		}
		for _, v := range ps.b.kitchen.Printers() {
			s := ps.get(v.Name)
			at, ok := s.place()
			if !ok || v.Up || v.Hardware == "" || ps.b.o.Now().Sub(s.driver.Status().Since) < after || time.Since(searched[v.Name]) < 30*every {
				continue
			}
			searched[v.Name] = time.Now()
			if err := ps.search(ctx, s, at, v.Hardware); err != nil {
				return err
			}
		}
	}
}

// learn asks the machine's table for the hardware addresses of the printers that are up.
func (ps *printers) learn(ctx context.Context) error {
	var known map[netip.Addr]string
	for _, v := range ps.b.kitchen.Printers() {
		s := ps.get(v.Name)
		at, ok := s.place()
		if !ok || !v.Up || at.Addr().IsLoopback() && ps.b.o.neighbours == nil {
			continue
		}
		if known == nil {
			c := ps.scanConfig()
			if known = scan.Neighbours(); c.Neighbours != nil {
				known = c.Neighbours()
			}
		}
		hardware := known[at.Addr()]
		if hardware == "" || hardware == v.Hardware {
			continue // behind a router there is none
		}
		err := ps.b.journal.Insist(ctx, func(tx *journal.Tx) error { return ps.putHardware(tx, v.Name, hardware) })
		if err != nil {
			return err
		}
		ps.mu.Lock()
		s.hardware = hardware
		ps.mu.Unlock()
	}
	return nil
}

func (ps *printers) putHardware(tx *journal.Tx, name, hardware string) error {
	value, err := json.Marshal(hardware)
	if err != nil {
		return err
	}
	return tx.SetSetting(hardwareKey(name), value, "box")
}

// search looks for a printer that is away on the box's own networks, and goes where it finds it.
func (ps *printers) search(ctx context.Context, s *standing, at netip.AddrPort, hardware string) error {
	c := ps.scanConfig()
	c.Port = at.Port()
	for _, v := range ps.b.kitchen.Printers() {
		if other, ok := ps.get(v.Name).place(); ok && v.Up {
			c.Skip = append(c.Skip, other)
		}
	}
	host, found, err := scan.Find(ctx, c, hardware)
	if err != nil || !found || host == at.Addr() {
		if err != nil && ctx.Err() == nil {
			ps.b.log.Warn("a printer that is away was not looked for", "printer", s.c.Name, "err", err)
		}
		return nil
	}
	now := port.Address{Scheme: port.TCP, Host: host.String(), Port: at.Port()}
	value, err := json.Marshal(moved{s.c.Connect.String(), now.String()})
	if err != nil {
		return err
	}
	if now == s.c.Connect { // it is back where the configuration has it
		value = nil
	}
	err = ps.b.journal.Insist(ctx, func(tx *journal.Tx) error { return tx.SetSetting(movedKey(s.c.Name), value, "box") })
	if err != nil {
		return err
	}
	ps.b.log.Warn("a printer has another address now", "printer", s.c.Name, "was", at, "is", now.String())
	s.driver.MoveTo(now)
	ps.tellMoved(s.c.Name, now, value != nil)
	return nil
}

// tellMoved warns of a printer that is not where the configuration has it.
func (ps *printers) tellMoved(name string, now port.Address, on bool) {
	ps.b.health.raise(on, "printer_moved", warning.Warn, name, name, now.String())
}

// replaced forgets what was known of the device that stood behind a name: the new one is where the configuration says.
func (ps *printers) replaced(name string) {
	s := ps.get(name)
	if s == nil {
		return
	}
	ps.mu.Lock()
	s.hardware = ""
	ps.mu.Unlock()
	s.driver.MoveTo(s.c.Connect)
	ps.tellMoved(name, s.c.Connect, false)
}
