package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"aboyeur/firmware-config/bundle"
	"aboyeur/firmware-config/cable"
	"aboyeur/firmware-config/slot"
)

const (
	againEvery = 500 * time.Millisecond // between two tries to open the line again
	barWidth   = 30
)

// flashCable is the technician's end of the cable: it brings a bundle, or reads what the box has to say.
func flashCable(ctx context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	device := flags.String("port", "", "the box's serial device, as in /dev/ttyACM0")
	baud := flags.Int("baud", cable.DefaultBaud, "rate of the line; over USB it means nothing")
	allow := flags.String("allow-site", "", "any: this box has moved, or is a spare")
	patience := flags.Duration("patience", 30*time.Second, "how long to wait for a cable that came off")
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	if err := need(std, flags, "port"); err != nil {
		return err
	}
	if *allow != "" && *allow != bundle.AnySite {
		fmt.Fprintln(std.err, "aboyeur flash cable: --allow-site takes the word any alone")
		return errUsage
	}
	l := &laptop{std: std, device: *device, baud: *baud, patience: *patience}
	if what := flags.Arg(0); what == "status" || what == "logs" {
		return l.over(ctx, func(c *cable.Client) error {
			text, err := c.Text(ctx, what)
			if err == nil {
				fmt.Fprint(std.out, text)
			}
			return err
		})
	}
	f, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	m, _, err := bundle.Peek(f)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	t, err := cable.NewTransfer(f, info.Size(), *allow != "")
	if err != nil {
		return err
	}
	var st cable.State
	err = l.over(ctx, func(c *cable.Client) (err error) {
		if err := c.Send(ctx, t, l.bar); err != nil {
			return err
		}
		l.say("\nthe box has it; waiting until it is judged ")
		st, err = c.Finish(ctx, t, func() { l.say(".") })
		l.say("\n")
		return err
	})
	if err != nil {
		return err
	}
	if st.Code != slot.Applied {
		return &bundle.Refusal{Code: st.Code, Detail: strings.TrimSpace(st.Text), Remedy: "nothing has changed on the box"}
	}
	fmt.Fprintf(std.out, "bundle %d of site %s: %s\n", m.Number, m.Site, strings.TrimSpace(st.Text))
	return nil
}

// laptop keeps a line to a box, and opens it again when the cable comes off.
type laptop struct {
	std      stdio
	device   string
	baud     int
	patience time.Duration
	met      bool
}

func (l *laptop) say(text string) { fmt.Fprint(l.std.err, text) }

// bar shows how far the file is.
func (l *laptop) bar(have, size int64) {
	full := int(have * barWidth / max(size, 1))
	l.say(fmt.Sprintf("\r[%s%s] %3d %%  %d of %d KiB", strings.Repeat("#", full), strings.Repeat("-", barWidth-full), have*100/max(size, 1), have>>10, (size+1023)>>10))
}

// over does something over a line; when the line is lost it is done again over the next.
func (l *laptop) over(ctx context.Context, do func(*cable.Client) error) error {
	var lost time.Time
	for {
		err := l.once(ctx, do)
		var said *cable.Answer
		var link *linkError
		switch {
		case err == nil, errors.As(err, &said), ctx.Err() != nil:
			return err
		case errors.As(err, &link) && !l.met:
			return err // never a box at this end: waiting will not help
		case lost.IsZero():
			lost = time.Now()
			l.say("\nthe line is lost; put the cable in again\n")
		case time.Since(lost) > l.patience:
			return &linkError{err}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(againEvery):
		}
	}
}

func (l *laptop) once(ctx context.Context, do func(*cable.Client) error) error {
	line, err := cable.Open(ctx, l.device, l.baud)
	if err != nil {
		return &linkError{err}
	}
	c := cable.NewClient(line)
	defer c.Close()
	w, err := c.Hello(ctx)
	if err != nil {
		return &linkError{err}
	}
	if !l.met {
		l.met = true
		site := w.Site
		if site == "" {
			site = "no site yet"
		}
		l.say(fmt.Sprintf("a box of %s, bundle %d, aboyeur %s, %s\n", site, w.Number, w.Program, w.Identity))
	}
	return do(c)
}

// flashServe is the box's end of the cable; systemd runs it while the cable is in.
func flashServe(ctx context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	device := flags.String("port", "/dev/ttyGS0", "the serial device the cable comes in at")
	baud := flags.Int("baud", cable.DefaultBaud, "rate of the line; over USB it means nothing")
	c := slot.Config{Program: version}
	flags.StringVar(&c.Dir, "firmware", slot.DefaultDir, "the box's folder of bundles")
	flags.StringVar(&c.Trust, "trust", slot.DefaultTrust, "folder of the public keys it believes")
	flags.StringVar(&c.Box, "box", slot.DefaultBox, "folder of the image's own words")
	wait := flags.Duration("wait", judged, "wait this long for the service to judge a bundle")
	if err := parse(std, flags, args, 0, 0); err != nil {
		return err
	}
	store, err := slot.Open(c)
	if err != nil {
		return err
	}
	defer store.Close()
	manager := newManager()
	s := cable.NewServer(c.Dir+"/incoming", &boxEnd{store: store, wait: *wait})
	defer s.Close()
	for ctx.Err() == nil {
		line, err := cable.Open(ctx, *device, *baud)
		if err != nil {
			return &linkError{err}
		}
		manager.ready("listening on " + *device)
		err = s.Serve(ctx, line)
		line.Close()
		if err != nil && !errors.Is(err, io.EOF) {
			return &linkError{err}
		}
	}
	return nil
}

