package firmwareconfig

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/opera"
)

// resolve checks what concerns two places of the file, fills the defaults that depend on other keys, and reports the
// parts this build cannot serve.
func (d *decoder) resolve(c *Config) {
	d.resolveHTTP(&c.HTTP)
	d.resolvePrinters(c)
	d.resolveScreens(c)
	d.resolveStations(c)
	d.resolvePMS(&c.PMS)
	d.resolveReservations(c.Reservations)
	d.resolveDelivery(c.Delivery)
	d.resolvePOS(&c.POS)
	if c.POS.Listen != "" && c.POS.WebhookSecretFile == "" && !d.blamed("pos.webhook_secret_file") {
		d.wrong("pos.webhook_secret_file", "is missing", "name the file with the secret that tills say when they connect, or remove pos.listen")
	}
	if c.POS.MenuFile != "" && c.POS.Kind != KindBuiltin && c.POS.Kind != KindBepoz && !d.blamed("pos.kind") {
		d.wrong("pos.menu_file", "what is sold comes from "+c.POS.Kind+" itself", "remove it")
	}
	d.resolveFloor(&c.Floor)
	d.resolveReceipts(c)
	d.resolveFleet(&c.Fleet)
}

// resolvePOS checks what a till of Lightspeed needs. A location of another series is named as such: its credentials would be
// refused with words that say less (OTR-14).
func (d *decoder) resolvePOS(p *POS) {
	if !p.Other() || d.blamed("pos.kind") {
		return
	}
	d.need(otherPOS, "pos.kind", d.position("pos.kind"))
	company, site, several := strings.Cut(p.Location, "/")
	number := func(s string) bool { _, err := strconv.ParseUint(s, 10, 64); return err == nil }
	switch {
	case p.Location == "":
		d.wrong("pos.location", "is missing", "write the business location of Lightspeed K as in \"45454565682155\", or company/site of Lightspeed O as in \"5/9\"")
	case p.Kind == KindLightspeedK && several && number(company) && number(site):
		d.wrong("pos.location", quote(p.Location)+" is company and site of Lightspeed O-Series, and kind says K-Series", "write kind: lightspeed-o, with credentials of O-Series; those of the one series are unknown to the other")
	case p.Kind == KindLightspeedK && !number(p.Location):
		d.wrong("pos.location", quote(p.Location)+" is no business location of Lightspeed K-Series", "write its number, as in \"45454565682155\"; locations of R-, X-, L- and S-Series are not served")
	case p.Kind == KindLightspeedO && number(p.Location):
		d.wrong("pos.location", quote(p.Location)+" looks like a business location of Lightspeed K-Series, and kind says O-Series", "write company/site as in \"5/9\"; or kind: lightspeed-k, with credentials of K-Series")
	case p.Kind == KindLightspeedO && !(several && number(company) && number(site)):
		d.wrong("pos.location", quote(p.Location)+" is no site of Lightspeed O-Series", "write the numbers of company and site, as in \"5/9\"")
	}
	if p.Kind != KindLightspeedK && p.Checks == ChecksPOS {
		d.wrong("pos.checks", "only lightspeed-k opens checks without lines", "write checks: box")
	}
	if p.CredentialsFile == "" {
		d.wrong("pos.credentials_file", "is missing", "name the file with client_id, client_secret and token of the POS")
	}
	if p.Kind == KindLightspeedK && p.WebhookSecretFile == "" {
		d.wrong("pos.webhook_secret_file", "is missing", "name the file with the password that Lightspeed says with its notifications")
	}
}

// blamed reports whether key itself has a fault already: what follows from it is then no news.
func (d *decoder) blamed(key string) bool {
	for _, f := range d.faults {
		if f.Key == key {
			return true
		}
	}
	return false
}

