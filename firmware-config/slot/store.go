package slot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	firmwareconfig "aboyeur/firmware-config"
	"aboyeur/firmware-config/bundle"
)

// Defaults of a Config left at zero.
const (
	DefaultDir   = "/var/lib/aboyeur/firmware"
	DefaultTrust = "/etc/aboyeur/trust.d"
	DefaultBox   = "/etc/aboyeur" // files site, board and development say what the image is for
)

// MaxStarts is how often a start may be begun on a bundle that was never found healthy.
const MaxStarts = 3

// lockWait is how long one step waits for another's end.
const lockWait = 30 * time.Second

var slots = []string{"a", "b"}

// A Config says where a store is.
type Config struct {
	Dir     string // "" means DefaultDir
	Trust   string // folder of *.pub files; "" means DefaultTrust
	Box     string // folder of the image's own words; "" means DefaultBox
	Program string // version of this program
	Now     func() time.Time

	disk disk // tests
}

// A Store is the two slots of a box and what is known of them.
type Store struct {
	c    Config
	disk disk
}

// Open opens the store, which it makes when there is none.
func Open(c Config) (*Store, error) {
	if c.Dir == "" {
		c.Dir = DefaultDir
	}
	if c.Trust == "" {
		c.Trust = DefaultTrust
	}
	if c.Box == "" {
		c.Box = DefaultBox
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Store{c: c, disk: c.disk}
	if s.disk != nil {
		return s, nil
	}
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of bundles: %w", err)
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of bundles: %w", err)
	}
	s.disk = rooted{root}
	return s, nil
}

// Close gives the folder back.
func (s *Store) Close() error {
	if r, ok := s.disk.(rooted); ok {
		return r.Close()
	}
	return nil
}

// lock keeps other programs out until the function it gives is called.
func (s *Store) lock(ctx context.Context) (func(), error) {
	r, ok := s.disk.(rooted)
	if !ok {
		return func() {}, nil
	}
	f, err := r.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("another program works on the box's configuration; try again in a minute"), f.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// An Order is how a bundle is brought.
type Order struct {
	Way     string // stick, cable, command: for the report
	Claim   bool   // an unclaimed box takes the key of this bundle
	AnySite bool   // a person says that this box has moved
}

// Apply verifies a bundle, lays it into the idle slot and brings it into force on trial. The error is a [*bundle.Refusal]
// when the bundle is at fault; nothing has changed then but the report. The caller tells the service to reload.
func (s *Store) Apply(ctx context.Context, r io.Reader, o Order) (bundle.Manifest, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return bundle.Manifest{}, err
	}
	defer unlock()
	m, err := s.apply(r, o)
	if err == nil {
		// systemd watches this file and reloads the service.
		if err := replace(s.disk, appliedName, fmt.Appendln(nil, m.Number), 0o644); err != nil {
			return m, fmt.Errorf("applied, but the service was not told; reload it: %w", err)
		}
	}
	report := Report{Way: o.Way, Site: m.Site, Number: m.Number, Code: Applied, Text: "taken; the service starts on it and keeps it when it is healthy within a minute"}
	if err != nil {
		report.Code, report.Text = "failed", err.Error()
		var no *bundle.Refusal
		if errors.As(err, &no) {
			report.Code, report.Text = no.Code, no.Detail+"; "+no.Remedy
		}
	}
	if err := s.report(report); err != nil && report.Code == Applied {
		return m, fmt.Errorf("applied, but the report could not be written: %w", err)
	}
	return m, err
}

