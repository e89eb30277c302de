package slot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	firmwareconfig "aboyeur/firmware-config"
	"aboyeur/firmware-config/bundle"
)

const configuration = `site: {id: %s, name: Bistro, timezone: Europe/Paris, currency: EUR}
http: {tokens_file: tokens}
printers: [{name: grill, connect: "tcp:127.0.0.1:%d"}]
stations: [{name: grill, printers: [grill], default: true}]
`

// bench is a store with keys and bundles to try on it.
type bench struct {
	t     *testing.T
	disk  *mortal
	store *Store
	key   bundle.PrivateKey
	trust string
	box   string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, disk: newMortal(), trust: t.TempDir(), box: t.TempDir()}
	b.key = newKey(t, "office", false)
	b.trustKey(b.key)
	b.store = b.open(b.disk)
	return b
}

func newKey(t *testing.T, name string, development bool) bundle.PrivateKey {
	t.Helper()
	k, err := bundle.GenerateKey(name, development)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (b *bench) trustKey(k bundle.PrivateKey) {
	b.t.Helper()
	b.word(filepath.Join(b.trust, k.Name+".pub"), k.String()+"\n")
}

func (b *bench) word(path, text string) {
	b.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) open(d disk) *Store {
	b.t.Helper()
	s, err := Open(Config{Dir: "/nowhere", Trust: b.trust, Box: b.box, Program: "1.4.0", disk: d,
		Now: func() time.Time { return time.Unix(0, 0) }}) // a box without a battery wakes in 1970
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// pack makes a good bundle for site bistro-1; edit may spoil it. The number stands in its configuration too, as a port.
func (b *bench) pack(number uint64, edit func(*bundle.Manifest, *[]bundle.Contents), keys ...bundle.PrivateKey) []byte {
	b.t.Helper()
	m := bundle.Manifest{Site: "bistro-1", Number: number, Created: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)}
	files := []bundle.Contents{
		{Name: "box.yaml", Bytes: fmt.Appendf(nil, configuration, m.Site, 9000+number)},
		{Name: "tokens", Bytes: []byte("# none\n")},
		{Name: "logos/front.txt", Bytes: bytes.Repeat(fmt.Appendf(nil, "logo %d ", number), 100)},
	}
	if edit != nil {
		edit(&m, &files)
	}
	if keys == nil {
		keys = []bundle.PrivateKey{b.key}
	}
	var out bytes.Buffer
	if err := bundle.Pack(&out, m, files, keys...); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

func (b *bench) apply(text []byte, o Order) error {
	_, err := b.store.Apply(b.t.Context(), bytes.NewReader(text), o)
	return err
}

// install applies a good bundle and confirms it.
func (b *bench) install(number uint64) {
	b.t.Helper()
	if err := b.apply(b.pack(number, nil), Order{}); err != nil {
		b.t.Fatal(err)
	}
	if r := b.start(); r.Number != number || !r.Trial {
		b.t.Fatalf("Start = %+v, want bundle %d on trial", r, number)
	}
	if err := b.store.Confirm(b.t.Context(), number); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) start() Running {
	b.t.Helper()
	r, err := b.store.Start(b.t.Context())
	if err != nil || r.Fault != nil {
		b.t.Fatalf("Start: %v, %v", err, r.Fault)
	}
	return r
}

func code(err error) string {
	var r *bundle.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func TestApplyConfirmReturn(t *testing.T) {
	b := newBench(t)
	if r := b.start(); r.Config != "" || r.Number != 0 {
		t.Errorf("Start of a new store = %+v", r)
	}
	b.install(1)
	b.install(2)
	if err := b.apply(b.pack(3, nil), Order{Way: "stick"}); err != nil {
		t.Fatal(err)
	}
	if got := code(b.apply(b.pack(4, nil), Order{})); got != bundle.TrialRunning {
		t.Errorf("a bundle while another is on trial: %s", got)
	}
	r := b.start()
	if r.Number != 3 || !r.Trial || r.Config == r.Former || r.Former == "" || r.Event.What != Tried {
		t.Errorf("Start = %+v", r)
	}
	if err := b.store.Return(t.Context(), 3, "printer grill did not answer"); err != nil {
		t.Fatal(err)
	}
	r = b.start()
	if r.Number != 2 || r.Trial || r.Event == nil || r.Event.What != Returned || r.Event.Number != 3 || r.Event.Now != 2 || r.Event.Reason != "printer grill did not answer" {
		t.Errorf("Start after the return = %+v, %+v", r, r.Event)
	}
	if err := b.store.Told(t.Context(), *r.Event); err != nil {
		t.Fatal(err)
	}
	if r := b.start(); r.Event != nil {
		t.Errorf("told, and told again: %+v", r.Event)
	}
	// What was bad once does not come back by the same stick.
	if got := code(b.apply(b.pack(3, nil), Order{})); got != bundle.SameNumber {
		t.Errorf("the bundle that was returned: %s", got)
	}
	if got := code(b.apply(b.pack(2, nil), Order{})); got != bundle.OldNumber {
		t.Errorf("the bundle in force: %s", got)
	}
	if err := b.store.Confirm(t.Context(), 2); err == nil {
		t.Error("a bundle that is not on trial was confirmed")
	}
	b.install(4)
}

func TestThreeStarts(t *testing.T) {
	b := newBench(t)
	b.install(1)
	if err := b.apply(b.pack(2, nil), Order{}); err != nil {
		t.Fatal(err)
	}
	for n := range MaxStarts {
		if r := b.start(); r.Number != 2 || !r.Trial {
			t.Fatalf("start %d = %+v", n+1, r)
		}
	}
	if r := b.start(); r.Number != 1 || r.Trial || r.Event.What != Returned || r.Event.Reason == "" {
		t.Errorf("the start after them = %+v, %+v", r, r.Event)
	}
}

// TestRefused is the table of bundles that meet a box: each refused by name, and nothing changed but the report.
func TestRefused(t *testing.T) {
	b := newBench(t)
	b.install(4)
	b.install(5)
	stranger, dev, spare := newKey(t, "stranger", false), newKey(t, "workshop", true), newKey(t, "spare", false)
	b.trustKey(dev)
	b.trustKey(spare)
	if err := b.apply(b.pack(6, func(m *bundle.Manifest, _ *[]bundle.Contents) { m.Revoke = []string{spare.Fingerprint()} }), Order{}); err != nil {
		t.Fatal(err)
	}
	b.start()
	if err := b.store.Confirm(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	other, err := bundle.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	good := b.pack(7, nil)
	file := func(name, text string) func(*bundle.Manifest, *[]bundle.Contents) {
		return func(_ *bundle.Manifest, files *[]bundle.Contents) {
			*files = slices.DeleteFunc(*files, func(c bundle.Contents) bool { return c.Name == name })
			if text != "" {
				*files = append(*files, bundle.Contents{Name: name, Bytes: []byte(text)})
			}
		}
	}
	type edit = func(*bundle.Manifest, *[]bundle.Contents)
	for _, c := range []struct {
		name  string
		bytes []byte
		order Order
		want  string
	}{
		{"empty", nil, Order{}, bundle.NotABundle},
		{"cut in the middle", good[:len(good)-300], Order{}, bundle.Truncated},
		{"cut in the manifest", good[:60], Order{}, bundle.Truncated},
		{"a file changed", append(good[:len(good)-1:len(good)-1], '!'), Order{}, bundle.FileChanged},
		{"something behind it", append(bytes.Clone(good), '!'), Order{}, bundle.Trailing},
		{"a stranger's", b.pack(7, nil, stranger), Order{}, bundle.UnknownKey},
		{"a stranger's by cable", b.pack(7, nil, stranger), Order{Claim: true}, bundle.UnknownKey},
		{"a development key's", b.pack(7, nil, dev), Order{}, bundle.DevelopmentKey},
		{"a revoked spare key's", b.pack(7, nil, spare), Order{}, bundle.RevokedKey},
		{"the number again", b.pack(6, nil), Order{}, bundle.SameNumber},
		{"an older number", b.pack(5, nil), Order{}, bundle.OldNumber},
		{"another site's", b.pack(7, edit(func(m *bundle.Manifest, f *[]bundle.Contents) {
			m.Site = "bistro-2"
			(*f)[0].Bytes = fmt.Appendf(nil, configuration, "bistro-2", 9000)
		})), Order{}, bundle.WrongSite},
		{"of two minds about its site", b.pack(7, edit(func(_ *bundle.Manifest, f *[]bundle.Contents) {
			(*f)[0].Bytes = fmt.Appendf(nil, configuration, "bistro-2", 9000)
		})), Order{}, bundle.WrongSite},
		{"another board's", b.pack(7, edit(func(m *bundle.Manifest, _ *[]bundle.Contents) { m.Board = "pc" })), Order{}, bundle.WrongBoard},
		{"a newer program's", b.pack(7, edit(func(m *bundle.Manifest, _ *[]bundle.Contents) { m.Program = "1.5.0" })), Order{}, bundle.ProgramTooOld},
		{"sealed to another box", b.pack(7, edit(func(_ *bundle.Manifest, f *[]bundle.Contents) {
			*f = append(*f, bundle.Contents{Name: "otter", SealTo: []string{other.Public()}, Bytes: []byte("x")})
		})), Order{}, bundle.SealedToOthers},
		{"a configuration that is not YAML", b.pack(7, file("box.yaml", "{{{{")), Order{}, bundle.Configuration},
		{"a configuration with a wrong key", b.pack(7, file("box.yaml", fmt.Sprintf(configuration, "bistro-1", 9000)+"printer: []\n")), Order{}, bundle.Configuration},
		{"a configuration of a megabyte", b.pack(7, file("box.yaml", strings.Repeat("# x\n", 1<<19))), Order{}, bundle.Configuration},
		{"a file that its configuration names is missing", b.pack(7, file("tokens", "")), Order{}, bundle.FileMissing},
		{"a logo that its configuration names is missing", b.pack(7, edit(func(_ *bundle.Manifest, f *[]bundle.Contents) {
			(*f)[0].Bytes = fmt.Appendf(nil, configuration+"receipts: {logo_file: logos/back.png}\n", "bistro-1", 9000)
		})), Order{}, bundle.FileMissing},
		{"a menu that is wrong", b.pack(7, edit(func(_ *bundle.Manifest, f *[]bundle.Contents) {
			(*f)[0].Bytes = fmt.Appendf(nil, configuration+"pos: {menu_file: menu.yaml}\n", "bistro-1", 9000)
			*f = append(*f, bundle.Contents{Name: "menu.yaml", Bytes: []byte("categories: [{id: a, name: A, items: [{sku: S, name: N, price: -1}]}]\n")})
		})), Order{}, bundle.Configuration},
		{"it would leave no key", b.pack(7, edit(func(m *bundle.Manifest, _ *[]bundle.Contents) { m.Revoke = []string{b.key.Fingerprint()} })), Order{}, bundle.LastKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, err := b.disk.ReadFile(stateName)
			if err != nil {
				t.Fatal(err)
			}
			c.order.Way = "stick"
			if got := code(b.apply(c.bytes, c.order)); got != c.want {
				t.Errorf("Apply: %s, want %s", got, c.want)
			}
			after, err := b.disk.ReadFile(stateName)
			if err != nil || !bytes.Equal(after, before) {
				t.Errorf("the state changed:\n%s\n%s", before, after)
			}
			if r := b.start(); r.Number != 6 || r.Trial {
				t.Errorf("Start = %+v, want bundle 6", r)
			}
			if st, err := b.store.Status(); err != nil || st.Report == nil || st.Report.Code != c.want || st.Report.Way != "stick" {
				t.Errorf("the report is %+v, %v", st.Report, err)
			}
		})
	}
	// After all that the good one is taken.
	if err := b.apply(good, Order{}); err != nil {
		t.Fatal(err)
	}
	if st, err := b.store.Status(); err != nil || st.Report.Code != Applied {
		t.Errorf("the report is %+v, %v", st.Report, err)
	}
}

func TestUnreadableStick(t *testing.T) {
	b := newBench(t)
	b.install(1)
	broken := errors.New("input/output error")
	text := b.pack(2, nil)
	for n := 0; n < len(text); n += 97 {
		_, err := b.store.Apply(t.Context(), io.MultiReader(bytes.NewReader(text[:n]), iotest.ErrReader(broken)), Order{})
		if !errors.Is(err, broken) {
			t.Fatalf("a stick pulled out after %d bytes: %v", n, err)
		}
		if r := b.start(); r.Number != 1 || r.Trial {
			t.Fatalf("Start = %+v", r)
		}
	}
}

func TestClaim(t *testing.T) {
	b := newBench(t)
	if err := os.Remove(filepath.Join(b.trust, "office.pub")); err != nil {
		t.Fatal(err)
	}
	if got := code(b.apply(b.pack(1, nil), Order{Way: "stick"})); got != bundle.Unclaimed {
		t.Errorf("a first bundle by stick: %s", got)
	}
	if err := b.apply(b.pack(1, nil), Order{Way: "cable", Claim: true}); err != nil {
		t.Fatal(err)
	}
	r := b.start()
	if r.Event.Claimed != b.key.Fingerprint() {
		t.Errorf("claimed by %q, want %s", r.Event.Claimed, b.key.Fingerprint())
	}
	// Not healthy: nobody has claimed the box, and another may.
	if err := b.store.Return(t.Context(), 1, "no journal"); err != nil {
		t.Fatal(err)
	}
	second := newKey(t, "second", false)
	if err := b.apply(b.pack(2, nil, second), Order{Claim: true}); err != nil {
		t.Fatal(err)
	}
	b.start()
	if err := b.store.Confirm(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := code(b.apply(b.pack(3, nil), Order{Claim: true})); got != bundle.UnknownKey {
		t.Errorf("a second claim: %s", got)
	}
	if err := b.apply(b.pack(3, nil, second), Order{}); err != nil {
		t.Errorf("the key that claimed the box: %v", err)
	}
}

func TestKeysRoll(t *testing.T) {
	b := newBench(t)
	b.install(1)
	fresh := newKey(t, "office-2027", false)
	roll := b.pack(2, func(m *bundle.Manifest, _ *[]bundle.Contents) {
		m.Trust, m.Revoke = []bundle.Key{fresh.Key}, []string{b.key.Fingerprint()}
	})
	if err := b.apply(roll, Order{}); err != nil {
		t.Fatal(err)
	}
	// The bundle is not healthy: the old key counts on.
	if err := b.store.Return(t.Context(), 2, "printer grill did not answer"); err != nil {
		t.Fatal(err)
	}
	if got := code(b.apply(b.pack(3, nil, fresh), Order{})); got != bundle.UnknownKey {
		t.Errorf("a key of a bundle that was returned: %s", got)
	}
	roll = b.pack(3, func(m *bundle.Manifest, _ *[]bundle.Contents) {
		m.Trust, m.Revoke = []bundle.Key{fresh.Key}, []string{b.key.Fingerprint()}
	})
	if err := b.apply(roll, Order{}); err != nil {
		t.Fatal(err)
	}
	b.start()
	if err := b.store.Confirm(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got := code(b.apply(b.pack(4, nil), Order{})); got != bundle.RevokedKey {
		t.Errorf("the old key: %s", got)
	}
	if err := b.apply(b.pack(4, nil, fresh), Order{}); err != nil {
		t.Errorf("the new key: %v", err)
	}
}

func TestSites(t *testing.T) {
	b := newBench(t)
	b.install(5)
	moved := func(number uint64) []byte {
		return b.pack(number, func(m *bundle.Manifest, f *[]bundle.Contents) {
			m.Site = "bistro-2"
			(*f)[0].Bytes = fmt.Appendf(nil, configuration, "bistro-2", 9000)
		})
	}
	if got := code(b.apply(moved(1), Order{})); got != bundle.WrongSite {
		t.Errorf("another site: %s", got)
	}
	if err := b.apply(moved(1), Order{AnySite: true}); err != nil {
		t.Fatal(err)
	}
	b.start()
	if err := b.store.Confirm(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	// Each site has its numbers: moving there and back does not bring an old bundle back.
	if got := code(b.apply(b.pack(5, nil), Order{AnySite: true})); got != bundle.SameNumber {
		t.Errorf("the first site's bundle again: %s", got)
	}
	b.word(filepath.Join(b.box, "site"), "any\n")
	if err := b.apply(b.pack(6, nil), Order{}); err != nil {
		t.Errorf("a spare box: %v", err)
	}
}

func TestDevelopmentBox(t *testing.T) {
	b := newBench(t)
	dev := newKey(t, "workshop", true)
	b.trustKey(dev)
	b.word(filepath.Join(b.box, "development"), "")
	if err := b.apply(b.pack(1, nil, dev), Order{}); err != nil {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	b := newBench(t)
	identity, err := b.store.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.store.Identity(t.Context())
	if err != nil || again.Public() != identity.Public() {
		t.Fatalf("the identity changed: %v", err)
	}
	text := b.pack(1, func(_ *bundle.Manifest, f *[]bundle.Contents) {
		*f = append(*f, bundle.Contents{Name: "otter", SealTo: []string{identity.Public()}, Bytes: []byte("s3cret")})
	})
	if err := b.apply(text, Order{}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.disk.ReadFile("a/secrets/otter"); err != nil || string(got) != "s3cret" {
		t.Errorf("the secret in the slot is %q, %v", got, err)
	}
	if r := b.start(); r.Number != 1 {
		t.Errorf("Start = %+v", r)
	}
}

// Whatever file of the slot in force is damaged, the other slot takes its place and says which.
func TestWornCard(t *testing.T) {
	fresh := func() *bench {
		b := newBench(t)
		b.install(1)
		b.install(2)
		return b
	}
	b := fresh()
	for _, name := range slices.Sorted(maps.Keys(b.disk.names)) {
		if !strings.HasPrefix(name, "b/") || b.disk.names[name].folder {
			continue
		}
		b := fresh()
		n := b.disk.names[name]
		n.data = slices.Clone(n.data)
		n.data[len(n.data)/2] ^= 4
		r := b.start()
		if r.Number != 1 || r.Event == nil || r.Event.What != Mended || r.Event.Number != 2 || r.Event.Now != 1 || r.Event.Reason == "" {
			t.Errorf("%s damaged: Start = %+v, %+v", name, r, r.Event)
		}
		if got := code(b.apply(b.pack(2, nil), Order{})); got != bundle.SameNumber {
			t.Errorf("%s damaged, and the same bundle again: %s", name, got)
		}
		b.install(3)
	}
	b = fresh()
	n := b.disk.names[stateName]
	n.data = slices.Clone(n.data)
	n.data[5] ^= 1
	if r := b.start(); r.Number != 2 || r.Event.What != Mended {
		t.Errorf("state.json damaged: Start = %+v", r)
	}
	if got := code(b.apply(b.pack(2, nil), Order{})); got != bundle.SameNumber {
		t.Errorf("state.json damaged, and an old number: %s", got)
	}
	b = fresh()
	delete(b.disk.names, stateName)
	if r := b.start(); r.Number != 2 || r.Event.What != Mended {
		t.Errorf("state.json lost: Start = %+v", r)
	}
	for _, slot := range slots {
		b.disk.names[slot+"/laid"].data = nil
	}
	if r := b.start(); r.Config != "" || r.Event.What != Mended {
		t.Errorf("both slots damaged: Start = %+v", r)
	}
}

// TestPowerCut cuts the power at every write, sync and renaming of an update from N to N+1, its start and its confirmation,
// and looks what the next start finds: N before the switch, N+1 after it, each complete, and never anything else.
func TestPowerCut(t *testing.T) {
	type step struct {
		name string
		do   func(*bench) error
	}
	steps := []step{
		{"apply", func(b *bench) error { return b.apply(b.pack(3, nil), Order{Way: "stick"}) }},
		{"start", func(b *bench) error {
			r, err := b.store.Start(t.Context())
			return errors.Join(err, r.Fault)
		}},
		{"confirm", func(b *bench) error { return b.store.Confirm(t.Context(), 3) }},
	}
	base := newBench(t)
	base.install(1)
	base.install(2)
	cuts := 0
	for from := range steps {
		for dieAt := 1; ; dieAt++ {
			died := false
			for seed := range uint64(6) {
				b := *base
				b.disk = base.disk.copy()
				b.store = b.open(b.disk)
				for _, s := range steps[:from] {
					if err := s.do(&b); err != nil {
						t.Fatalf("%s: %v", s.name, err)
					}
				}
				b.disk.calls, b.disk.dieAt = nil, dieAt
				err := steps[from].do(&b)
				if !b.disk.dead {
					if err != nil {
						t.Fatalf("%s without a cut: %v", steps[from].name, err)
					}
					break
				}
				died = true
				cuts++
				calls := b.disk.calls
				at := fmt.Sprintf("%s, power cut at %d: %s, seed %d", steps[from].name, dieAt, calls[len(calls)-1], seed)
				switched := slices.Contains(calls[:len(calls)-1], "rename "+stateName) || from > 0
				b.disk.revive(rand.New(rand.NewPCG(seed, uint64(dieAt))))
				b.store = b.open(b.disk)
				r := b.start()
				if r.Number != 2 && r.Number != 3 || r.Number == 3 && !switched {
					t.Fatalf("%s: Start = %+v", at, r)
				}
				if from > 0 && r.Number != 3 {
					t.Fatalf("%s: back on %d though the switch was on disk", at, r.Number)
				}
				b.complete(at, r)
				// Whatever happened, an undisturbed repetition ends on N+1.
				if r.Number == 2 {
					if err := b.apply(b.pack(3, nil), Order{}); err != nil {
						t.Fatalf("%s: again: %v", at, err)
					}
					r = b.start()
				}
				if r.Trial {
					if err := b.store.Confirm(t.Context(), 3); err != nil {
						t.Fatalf("%s: %v", at, err)
					}
				}
				if r = b.start(); r.Number != 3 || r.Trial {
					t.Fatalf("%s: ended on %+v", at, r)
				}
				b.complete(at, r)
			}
			if !died {
				break
			}
		}
	}
	if cuts < 200 {
		t.Errorf("%d power cuts; there are more places", cuts)
	}
	t.Logf("%d power cuts", cuts)
}

// complete checks that the files of the slot in force are those of one bundle.
func (b *bench) complete(at string, r Running) {
	b.t.Helper()
	slot := filepath.Base(filepath.Dir(r.Config))
	for name, want := range map[string]string{
		"box.yaml": fmt.Sprintf(configuration, "bistro-1", 9000+r.Number), "logos/front.txt": strings.Repeat(fmt.Sprintf("logo %d ", r.Number), 100), "tokens": "# none\n",
	} {
		if got, err := b.disk.ReadFile(slot + "/" + name); err != nil || string(got) != want {
			b.t.Fatalf("%s: %s of bundle %d is %q, %v", at, name, r.Number, got, err)
		}
	}
}

// copy is the same disk once more, at rest.
func (m *mortal) copy() *mortal {
	c := newMortal()
	for name, n := range m.names {
		c.names[name] = &inode{n.folder, slices.Clone(n.data), slices.Clone(n.data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

// Power cuts in the first bundle's life: there is no former one, and a start finds none or the first.
func TestPowerCutOfTheFirst(t *testing.T) {
	for dieAt := 1; ; dieAt++ {
		for seed := range uint64(4) {
			b := newBench(t)
			b.disk.dieAt = dieAt
			if err := b.apply(b.pack(1, nil), Order{}); !b.disk.dead {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			switched := slices.Contains(b.disk.calls[:dieAt-1], "rename "+stateName)
			at := fmt.Sprintf("power cut at %s", b.disk.calls[dieAt-1])
			b.disk.revive(rand.New(rand.NewPCG(seed, uint64(dieAt))))
			b.store = b.open(b.disk)
			r := b.start()
			if r.Number > 1 || r.Number == 1 && (!switched || !r.Trial) {
				t.Fatalf("%s: Start = %+v", at, r)
			}
			if r.Number == 0 {
				if err := b.apply(b.pack(1, nil), Order{}); err != nil {
					t.Fatalf("%s: again: %v", at, err)
				}
			}
		}
	}
}

// A disk that fails once, at whatever call, without losing its power: Apply says so, and the next one succeeds.
func TestDiskFaults(t *testing.T) {
	for dieAt := 1; ; dieAt++ {
		b := newBench(t)
		b.install(1)
		b.disk.calls, b.disk.dieAt = nil, dieAt
		err := b.apply(b.pack(2, nil), Order{})
		if !b.disk.dead {
			return
		}
		if err == nil {
			t.Fatalf("fault at %s was not told", b.disk.calls[dieAt-1])
		}
		b.disk.dead, b.disk.dieAt = false, 0
		if r := b.start(); r.Number == 1 {
			if err := b.apply(b.pack(2, nil), Order{}); err != nil {
				t.Fatalf("after a fault at %s: %v", b.disk.calls[dieAt-1], err)
			}
		}
		if r := b.start(); r.Number != 2 || !r.Trial {
			t.Fatalf("after a fault: %+v", r)
		}
	}
}

// Menu and logo come with a bundle, lie where its configuration names them, and change with it, there and back.
func TestMenuAndLogo(t *testing.T) {
	b := newBench(t)
	s, err := Open(Config{Dir: t.TempDir(), Trust: b.trust, Box: b.box, Program: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b.store = s
	pack := func(number uint64, dish string) []byte {
		return b.pack(number, func(_ *bundle.Manifest, f *[]bundle.Contents) {
			(*f)[0].Bytes = fmt.Appendf(nil, configuration+"pos: {menu_file: menu/winter.yaml}\nreceipts: {logo_file: logos/front.png}\n", "bistro-1", 9000+number)
			*f = append(*f, bundle.Contents{Name: "menu/winter.yaml", Bytes: fmt.Appendf(nil, "categories: [{id: a, name: A, items: [{sku: S, name: %s, price: 900}]}]\n", dish)},
				bundle.Contents{Name: "logos/front.png", Bytes: []byte("picture of " + dish)})
		})
	}
	wants := func(number uint64, dish string) {
		t.Helper()
		r := b.start()
		c, err := firmwareconfig.Load(r.Config)
		if err != nil || r.Number != number {
			t.Fatalf("bundle %d: Start = %+v, Load: %v", number, r, err)
		}
		menu, err := firmwareconfig.LoadMenu(c.POS.MenuFile, c.Site.Currency)
		if err != nil || menu.Categories[0].Items[0].Name != dish {
			t.Errorf("bundle %d: the menu is %+v, %v, want %s", number, menu, err, dish)
		}
		if logo, err := os.ReadFile(c.Receipts.LogoFile); err != nil || string(logo) != "picture of "+dish {
			t.Errorf("bundle %d: the logo is %q, %v", number, logo, err)
		}
	}
	for number, dish := range []string{"Soup", "Stew"} {
		if err := b.apply(pack(uint64(number+1), dish), Order{}); err != nil {
			t.Fatal(err)
		}
		wants(uint64(number+1), dish)
		if number == 0 {
			if err := b.store.Confirm(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.store.Return(t.Context(), 2, "not healthy"); err != nil {
		t.Fatal(err)
	}
	wants(1, "Soup")
}

// TestRealDisk goes the whole way in a real folder, where links and other things that are no files may lie.
func TestRealDisk(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	b.word(outside, "untouched")
	open := func() {
		s, err := Open(Config{Dir: dir, Trust: b.trust, Box: b.box, Program: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		b.store = s
	}
	open()
	b.install(1)
	// Somebody with a hand in the idle slot leaves links that lead out of it.
	if err := os.MkdirAll(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"b/box.yaml", "b/laid", "b/manifest", "state.json.new"} {
		if err := os.Symlink(outside, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "b/logos")); err != nil {
		t.Fatal(err)
	}
	b.install(2)
	if text, err := os.ReadFile(outside); err != nil || string(text) != "untouched" {
		t.Errorf("a file outside the store is %q, %v", text, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(outside)); err != nil || len(entries) != 1 {
		t.Errorf("files outside the store: %v, %v", entries, err)
	}
	r := b.start()
	if r.Config != filepath.Join(dir, "b", "box.yaml") {
		t.Errorf("Start = %+v", r)
	}
	// A file of the slot is exchanged for a link or a pipe: the slot no longer counts.
	if err := os.Remove(r.Config); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, r.Config); err != nil {
		t.Fatal(err)
	}
	if r := b.start(); r.Number != 1 || r.Event.What != Mended {
		t.Errorf("Start = %+v", r)
	}
	info, err := os.Stat(filepath.Join(dir, identName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the identity's file: %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "state.json.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something half written stays: %v", err)
	}
	// Another program that works on it keeps this one waiting no longer than it is told to.
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := contextEnded()
	defer cancel()
	if _, err := b.store.Start(ctx); err == nil {
		t.Error("Start did not see the other program's lock")
	}
}

func TestReportAndUp(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, Trust: t.TempDir(), Box: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r, err := LastReport(dir); r != nil || err != nil {
		t.Errorf("LastReport = %+v, %v", r, err)
	}
	if up, err := s.Up(); up != nil || err != nil {
		t.Errorf("Up = %v, %v", up, err)
	}
	if err := s.KeepUp([]string{"printer grill"}); err != nil {
		t.Fatal(err)
	}
	if up, err := s.Up(); err != nil || !slices.Equal(up, []string{"printer grill"}) {
		t.Errorf("Up = %v, %v", up, err)
	}
	if _, err := s.Apply(t.Context(), strings.NewReader("x"), Order{Way: "cable"}); err == nil {
		t.Fatal("x was taken")
	}
	if r, err := LastReport(dir); err != nil || r.Code != bundle.NotABundle || r.Way != "cable" {
		t.Errorf("LastReport = %+v, %v", r, err)
	}
}

func contextEnded() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