func (d *decoder) resolveHTTP(h *HTTP) {
	if (h.TLS.CertFile == "") != (h.TLS.KeyFile == "") && !d.blamed("http.tls.cert_file") && !d.blamed("http.tls.key_file") {
		d.wrong("http.tls", "a certificate needs its key and a key its certificate", "write both cert_file and key_file, or neither")
	}
	if !d.has("http.tokens_file") {
		d.secrets = append(d.secrets, secret{"http.tokens_file", h.TokensFile, d.position("http.tokens_file"), holdsTokens})
	}
	host, _, err := net.SplitHostPort(h.Listen)
	if err != nil || h.TLS.CertFile != "" || h.TLS.KeyFile != "" {
		return
	}
	if a, err := netip.ParseAddr(host); err == nil && !a.IsUnspecified() && !Private(a) {
		d.wrong("http.listen", quote(h.Listen)+" is a public address, and without tls tokens and orders would cross it in the clear",
			"write tls: {cert_file: …, key_file: …}, or an address of this machine or its private network")
	}
}

// first remembers where a name was given first, and reports a second time.
func (d *decoder) first(seen map[string]string, key, name, what string) {
	if name == "" {
		return
	}
	if before, ok := seen[name]; ok {
		d.wrong(key, fmt.Sprintf("%s is the name of %s already", quote(name), before), "give each "+what+" a name of its own")
		return
	}
	seen[name] = strings.TrimSuffix(key, ".name")
}

// missing reports a name that nothing has.
func (d *decoder) missing(key, name, what string, known []string) {
	remedy := "write one of " + strings.Join(known, ", ")
	if guess := near(name, known); guess != "" {
		remedy = "did you mean " + guess + "?"
	}
	if len(known) == 0 {
		remedy = "add it to " + what + "s:"
	}
	d.wrong(key, "there is no "+what+" "+quote(name), remedy)
}

func (d *decoder) resolvePrinters(c *Config) {
	seen, places := map[string]string{}, map[port.Address]string{}
	at := map[string]int{}
	var known []string
	for i := range c.Printers {
		p := &c.Printers[i]
		key := index("printers", i)
		d.first(seen, key+".name", p.Name, "printer")
		if p.Name != "" {
			if _, ok := at[p.Name]; !ok {
				at[p.Name] = i
				known = append(known, p.Name)
			}
		}
		if p.Language == "" {
			p.Language = c.Site.Language
		}
		switch p.Connect.Scheme {
		case port.USB:
			d.need(usbPrinter, key+".connect", d.position(key+".connect"))
		case port.Serial:
			d.need(serialPrinter, key+".connect", d.position(key+".connect"))
		}
		if p.Connect.Scheme != "" {
			if before, ok := places[p.Connect]; ok {
				d.wrong(key+".connect", before+" is at this address already, and two queues would mix their tickets on paper", "give each printer an address of its own, or let stations share one printer")
			} else {
				places[p.Connect] = key
			}
		}
		d.resolveType(p, key)
		if p.Drawer != 0 && p.Drawer != 2 && p.Drawer != 5 && !d.blamed(key+".drawer") {
			d.wrong(key+".drawer", fmt.Sprintf("pin %d drives no drawer", p.Drawer), "write 2, or 5 for the second one")
		}
		if p.Fallback == "" && d.has(key+".fallback_after") {
			d.warn(key+".fallback_after", "has no effect without fallback", "write fallback: with the name of another printer")
		}
	}
	for i, p := range c.Printers {
		key := index("printers", i) + ".fallback"
		if p.Fallback == "" || d.blamed(key) {
			continue
		}
		next, ok := at[p.Fallback]
		switch {
		case p.Fallback == p.Name:
			d.wrong(key, "a printer cannot be its own fallback", "write the name of another printer")
			continue
		case !ok:
			d.missing(key, p.Fallback, "printer", without(known, p.Name))
			continue
		}
		// Follow the chain; the one of a ring that stands last in the file is blamed, once.
		way := []string{p.Name}
		for hops, last := 0, i; hops < len(c.Printers); hops++ {
			way = append(way, c.Printers[next].Name)
			last = max(last, next)
			if next == i {
				if last == i {
					d.wrong(key, "the fallbacks go round in a ring: "+strings.Join(way, ", "), "remove one of them")
				}
				break
			}
			if next, ok = at[c.Printers[next].Fallback]; !ok {
				break
			}
		}
	}
}