// boxEnd is the box as the cable's protocol knows it.
type boxEnd struct {
	store *slot.Store
	wait  time.Duration
}

var _ cable.Box = (*boxEnd)(nil)

func (b *boxEnd) Welcome(ctx context.Context) (cable.Welcome, error) {
	st, err := b.store.Status()
	if err != nil {
		return cable.Welcome{}, err
	}
	identity, err := b.store.Identity(ctx)
	if err != nil {
		return cable.Welcome{}, err
	}
	return cable.Welcome{Program: version, Site: st.Site, Number: st.Number, Identity: identity.Public()}, nil
}

// Apply takes a bundle. A technician stands at the cable, so an unclaimed box may be claimed.
func (b *boxEnd) Apply(ctx context.Context, file string, anySite bool) cable.State {
	failed := func(err error) cable.State {
		var no *bundle.Refusal
		if errors.As(err, &no) {
			return cable.State{Code: no.Code, Text: no.Detail + "; " + no.Remedy}
		}
		return cable.State{Code: "failed", Text: err.Error()}
	}
	f, err := os.Open(file)
	if err != nil {
		return failed(err)
	}
	defer f.Close()
	m, err := b.store.Apply(ctx, f, slot.Order{Way: "cable", Claim: true, AnySite: anySite})
	if err != nil {
		return failed(err)
	}
	text, err := settle(ctx, b.store, m.Number, b.wait)
	if err != nil {
		return failed(err)
	}
	return cable.State{Code: slot.Applied, Text: text}
}

// settle waits until the service has judged a bundle.
func settle(ctx context.Context, store *slot.Store, number uint64, wait time.Duration) (string, error) {
	if wait <= 0 {
		return "laid in; the service starts on it and keeps it when it is healthy within a minute", nil
	}
	st, err := store.Settled(ctx, wait)
	switch {
	case err != nil:
		return "", err
	case st.Trial:
		return "", fmt.Errorf("bundle %d was not judged within %s: is the service running?", number, wait)
	case st.Number != number:
		return "", &bundle.Refusal{Code: slot.Returned, Detail: fmt.Sprintf("bundle %d was not healthy: %s", number, st.Why), Remedy: fmt.Sprintf("the box went back to bundle %d; correct it and pack it with a higher number", st.Number)}
	}
	return "healthy, and stays", nil
}

func (b *boxEnd) Text(ctx context.Context, what string) (string, error) {
	switch what {
	case "status":
		return b.status(ctx)
	case "logs":
		return systemLog(ctx)
	}
	return "", fmt.Errorf("there is no %q to read; status and logs are", what)
}

// systemLog is the end of the service's log. No secret and no guest's full name is in it at the level it is kept at.
func systemLog(ctx context.Context) (string, error) {
	journal := exec.CommandContext(ctx, "journalctl", "--unit=aboyeur", "--lines=1000", "--no-pager", "--quiet", "--output=short-iso")
	var text, faults bytes.Buffer
	journal.Stdout, journal.Stderr = &bounded{w: &text, left: 4 * cable.MaxText}, &bounded{w: &faults, left: 1 << 10}
	if err := journal.Run(); err != nil {
		return "", fmt.Errorf("read the system's log: %w: %s", err, strings.TrimSpace(faults.String()))
	}
	return text.String(), nil
}

// status is what a technician wants to know first.
func (b *boxEnd) status(ctx context.Context) (string, error) {
	st, err := b.store.Status()
	if err != nil {
		return "", err
	}
	identity, err := b.store.Identity(ctx)
	if err != nil {
		return "", err
	}
	var t strings.Builder
	line := func(name, value string) { fmt.Fprintf(&t, "%-10s %s\n", name, value) }
	line("program", version)
	line("site", st.Site)
	line("bundle", fmt.Sprint(st.Number))
	if st.Trial {
		line("", "on trial")
	}
	if st.Why != "" {
		line("returned", st.Why)
	}
	if r := st.Report; r != nil {
		line("latest", fmt.Sprintf("%s by %s: bundle %d, %s: %s", r.At.UTC().Format(time.RFC3339), r.Way, r.Number, r.Code, r.Text))
	}
	line("identity", identity.Public())
	for _, k := range st.Keys {
		line("trusts", k)
	}
	if len(st.Keys) == 0 {
		line("trusts", "nobody yet: the first bundle by cable claims the box")
	}
	return t.String(), nil
}
