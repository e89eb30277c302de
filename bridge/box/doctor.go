package box

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/devices/board"
	"aboyeur/devices/port"
	"aboyeur/firmware-config/slot"
)

// Verdicts of a finding.
const (
	Well  = "ok"
	Doubt = "warn"
	Fails = "FAIL"
)

// A Finding is one thing that was looked at.
type Finding struct {
	Verdict string
	Subject string // printer grill
	Text    string // what was found, and behind a semicolon what to do
}

// Limits of what is well.
const (
	syncSlow    = 50 * time.Millisecond // an order then takes longer than people like
	syncTooSlow = 300 * time.Millisecond
	syncTries   = 20
	tryDevice   = 3 * time.Second
)

// doctor gathers findings.
type doctor struct {
	c       *firmwareconfig.Config
	running bool // a box answers where this configuration listens
	found   []Finding
}

func (d *doctor) say(verdict, subject, format string, args ...any) {
	d.found = append(d.found, Finding{verdict, subject, fmt.Sprintf(format, args...)})
}

// Examine looks at everything a box of this configuration needs, without changing anything that lasts: files, disk, clock,
// devices, links. slots is the folder of bundles, "" none.
func Examine(ctx context.Context, c *firmwareconfig.Config, slots string) []Finding {
	d := &doctor{c: c}
	d.listener(ctx)
	d.tokens()
	d.disk()
	d.board(ctx)
	d.bundles(slots)
	for _, p := range c.Printers {
		d.device(ctx, "printer "+p.Name, p.Connect)
	}
	if len(c.Printers) == 0 {
		d.say(Doubt, "printers", "none is configured; tickets are on screens only")
	}
	if c.PMS.Kind != firmwareconfig.KindNone {
		d.hotel(ctx)
	}
	return d.found
}