// resolveType fits a printer's kind to its address.
func (d *decoder) resolveType(p *Printer, key string) {
	by := map[port.Scheme]string{port.TCP: TypeWired, port.USB: TypeUSB, port.Serial: TypeSerial, port.File: TypeFile}[p.Connect.Scheme]
	if by == TypeSerial && strings.Contains(p.Connect.Path, "rfcomm") {
		by = TypeBluetooth
	}
	switch {
	case p.Type == TypeCloud:
		d.wrong(key+".type", "a cloud printer fetches its tickets from somebody else's cloud: this box could neither keep their order nor prove that they were printed",
			"leave it to the service that set it up, or connect it by network, USB or a serial port and write its type")
	case p.Type == "":
		p.Type = by
	case by == "", p.Type == by, p.Type == TypeBluetooth && by == TypeSerial, p.Type == TypeSerial && by == TypeBluetooth:
	default:
		d.wrong(key+".type", fmt.Sprintf("type %s and connect, which is %s, do not go together", p.Type, by), "write type: "+by+", or leave it out")
	}
}

func without(words []string, word string) []string {
	var out []string
	for _, w := range words {
		if w != word {
			out = append(out, w)
		}
	}
	return out
}

func (d *decoder) resolveScreens(c *Config) {
	seen := map[string]string{}
	known := screenNames(c)
	for i, s := range c.Screens {
		d.first(seen, index("screens", i)+".name", s.Name, "screen")
	}
	for i, s := range c.Screens {
		key := index("screens", i) + ".backup"
		switch {
		case s.Backup == "" || d.blamed(key):
		case s.Backup == s.Name:
			d.wrong(key, "a screen cannot be its own backup", "write the name of another screen")
		case !contains(known, s.Backup):
			d.missing(key, s.Backup, "screen", without(known, s.Name))
		}
	}
}