func (s *Store) apply(r io.Reader, o Order) (bundle.Manifest, error) {
	st, damage := s.read()
	if damage != nil && !errors.Is(damage, errDamaged) {
		return bundle.Manifest{}, damage
	}
	trust, err := s.trust(st, o.Claim)
	if err != nil {
		return bundle.Manifest{}, err
	}
	in, err := bundle.Open(r, trust)
	if err != nil {
		return bundle.Manifest{}, err
	}
	m := in.Manifest
	if st.Trial != nil {
		return m, &bundle.Refusal{Code: bundle.TrialRunning, Detail: fmt.Sprintf("bundle %d is on trial", st.Highest[st.Site]), Remedy: "wait a minute, then bring this one again"}
	}
	identity, err := s.identity()
	if err != nil {
		return m, err
	}
	box := bundle.Box{Site: s.site(st), Number: st.Highest[m.Site], Board: s.board(), Program: s.c.Program, Seal: identity.Public()}
	if o.AnySite {
		box.Site = bundle.AnySite
	}
	if err := m.Fits(box); err != nil {
		return m, err
	}
	next := trial{Former: st.Slot, Revoke: m.Revoke}
	for _, k := range m.Trust {
		next.Trust = append(next.Trust, k.String())
	}
	if in.Claimed {
		next.Trust = append(next.Trust, in.Signer.String())
		next.Claimed = in.Signer.Fingerprint()
	}
	after := st
	after.add(&next)
	if left, err := s.trust(after, false); err != nil {
		return m, err
	} else if left.Empty() {
		return m, &bundle.Refusal{Code: bundle.LastKey, Detail: "it revokes the last key this box knows", Remedy: "bring the new key with the same bundle or an earlier one"}
	}
	if again, ok := r.(io.ReadSeeker); ok {
		// The idle slot is what the box would fall back to: it is given up for a bundle that is sound to its last byte.
		if err := in.Verify(); err != nil {
			return m, err
		}
		if _, err := again.Seek(0, io.SeekStart); err != nil {
			return m, err
		}
		if in, err = bundle.Open(again, trust); err != nil {
			return m, err
		}
		if !bytes.Equal(in.Manifest.AppendTo(nil), m.AppendTo(nil)) {
			return m, errors.New("the bundle changed while it was read")
		}
	}
	if _, err := s.disk.ReadFile(stateName); errors.Is(err, fs.ErrNotExist) {
		// From here on a missing state.json means that it got lost, not that this is the first bundle.
		if err := s.write(st); err != nil {
			return m, room(err)
		}
	}
	idle := slots[0]
	if st.Slot == idle {
		idle = slots[1]
	}
	if err := s.lay(idle, in, identity); err != nil {
		return m, room(err)
	}
	if err := s.judge(idle, m); err != nil {
		return m, err
	}
	st.Slot, st.Site, st.Trial, st.Why = idle, m.Site, &next, ""
	st.Highest[m.Site] = m.Number
	st.Event = &Event{What: Tried, Site: m.Site, Number: m.Number, Now: m.Number, Claimed: next.Claimed, At: s.c.Now().UTC()}
	if err := s.write(st); err != nil { // the switch
		return m, room(fmt.Errorf("switch to the new configuration: %w", err))
	}
	return m, nil
}

// room names the fault of a full disk.
func room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &bundle.Refusal{Code: bundle.NoRoom, Detail: "the box's disk has no room for it", Remedy: "make room on the box, then bring it again"}
	}
	return err
}