// listener finds out whether the box can listen, or does.
func (d *doctor) listener(ctx context.Context) {
	host, number, err := net.SplitHostPort(d.c.HTTP.Listen)
	if err != nil {
		d.say(Fails, "listener", "%v; correct http.listen", err)
		return
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.c.HTTP.Listen)
	if err == nil {
		l.Close()
		d.say(Well, "listener", "%s is free; no box runs here now", d.c.HTTP.Listen)
		return
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if d.c.HTTP.TLS.On() {
		scheme = "https"
	}
	client := http.Client{Timeout: tryDevice, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // as in ask
	answer, fault := client.Get(scheme + "://" + net.JoinHostPort(host, number) + "/readyz")
	if fault != nil {
		d.say(Fails, "listener", "%v, and nothing there answers as a box; end the other program or write another http.listen", err)
		return
	}
	answer.Body.Close()
	d.running = true
	if answer.StatusCode != http.StatusOK {
		d.say(Fails, "listener", "the box on %s takes no order now (%s); see its console under Health", d.c.HTTP.Listen, answer.Status)
		return
	}
	d.say(Well, "listener", "a box runs on %s and takes orders", d.c.HTTP.Listen)
}

// tokens looks whether somebody can sign in.
func (d *doctor) tokens() {
	_, err := os.Stat(d.c.HTTP.TokensFile)
	var list []access.Token
	if err == nil {
		list, err = access.ReadTokens(d.c.HTTP.TokensFile)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.say(Fails, "tokens", "%s is not there; aboyeur token add --file %s --role admin --name NAME", d.c.HTTP.TokensFile, d.c.HTTP.TokensFile)
	case err != nil:
		d.say(Fails, "tokens", "%v; let the user of the service read it", err)
	case !slices.ContainsFunc(list, func(t access.Token) bool { return t.Role == access.Admin }):
		d.say(Doubt, "tokens", "nobody is admin; aboyeur token add --file %s --role admin --name NAME", d.c.HTTP.TokensFile)
	default:
		d.say(Well, "tokens", "%d in %s", len(list), d.c.HTTP.TokensFile)
	}
}

// disk measures what an order waits for: a small write and its sync, in the journal's own folder.
func (d *doctor) disk() {
	dir := d.c.Data.Dir
	f, err := os.CreateTemp(dir, ".doctor-*")
	if errors.Is(err, fs.ErrNotExist) {
		d.say(Doubt, "disk", "%s is not there yet; the service makes it, if it may", dir)
		return
	}
	if err != nil {
		d.say(Fails, "disk", "%v; let the user of the service write into %s", err, dir)
		return
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	var took []time.Duration
	page := bytes.Repeat([]byte("aboyeur\n"), 512)
	for range syncTries {
		began := time.Now()
		_, err := f.Write(page)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			d.say(Fails, "disk", "%v; the journal cannot be written", err)
			return
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	middle, worst := took[len(took)/2], took[len(took)-1]
	verdict, remedy := Well, ""
	switch {
	case middle > syncTooSlow:
		verdict, remedy = Fails, "; use another card or disk: orders wait for it"
	case middle > syncSlow:
		verdict, remedy = Doubt, "; a faster card makes orders faster"
	}
	d.say(verdict, "disk", "a sync takes %s, the worst of %d %s%s", middle.Round(10*time.Microsecond), syncTries, worst.Round(10*time.Microsecond), remedy)
}

func (d *doctor) board(ctx context.Context) {
	dir := d.c.Data.Dir
	for dir != "/" && dir != "." {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := board.Board{Dir: dir}.Read(ctx)
	if err != nil {
		d.say(Doubt, "board", "%v", err)
	}
	of := func(verdict bool) string {
		if verdict {
			return Well
		}
		return Doubt
	}
	if f.DiskTotal > 0 {
		switch {
		case f.DiskFree < diskTight:
			d.say(Fails, "space", "%d MiB are free; make room now, or no order can be taken", f.DiskFree>>20)
		case f.DiskFree < diskLow:
			d.say(Doubt, "space", "%d MiB are free; make room this week", f.DiskFree>>20)
		default:
			d.say(Well, "space", "%d MiB are free", f.DiskFree>>20)
		}
	}
	if f.MemoryTotal > 0 {
		d.say(of(f.MemoryAvailable >= memoryLow), "memory", "%d of %d MiB can be had", f.MemoryAvailable>>20, f.MemoryTotal>>20)
	}
	if f.TemperatureKnown {
		d.say(of(f.Temperature < hot), "temperature", "%.0f °C; from %.0f °C the board slows itself down", f.Temperature, hot)
	}
	if f.ThrottledKnown {
		switch {
		case f.Throttled.UnderVoltage():
			d.say(Doubt, "power", "too little; its own power supply, no thin cable")
		case f.Throttled.Now():
			d.say(Doubt, "power", "the board is slowed down; give it air")
		case f.Throttled != 0:
			d.say(Doubt, "power", "well now, and was too little or too hot since the start; its own power supply, air")
		default:
			d.say(Well, "power", "enough since the start")
		}
	}
	if f.WearKnown {
		d.say(of(f.Wear < cardWorn), "card", "says it has used %d tenths of its life", min(f.Wear, 10))
	}
	switch {
	case !f.ClockKnown:
		d.say(Doubt, "clock", "the system does not tell whether a time server holds it; %s", time.Now().Format(time.RFC3339))
	case !f.ClockSet:
		d.say(Doubt, "clock", "no time server holds it (%s); let NTP through, UDP port 123", time.Now().Format(time.RFC3339))
	default:
		d.say(Well, "clock", "held by a time server")
	}
}

// bundles looks at the slots.
func (d *doctor) bundles(dir string) {
	if dir == "" {
		return
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		d.say(Well, "bundles", "none was brought yet")
		return
	}
	s, err := slot.Open(slot.Config{Dir: dir})
	if err != nil {
		d.say(Fails, "bundles", "%v", err)
		return
	}
	defer s.Close()
	st, err := s.Status()
	switch {
	case err != nil:
		d.say(Fails, "bundles", "%v", err)
	case st.Why != "":
		d.say(Doubt, "bundles", "number %d is in force, and a later one is not: %s; correct it and bring it with a higher number", st.Number, st.Why)
	case st.Trial:
		d.say(Doubt, "bundles", "number %d is on trial; ask again in a minute", st.Number)
	default:
		d.say(Well, "bundles", "number %d is in force; %d keys are believed", st.Number, len(st.Keys))
	}
	if r := st.Report; err == nil && r != nil && r.Code != slot.Applied {
		d.say(Doubt, "bundles", "the latest, brought by %s at %s, was refused: %s: %s", r.Way, r.At.Format(time.RFC3339), r.Code, strings.ReplaceAll(r.Text, "\n", " "))
	}
}

// device tries to open what the service will open.
func (d *doctor) device(ctx context.Context, name string, a port.Address) {
	if a.Scheme == port.File {
		if err := writable(a.Path); err != nil {
			d.say(Fails, name, "%v; let the user of the service write it", err)
			return
		}
		d.say(Well, name, "writes into %s", a.Path)
		return
	}
	if d.running && a.Scheme != port.TCP {
		d.say(Well, name, "%s is left alone: the running box has it; its console shows how it is", a)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tryDevice)
	defer cancel()
	p, err := port.Open(ctx, a, port.Options{DialTimeout: tryDevice})
	switch {
	case err == nil:
		p.Close()
		d.say(Well, name, "%s opens", a)
	case d.running:
		d.say(Doubt, name, "%v; it may be busy with the running box, whose console shows how it is", err)
	case errors.Is(err, fs.ErrPermission):
		d.say(Fails, name, "%v; put the user of the service into the group that owns the device (dialout, lp)", err)
	default:
		d.say(Fails, name, "%v; power, cable, address", err)
	}
}

// writable tells whether a file can be written, without writing.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		info, err := os.Stat(filepath.Dir(path))
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", filepath.Dir(path))
		}
		return err
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func (d *doctor) hotel(ctx context.Context) {
	p := &d.c.PMS
	if p.URL == "" && p.Connect.Scheme != port.TCP {
		d.device(ctx, "hotel link", p.Connect)
		return
	}
	if d.running {
		// A second connection would take the line away from the running box (spec/fias.md): the newest one wins.
		d.say(Well, "hotel link", "%s is left alone: the running box has it; its console shows how it is", peer(p))
		return
	}
	if p.URL == "" {
		d.device(ctx, "hotel link", p.Connect)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tryDevice)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, p.URL, nil)
	if err == nil {
		var answer *http.Response
		if answer, err = (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request); err == nil {
			answer.Body.Close()
		}
	}
	if err != nil {
		d.say(Fails, "hotel link", "%v; the way to the internet, the address", err)
		return
	}
	d.say(Well, "hotel link", "%s answers", p.URL)
}