func printerNames(c *Config) (names []string) {
	for _, p := range c.Printers {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

func screenNames(c *Config) (names []string) {
	for _, s := range c.Screens {
		if s.Name != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

func (d *decoder) resolveStations(c *Config) {
	d.resolveCourses(c)
	printers, screens := printerNames(c), screenNames(c)
	usedPrinters, usedScreens := map[string]bool{}, map[string]bool{}
	seen := map[string]string{}
	claims := claims{d: d, by: map[string]claim{}, folded: map[string]claim{}}
	byDefault := ""
	for i := range c.Stations {
		s := &c.Stations[i]
		key := index("stations", i)
		d.first(seen, key+".name", s.Name, "station")
		for j, name := range s.Printers {
			usedPrinters[name] = true
			if name != "" && !contains(printers, name) && !d.blamed("printers") {
				d.missing(index(key+".printers", j), name, "printer", printers)
			}
		}
		for j, name := range s.Screens {
			usedScreens[name] = true
			if name != "" && !contains(screens, name) && !d.blamed("screens") {
				d.missing(index(key+".screens", j), name, "screen", screens)
			}
		}
		if len(s.Printers) == 0 && len(s.Screens) == 0 && !d.blamed(key) && !d.blamed(key+".printers") && !d.blamed(key+".screens") {
			d.wrong(key, "has neither printers nor screens, so its lines would end nowhere", "write printers: [NAME] or screens: [NAME]")
		}
		claims.station(key, s, c.Courses)
		if s.Default {
			if byDefault != "" {
				d.wrong(key+".default", byDefault+" is the default already", "write default: true at one station only")
			} else {
				byDefault = key
			}
		}
		if s.WarnAfter >= s.LateAfter && !d.blamed(key+".warn_after") && !d.blamed(key+".late_after") {
			if d.has(key + ".warn_after") {
				d.wrong(key+".warn_after", span(s.WarnAfter)+" is not before late_after, "+span(s.LateAfter), "write less than "+span(s.LateAfter))
			} else {
				s.WarnAfter = (s.LateAfter * 2 / 3).Truncate(time.Second) // as the defaults are to each other
			}
		}
		d.resolveAges(key, s)
		if s.Fire != FireAfter && d.has(key+".fire_after") && !d.blamed(key+".fire") {
			d.wrong(key+".fire_after", "counts only with fire: after, and fire is "+s.Fire, "write fire: after, or remove it")
		}
		if s.Output == OutputPOS {
			d.need(outputPOS, key+".output", d.position(key+".output"))
			if !c.POS.Other() && !d.blamed("pos.kind") {
				d.wrong(key+".output", "the built-in POS prints no kitchen tickets", "write output: box, or pos.kind: lightspeed-k or lightspeed-o")
			}
		}
	}
	if len(c.Stations) > 0 && byDefault == "" {
		blamed := false
		for i := range c.Stations {
			blamed = blamed || d.blamed(index("stations", i)+".default")
		}
		if !blamed {
			d.wrong("stations", "no station has default: true, so a line that none claims would end nowhere", "write default: true at one station")
		}
	}
	fallbacks := map[string]bool{}
	for _, p := range c.Printers {
		fallbacks[p.Fallback] = true
	}
	fallbacks[c.Receipts.Printer] = true
	for i, p := range c.Printers {
		if p.Name != "" && !usedPrinters[p.Name] && !fallbacks[p.Name] {
			d.warn(index("printers", i)+".name", "no station prints here and it is no fallback", "name it in printers: of a station, or remove it")
		}
	}
	backups := map[string]bool{}
	for _, s := range c.Screens {
		backups[s.Backup] = true
	}
	for i, s := range c.Screens {
		if s.Name != "" && !usedScreens[s.Name] && !backups[s.Name] {
			d.warn(index("screens", i)+".name", "no station is shown here", "name it in screens: of a station, or remove it")
		}
	}
}

// pace gives the ages of a kind of kitchen.
func pace(kind string) Limit {
	switch kind {
	case PaceBar:
		return Limit{3 * time.Minute, 6 * time.Minute}
	case PaceQuick:
		return Limit{5 * time.Minute, 8 * time.Minute}
	}
	return Limit{DefaultWarnAfter, DefaultLateAfter}
}

// resolveAges fills in the limits of each service: its own, else the station's, else those of its pace.
func (d *decoder) resolveAges(key string, s *Station) {
	written := d.has(key+".warn_after") || d.has(key+".late_after")
	for _, service := range []struct {
		name, pace string
		limit      *Limit
	}{{"dine_in", PaceTable, &s.Limits.DineIn}, {"delivery", PaceTable, &s.Limits.Delivery}, {"pickup", PaceQuick, &s.Limits.Pickup}} {
		base := Limit{s.WarnAfter, s.LateAfter}
		if !written {
			kind := s.Pace
			if kind == "" {
				kind = service.pace
			}
			base = pace(kind)
		}
		l, at := service.limit, key+".limits."+service.name
		if l.LateAfter == 0 {
			l.LateAfter = base.LateAfter
		}
		if l.WarnAfter == 0 {
			if l.WarnAfter = base.WarnAfter; l.WarnAfter >= l.LateAfter {
				l.WarnAfter = (l.LateAfter * 2 / 3).Truncate(time.Second)
			}
		} else if l.WarnAfter >= l.LateAfter && !d.blamed(at) && !d.blamed(at+".warn_after") && !d.blamed(at+".late_after") {
			d.wrong(at+".warn_after", span(l.WarnAfter)+" is not before late_after, "+span(l.LateAfter), "write less than "+span(l.LateAfter))
		}
	}
	s.WarnAfter, s.LateAfter = s.Limits.DineIn.WarnAfter, s.Limits.DineIn.LateAfter
}

// resolveCourses turns what stations call courses into numbers.
func (d *decoder) resolveCourses(c *Config) {
	for _, r := range d.courses {
		n, err := strconv.Atoi(r.text)
		if err != nil {
			n = -1
			for i, name := range c.Courses {
				if name == r.text {
					n = i
				}
			}
			if n < 0 && !d.blamed("courses") {
				remedy := "write one of " + strings.Join(c.Courses, ", ")
				if guess := near(r.text, c.Courses); guess != "" {
					remedy = "did you mean " + guess + "?"
				}
				d.wrong(r.key, "there is no course "+quote(r.text), remedy)
			}
		} else if n < 0 || n >= len(c.Courses) {
			d.wrong(r.key, "there is no course "+r.text, fmt.Sprintf("write a number from 0 to %d, or a name from courses", len(c.Courses)-1))
		}
		*r.dst = n
	}
}

// claims are what stations want for themselves. Two that want the same would make the way of a line an accident of the
// file's order.
type claims struct {
	d          *decoder
	by, folded map[string]claim
}

type claim struct{ station, text string }

func (cs *claims) station(key string, s *Station, courses []string) {
	for i, text := range s.SKUs {
		cs.claim(key, index(key+".skus", i), "SKU", text)
	}
	for i, text := range s.Categories {
		cs.claim(key, index(key+".categories", i), "category", text)
	}
	for i, n := range s.Courses {
		if n >= 0 && n < len(courses) {
			cs.claim(key, index(key+".courses", i), "course", courses[n])
		}
	}
}

func (cs *claims) claim(station, key, what, text string) {
	if text == "" {
		return
	}
	before, ok := cs.by[what+"\x00"+text]
	if !ok {
		before, ok = cs.folded[what+"\x00"+strings.ToLower(text)]
		if !ok || before.station == station {
			cs.by[what+"\x00"+text] = claim{station, text}
			cs.folded[what+"\x00"+strings.ToLower(text)] = claim{station, text}
			return
		}
	}
	switch {
	case before.station == station && what != "course": // a list refuses its own repetitions, but not a course by name and number
	case before.station == station:
		cs.d.wrong(key, "course "+quote(text)+" is in the list already", "remove one of the two")
	case before.text != text:
		cs.d.wrong(key, fmt.Sprintf("%s %s differs from %s of %s in capitals only", what, quote(text), quote(before.text), before.station), "spell it as the sources send it, at one station")
	default:
		cs.d.wrong(key, fmt.Sprintf("%s %s is claimed by %s already", what, quote(text), before.station), "keep it at one of the two stations")
	}
}

func (d *decoder) resolvePMS(p *PMS) {
	if p.Kind == KindNone {
		return
	}
	d.need(hotelLink, "pms", d.position("pms"))
	if !d.blamed("pms.connect") && !d.blamed("pms.dialect") {
		switch {
		case p.URL == "" && p.Connect.Scheme == "":
			d.wrong("pms.connect", "is missing", `write it, as in connect: "tcp:10.0.0.9:5010"`)
		case p.Dialect == DialectOHIP && p.URL == "":
			d.wrong("pms.connect", "dialect ohip is OPERA Cloud, which has a web address", "write https://HOST")
		case p.Dialect != DialectOHIP && p.URL != "":
			d.wrong("pms.connect", "dialect "+p.Dialect+" is a link on site, not a web address", "write tcp:HOST:PORT or serial:DEVICE?baud=9600")
		case p.URL == "" && p.Connect.Scheme != port.TCP && p.Connect.Scheme != port.Serial:
			d.wrong("pms.connect", "a hotel link is a socket or a serial line", "write tcp:HOST:PORT or serial:DEVICE?baud=9600")
		case p.TLS && p.Connect.Scheme == port.Serial:
			d.wrong("pms.tls", "a serial line has no TLS", "write tls: false")
		}
	}
	if !d.blamed("pms.version") && !d.blamed("pms.branch") {
		var old *opera.VersionError
		if errors.As(opera.CheckVersion(p.Dialect, p.Branch, p.Version), &old) {
			d.wrong("pms.version", old.Product+" "+old.Version+" has no interface that works", "update it to "+old.Least+" or later")
		}
	}
	names, codes := map[string]string{}, map[int]string{}
	var known []string
	for i, o := range p.Outlets {
		key := index("pms.outlets", i)
		d.first(names, key+".name", o.Name, "outlet")
		known = append(known, o.Name)
		if before, ok := codes[o.Code]; ok && o.Code != 0 {
			d.wrong(key+".code", fmt.Sprintf("%d is the code of %s already", o.Code, before), "give each outlet a code of its own")
		} else {
			codes[o.Code] = key
		}
	}
	d.resolveCloud(p, known)
	if p.Revenue.Account == "" && len(p.Revenue.Mapping) > 0 {
		d.wrong("pms.revenue.mapping", "revenue without an account is not sent", `write the account, as in account: "9001", or remove the mapping`)
	}
	for i, r := range p.Revenue.Mapping {
		key := index("pms.revenue.mapping", i)
		if r.Outlet != Any && r.Outlet != "" && !contains(known, r.Outlet) && !d.blamed(key+".outlet") {
			d.missing(key+".outlet", r.Outlet, "outlet", known)
		}
		if p.Dialect == DialectFIAS && r.Subtotal > 9 {
			d.wrong(key+".subtotal", "FIAS has nine subtotals", "write a number from 1 to 9")
		}
	}
}

func (d *decoder) resolveCloud(p *PMS, outlets []string) {
	if p.Dialect != DialectOHIP {
		if p.Cloud.Hotel != "" || p.Cloud.CredentialsFile != "" || len(p.Cloud.Charges) > 0 {
			d.wrong("pms.cloud", "dialect "+p.Dialect+" is a link on site", "write dialect: ohip, or remove the section")
		}
		return
	}
	for _, need := range []struct{ key, value, remedy string }{
		{"hotel", p.Cloud.Hotel, "write the code of the property, as in hotel: HOTEL1"},
		{"credentials_file", p.Cloud.CredentialsFile, "name the file that holds app_key, client_id and client_secret"},
	} {
		if key := "pms.cloud." + need.key; need.value == "" && !d.blamed(key) {
			d.wrong(key, "is missing", need.remedy)
		}
	}
	if len(p.Cloud.Charges) == 0 {
		d.wrong("pms.cloud.charges", "is missing", `write the transaction codes, as in charges: [{total: "2000", tip: "9000"}]`)
	}
	for i, c := range p.Cloud.Charges {
		key := index("pms.cloud.charges", i)
		if c.Outlet != Any && !contains(outlets, c.Outlet) && !d.blamed(key+".outlet") {
			d.missing(key+".outlet", c.Outlet, "outlet", outlets)
		}
		if c.Total == "" && len(c.Subtotals) == 0 {
			d.wrong(key, "has neither total nor subtotals", `write the code of the whole check, as in total: "2000", or one for each subtotal`)
		}
	}
}

func (d *decoder) resolveReservations(rs []Reservations) {
	seen := map[string]string{}
	for i := range rs {
		r := &rs[i]
		key := index("reservations", i)
		if r.Enabled {
			d.need(reservationLink, key, d.position(key))
		}
		if before, ok := seen[r.Platform]; ok && r.Platform != "" {
			d.wrong(key+".platform", fmt.Sprintf("%s is in %s already, and a box serves one venue of a platform", r.Platform, before), "remove one of the two: a second venue needs a box of its own")
		} else {
			seen[r.Platform] = key
		}
		if r.WalkIns && !r.OpenChecks {
			d.wrong(key+".walk_ins", "walk-ins cannot open checks while open_checks is false", "write walk_ins: false, or open_checks: true")
		}
		switch {
		case r.OrderProfile == "":
		case !d.has(key + ".default_profile"):
			r.DefaultProfile = false
		case r.DefaultProfile:
			d.wrong(key+".default_profile", "order_profile and default_profile exclude each other", "write default_profile: false, or remove order_profile")
		}
		d.resolveWire(key, r)
		statuses, groups := map[string]string{}, map[string]string{}
		for j, m := range r.Courses {
			at := index(key+".courses", j)
			if before, ok := statuses[m.Status]; ok && m.Status != "" {
				d.wrong(at+".status", m.Status+" is in "+before+" already", "put all its groups there")
			} else {
				statuses[m.Status] = at
			}
			for k, g := range m.Groups {
				if before, ok := groups[g]; ok && g != "" {
					if before != at {
						d.wrong(index(at+".groups", k), "group "+quote(g)+" is in "+before+" already", "keep it at one status")
					}
				} else {
					groups[g] = at
				}
			}
		}
	}
}

// deliveryNeed is something without which an aggregator cannot be spoken with.
type deliveryNeed struct{ key, value, what string }

func deliveryNeeds(x *Delivery) []deliveryNeed {
	credentials := deliveryNeed{"credentials_file", x.CredentialsFile, "the file with client_id and client_secret"}
	switch x.Aggregator {
	case "otter":
		return []deliveryNeed{
			{"base_url", x.BaseURL, "the address that Otter gave with the credentials"},
			{"credentials_file", x.CredentialsFile, "the file with Otter's client_id and client_secret"},
			{"webhook_secret_file", x.WebhookSecretFile, "the file with the secret that Otter signs with; without it every webhook is refused"},
		}
	case "deliverect":
		return []deliveryNeed{credentials, {"webhook_secret_file", x.WebhookSecretFile, "the file with the secret that Deliverect signs with; without it every webhook is refused"}}
	case "ubereats": // signs with the client secret
		return []deliveryNeed{credentials}
	}
	return nil
}

func (d *decoder) resolveDelivery(xs []Delivery) {
	seen := map[string]string{}
	for i := range xs {
		x := &xs[i]
		key := index("delivery", i)
		d.need(deliveryLink, key, d.position(key))
		for _, m := range deliveryNeeds(x) {
			if m.value == "" && !d.blamed(key+"."+m.key) {
				d.wrong(key, "has no "+m.key, "write "+m.key+": "+m.what)
			}
		}
		if before, ok := seen[x.Aggregator]; ok && x.Aggregator != "" {
			d.wrong(key+".aggregator", fmt.Sprintf("%s is in %s already, and a box serves one store of an aggregator", x.Aggregator, before), "remove one of the two: a second store needs a box of its own")
		} else {
			seen[x.Aggregator] = key
		}
		if x.ShowBefore < x.ReleaseBefore && !d.blamed(key+".show_before") && !d.blamed(key+".release_before") {
			if d.has(key + ".show_before") {
				d.wrong(key+".show_before", span(x.ShowBefore)+" is after the release, "+span(x.ReleaseBefore)+" before", "write "+span(x.ReleaseBefore)+" or more")
			} else {
				x.ShowBefore = x.ReleaseBefore
			}
		}
		if x.MenuSync.AutoPublish && !x.MenuSync.AutoUpdate {
			d.wrong(key+".menu_sync.auto_publish", "nothing is published by itself while auto_update is false", "write auto_publish: false, or auto_update: true")
		}
		numbers := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(x.Channels)) {
			c := x.Channels[name]
			if c.Number != "" {
				at := key + ".channels." + name + ".number"
				if before, ok := numbers[c.Number]; ok {
					d.wrong(at, quote(c.Number)+" is the number of "+before+" already", "write the number that Deliverect shows for "+name)
				}
				numbers[c.Number] = name
				if x.Aggregator != "deliverect" {
					d.wrong(at, "only Deliverect calls channels by numbers", "remove it")
				}
			}
			if !d.has(key + ".channels." + name + ".auto_accept") {
				c.AutoAccept = x.AutoAccept
			}
			if c.Inject == "" {
				c.Inject = x.Inject
			}
			x.Channels[name] = c
		}
	}
}

func (d *decoder) resolveFloor(f *Floor) {
	areas, tables := map[string]string{}, map[string]string{}
	for i, a := range f.Areas {
		key := index("floor.areas", i)
		d.first(areas, key+".name", a.Name, "area")
		for j, t := range a.Tables {
			if before, ok := tables[t]; ok && t != "" {
				if before != key {
					d.wrong(index(key+".tables", j), "table "+quote(t)+" is in "+before+" already", "give each table of the house a number of its own")
				}
			} else {
				tables[t] = key
			}
		}
	}
}

func (d *decoder) resolveFleet(f *Fleet) {
	if len(f.Servers) == 0 {
		return
	}
	d.need(fleetHub, "fleet.servers", d.position("fleet.servers"))
	if f.CredentialsFile == "" && !d.blamed("fleet.credentials_file") {
		d.wrong("fleet.credentials_file", "is missing", "write it, as in credentials_file: /etc/aboyeur/hub.creds")
	}
}