// lay writes every file of the bundle into a slot. The list of what was laid comes last: a slot without it is no slot.
func (s *Store) lay(slot string, in *bundle.Reader, identity bundle.Identity) error {
	if err := s.disk.Remove(slot + "/laid"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.disk.MkdirAll(slot); err != nil {
		return err
	}
	if err := s.disk.SyncDir(slot); err != nil {
		return err
	}
	if err := s.disk.RemoveAll(slot); err != nil {
		return err
	}
	if err := s.disk.MkdirAll(slot); err != nil {
		return err
	}
	folders := []string{slot}
	var laid bytes.Buffer
	put := func(name string, body io.Reader) error {
		if folder := filepath.Dir(slot + "/" + name); !slices.Contains(folders, folder) {
			if err := s.disk.MkdirAll(folder); err != nil {
				return err
			}
			for ; folder != "." && !slices.Contains(folders, folder); folder = filepath.Dir(folder) {
				folders = append(folders, folder)
			}
		}
		f, err := s.disk.Create(slot+"/"+name, 0o640)
		if err != nil {
			return err
		}
		sum := sha256.New()
		n, err := io.Copy(io.MultiWriter(f, sum), body)
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		fmt.Fprintf(&laid, "%d %x %s\n", n, sum.Sum(nil), name)
		return nil
	}
	if err := put("manifest", bytes.NewReader(in.Head)); err != nil {
		return err
	}
	for {
		f, body, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if f.Sealed() {
			sealed, err := io.ReadAll(body)
			if err != nil {
				return err
			}
			secret, err := identity.Unseal(sealed)
			if err != nil {
				return err
			}
			body = bytes.NewReader(secret)
		}
		if err := put(f.Path(), body); err != nil {
			return err
		}
	}
	fmt.Fprintf(&laid, "end %x\n", sha256.Sum256(laid.Bytes()))
	for _, folder := range append(folders, ".") {
		if err := s.disk.SyncDir(folder); err != nil {
			return err
		}
	}
	if err := write(s.disk, slot+"/laid", laid.Bytes(), 0o640); err != nil {
		return err
	}
	return s.disk.SyncDir(slot)
}

// judge holds the configuration of a slot to the schema, and to the bundle around it.
func (s *Store) judge(slot string, m bundle.Manifest) error {
	path := s.path(slot)
	text, err := s.disk.ReadFile(slot + "/" + bundle.ConfigName)
	if err != nil {
		return err
	}
	c, err := firmwareconfig.Parse(bundle.ConfigName, text)
	if err != nil {
		return &bundle.Refusal{Code: bundle.Configuration, Detail: firstLines(err.Error(), 5), Remedy: "correct it, ask `aboyeur check`, and pack it anew"}
	}
	if c.Site.ID != m.Site {
		return &bundle.Refusal{Code: bundle.WrongSite, Detail: fmt.Sprintf("its configuration says site %s and its manifest %s", c.Site.ID, m.Site), Remedy: "pack it anew with the site of the configuration"}
	}
	if c, err = firmwareconfig.Parse(path, text); err != nil {
		return err // the same text again, under its name on the box
	}
	for _, name := range c.Files() {
		inside, ok := strings.CutPrefix(name, filepath.Dir(path)+string(filepath.Separator))
		if ok && !slices.ContainsFunc(m.Files, func(f bundle.File) bool { return f.Path() == inside }) {
			return &bundle.Refusal{Code: bundle.FileMissing, Detail: "its configuration names " + inside + ", which it does not bring", Remedy: "pack the file with it, or write the whole path of a file on the box"}
		}
		if ok && name == c.POS.MenuFile {
			text, err := s.disk.ReadFile(slot + "/" + filepath.ToSlash(inside))
			if err != nil {
				return err
			}
			if _, err := firmwareconfig.ParseMenu(inside, text, c.Site.Currency); err != nil {
				return &bundle.Refusal{Code: bundle.Configuration, Detail: firstLines(err.Error(), 5), Remedy: "correct it, ask `aboyeur check`, and pack it anew"}
			}
		}
	}
	return nil
}

func firstLines(s string, n int) string {
	lines := strings.Split(s, "\n")
	if len(lines) > n {
		lines = append(lines[:n], fmt.Sprintf("and %d more", len(lines)-n))
	}
	return strings.Join(lines, "\n")
}

// path is the configuration of a slot, as other programs open it.
func (s *Store) path(slot string) string { return filepath.Join(s.c.Dir, slot, bundle.ConfigName) }

// intact verifies that a slot holds what was laid there, and reads its manifest.
func (s *Store) intact(slot string) (bundle.Manifest, error) {
	laid, err := s.disk.ReadFile(slot + "/laid")
	if err != nil {
		return bundle.Manifest{}, err
	}
	damaged := func(name string) error { return fmt.Errorf("%s of slot %s is damaged", name, slot) }
	i := bytes.LastIndex(laid, []byte("end "))
	if i < 0 || string(laid[i:]) != fmt.Sprintf("end %x\n", sha256.Sum256(laid[:i])) {
		return bundle.Manifest{}, damaged("the list of files")
	}
	for line := range strings.Lines(string(laid[:i])) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(words) != 3 {
			return bundle.Manifest{}, damaged("the list of files")
		}
		f, err := s.disk.Open(slot + "/" + words[2])
		if err != nil {
			return bundle.Manifest{}, damaged(words[2])
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return bundle.Manifest{}, fmt.Errorf("%w: %w", damaged(words[2]), err)
		}
		if fmt.Sprint(n) != words[0] || fmt.Sprintf("%x", sum.Sum(nil)) != words[1] {
			return bundle.Manifest{}, damaged(words[2])
		}
	}
	head, err := s.disk.Open(slot + "/manifest")
	if err != nil {
		return bundle.Manifest{}, err
	}
	defer head.Close()
	m, _, err := bundle.Peek(head)
	return m, err
}

// report keeps how the latest attempt ended.
func (s *Store) report(r Report) error {
	r.At = s.c.Now().UTC()
	return writeJSON(s.disk, reportName, r)
}
