package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var made = time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC)

// key is a private key that is the same in every run.
func key(name string, development bool) PrivateKey {
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte(name)[:1], ed25519.SeedSize))
	return PrivateKey{Key{name, development, secret.Public().(ed25519.PublicKey)}, secret}
}

func manifest() Manifest { return Manifest{Site: "bistro-1", Number: 7, Created: made} }

func contents() []Contents {
	return []Contents{
		{Name: ConfigName, Bytes: []byte("site: {id: bistro-1}\n")},
		{Name: "logos/front.png", Bytes: bytes.Repeat([]byte{1, 2, 3}, 10000)},
		{Name: "empty.txt"},
	}
}

func pack(t testing.TB, m Manifest, files []Contents, keys ...PrivateKey) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, m, files, keys...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read opens and verifies a whole bundle and returns its files.
func read(b []byte, trust Trust) (*Reader, map[string]string, error) {
	r, err := Open(bytes.NewReader(b), trust)
	if err != nil {
		return nil, nil, err
	}
	files := map[string]string{}
	for {
		f, body, err := r.Next()
		if err == io.EOF {
			return r, files, nil
		}
		if err != nil {
			return r, nil, err
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return r, nil, err
		}
		files[f.Path()] = string(text)
	}
}

func code(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func TestRoundTrip(t *testing.T) {
	k, other := key("office", false), key("spare", false)
	m := manifest()
	m.Program, m.Board, m.Trust, m.Revoke = "1.2.0", "raspberry-pi-4", []Key{other.Key}, []string{key("lost", false).Fingerprint()}
	box, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	files := append(contents(), Contents{Name: "otter", SealTo: []string{box.Public()}, Bytes: []byte("s3cret")})
	b := pack(t, m, files, k, other)
	if bytes.Contains(b, []byte("s3cret")) {
		t.Error("the secret stands in the bundle in the clear")
	}
	for name, trust := range map[string]Trust{"the first key": {Keys: []Key{k.Key}}, "the second key": {Keys: []Key{other.Key}}, "the first one that comes": {Claim: true}} {
		r, got, err := read(b, trust)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.Claimed != trust.Claim {
			t.Errorf("%s: claimed %t", name, r.Claimed)
		}
		m.Files = r.Files
		if diff := cmp.Diff(m, r.Manifest); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		for _, f := range files[:3] {
			if got[f.Name] != string(f.Bytes) {
				t.Errorf("%s: %s came as %d bytes", name, f.Name, len(got[f.Name]))
			}
		}
		secret, err := box.Unseal([]byte(got["secrets/otter"]))
		if err != nil || string(secret) != "s3cret" {
			t.Errorf("Unseal = %q, %v", secret, err)
		}
		if err := r.Fits(Box{Site: "bistro-1", Number: 6, Board: "raspberry-pi-4", Program: "v1.10.0", Seal: box.Public()}); err != nil {
			t.Error(err)
		}
	}
	// However the bytes come in, the same is read.
	r, err := Open(iotest.OneByteReader(bytes.NewReader(b)), Trust{Keys: []Key{k.Key}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
}

// No byte of a bundle can be changed without its being refused.
func TestEveryByteCounts(t *testing.T) {
	k := key("office", false)
	b := pack(t, manifest(), contents()[:2], k)
	head := bytes.Index(b, []byte("site: {id")) // where the files begin
	trust := Trust{Keys: []Key{k.Key}}
	for i := range b {
		if i > head+200 && i < len(b)-200 && i%97 != 0 {
			continue // the middle of a file is all alike
		}
		for _, flip := range []byte{0x01, 0x20, 0x80, byte(1 + rand.IntN(255))} {
			bad := bytes.Clone(b)
			bad[i] ^= flip
			if _, _, err := read(bad, trust); err == nil {
				t.Errorf("byte %d (%q) xor %02x was taken", i, b[i], flip)
			}
		}
	}
	for n := range b {
		if n > head+200 && n < len(b)-200 && n%97 != 0 {
			continue
		}
		_, _, err := read(b[:n], trust)
		if c := code(err); c != Truncated && !(n == 0 && c == NotABundle) {
			t.Fatalf("the first %d bytes: %v, want truncated", n, err)
		}
	}
}

// TestHostile is the table of attacks and accidents on the file itself. What concerns the box's own state stands with the
// slots.
func TestHostile(t *testing.T) {
	k, other, dev := key("office", false), key("thief", false), key("workshop", true)
	trust := Trust{Keys: []Key{k.Key, dev.Key}}
	good := pack(t, manifest(), contents(), k)
	// resign writes a head over whatever text, as who has the key can.
	resign := func(text string, body []byte) []byte {
		head, err := sign([]byte(text), k)
		if err != nil {
			t.Fatal(err)
		}
		return append(head, body...)
	}
	m, _, err := Peek(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	text := string(m.AppendTo(nil))
	body := good[len(good)-30021:]
	if string(body[:5]) != "site:" {
		t.Fatalf("the files begin with %q", body[:5])
	}
	second := contents()
	second[1].Bytes = bytes.Repeat([]byte{9, 9, 9}, 10000)
	seconds := pack(t, Manifest{Site: "bistro-1", Number: 8, Created: made}, second, k)
	edit := func(from, to string) []byte {
		if !strings.Contains(text, from) {
			t.Fatalf("the manifest has no %q", from)
		}
		return resign(strings.Replace(text, from, to, 1), body)
	}
	hash := fmt.Sprintf("%x", m.Files[0].SHA256)
	line := func(s string) []byte { // with one more line of a file
		return resign(strings.TrimSuffix(text, "\n")+s+"\n\n", body)
	}
	name := func(s string) []byte { return edit(" empty.txt", " "+s) }
	foreign := func(context string) []byte {
		signature, err := k.private.Sign(nil, []byte(text), &ed25519.Options{Context: context})
		if err != nil {
			t.Fatal(err)
		}
		return append(fmt.Appendf(nil, "%ssigned %s %s\n\n", text, k.Key, base64.StdEncoding.EncodeToString(signature)), body...)
	}
	revoked := Trust{Keys: trust.Keys, Revoked: []string{k.Fingerprint()}}
	undressed := dev
	undressed.Development = false // who strikes the word out of the key's file
	devs := pack(t, manifest(), contents(), dev)
	for _, c := range []struct {
		name  string
		bytes []byte
		trust *Trust
		want  string
	}{
		{"nothing", nil, nil, NotABundle},
		{"a picture", []byte("\x89PNG\r\n\x1a\n and so on and on"), nil, NotABundle},
		{"a zip file", append([]byte("PK\x03\x04"), make([]byte, 1000)...), nil, NotABundle},
		{"a configuration", []byte("site: {id: bistro-1, name: Bistro}\n"), nil, NotABundle},
		{"a bundle of a later form", bytes.Replace(good, []byte("bundle 1"), []byte("bundle 2"), 1), nil, NewerFormat},
		{"lines end in CRLF", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), nil, NewerFormat},
		{"unsigned", append([]byte(text), append([]byte("\n"), body...)...), nil, Unsigned},
		{"signed by a stranger", pack(t, manifest(), contents(), other), nil, UnknownKey},
		{"signed by a revoked key", good, &revoked, RevokedKey},
		{"signed by a revoked and a strange key", pack(t, manifest(), contents(), k, other), &revoked, RevokedKey},
		{"signed by a development key", devs, nil, DevelopmentKey},
		{"a development key without its word", bytes.Replace(devs, []byte(development), []byte(production), 1), &Trust{Keys: []Key{undressed.Key}}, BadSignature},
		{"nobody is trusted", good, &Trust{}, Unclaimed},
		{"only a development key is trusted", good, &Trust{Keys: []Key{dev.Key}}, Unclaimed},
		{"a second first bundle", pack(t, manifest(), contents(), other), &Trust{Keys: []Key{k.Key}, Claim: true}, UnknownKey},
		{"claimed with a development key", devs, &Trust{Claim: true}, DevelopmentKey},
		{"signed as another kind of document", foreign("aboyeur journal 1"), nil, BadSignature},
		{"signed without a context", foreign(""), nil, BadSignature},
		{"the signature of another bundle", bytes.Replace(good, good[bytes.Index(good, []byte("signed ")):len(good)-30021],
			seconds[bytes.Index(seconds, []byte("signed ")):len(seconds)-30021], 1), nil, BadSignature},
		{"another site written in", bytes.Replace(good, []byte("bistro-1"), []byte("bistro-2"), 1), nil, BadSignature},
		{"another number written in", bytes.Replace(good, []byte("number 7"), []byte("number 9"), 1), nil, BadSignature},
		{"the files of another good bundle", append(bytes.Clone(good[:len(good)-30021]), seconds[len(seconds)-30021:]...), nil, FileChanged},
		{"a file changed", append(bytes.Clone(good[:len(good)-1]), 0), nil, FileChanged},
		{"a file dropped", good[:len(good)-30000], nil, Truncated},
		{"a file added behind", append(bytes.Clone(good), "more"...), nil, Trailing},
		{"a file renamed", bytes.Replace(good, []byte("front.png"), []byte("other.png"), 1), nil, BadSignature},
		{"two files swapped", resign(text, append(bytes.Clone(body[21:]), body[:21]...)), nil, FileChanged},
		{"a name that climbs", name("../../etc/shadow"), nil, FileName},
		{"a name that climbs in the middle", name("logos/../../x"), nil, FileName},
		{"an absolute name", name("/etc/shadow"), nil, FileName},
		{"a hidden name", name(".ssh/authorized-keys"), nil, FileName},
		{"a name with a backslash", name(`logos\x`), nil, FileName},
		{"a name with a zero byte", name("a\x00b"), nil, FileName},
		{"a name that is not ASCII", name("menü.txt"), nil, FileName},
		{"a name of the slot's own", name("laid"), nil, FileName},
		{"a name in the box's folder of secrets", name("secrets/otter"), nil, FileName},
		{"a very long name", name(strings.Repeat("a", 200)), nil, FileName},
		{"many folders", name("a/b/c/d/e"), nil, FileName},
		{"an empty name", name(""), nil, FileName},
		{"two names that differ in case", edit(" empty.txt", " LOGOS/front.png"), nil, Malformed},
		{"one name twice", line("file 0 " + hash + " logos/front.png"), nil, FileName},
		{"a file that is a folder too", line("file 0 " + hash + " logos/front.png/x"), nil, FileName},
		{"files out of order", line("file 0 " + hash + " aaa"), nil, Malformed},
		{"no configuration", edit(" box.yaml", " box.yml"), nil, NoConfiguration},
		{"a file of a terabyte", edit("30000 ", "1099511627776 "), nil, TooLarge},
		{"a file beyond all numbers", edit("30000 ", "99999999999999999999 "), nil, Malformed},
		{"a negative size", edit("30000 ", "-1 "), nil, TooLarge},
		{"many large files", resign(func() string {
			m := m
			m.Files = nil
			for i := range 3 {
				m.Files = append(m.Files, File{Name: fmt.Sprintf("a%d", i), Size: MaxFile})
			}
			return string(m.AppendTo(nil))
		}(), body), nil, TooLarge},
		{"thousands of files", resign(func() string {
			m := m
			m.Files = nil
			for i := range 700 {
				m.Files = append(m.Files, File{Name: fmt.Sprintf("%03d", i)})
			}
			return string(m.AppendTo(nil))
		}(), body), nil, TooLarge},
		{"a manifest without end", append([]byte(firstLine+"\n"), bytes.Repeat([]byte("site x\n"), 1<<20)...), nil, TooLarge},
		{"a line without end", append([]byte(firstLine+"\n"), bytes.Repeat([]byte("x"), 1<<20)...), nil, TooLarge},
		{"signatures without end", append([]byte(text), bytes.Repeat([]byte("signed a b c d\n"), 1<<16)...), nil, TooLarge},
		{"an unknown line", edit("site ", "shell rm -rf /\nsite "), nil, Malformed},
		{"a line twice", edit("number 7\n", "number 6\nnumber 7\n"), nil, Malformed},
		{"no number", edit("number 7\n", ""), nil, Malformed},
		{"number zero", edit("number 7", "number 0"), nil, Malformed},
		{"a negative number", edit("number 7", "number -7"), nil, Malformed},
		{"a number written otherwise", edit("number 7", "number 07"), nil, Malformed},
		{"a site that is a path", edit("bistro-1", "../bistro"), nil, Malformed},
		{"a short hash", edit(hash, hash[2:]), nil, Malformed},
		{"a hash in capitals", edit(hash, strings.ToUpper(hash)), nil, Malformed},
		{"no time of making", edit("created 2026-11-21T19:04:05Z\n", ""), nil, Malformed},
		{"a revoked key that is none", edit("file ", "revoke everything\nfile "), nil, Malformed},
		{"a private key to be trusted", edit("file ", "trust "+strings.TrimSpace(other.Text())+"\nfile "), nil, Malformed},
		{"sealed to nobody's key", line("sealed 10 " + hash + " otter age1nothing"), nil, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := trust
			if c.trust != nil {
				trust = *c.trust
			}
			_, _, err := read(c.bytes, trust)
			if got := code(err); got != c.want {
				t.Errorf("read: %v, want %s", err, c.want)
			}
			if err != nil && (strings.ContainsAny(err.Error(), "\x00\n") || len(err.Error()) > 500) {
				t.Errorf("not one line of reasonable length: %q", err)
			}
		})
	}
}

func TestFits(t *testing.T) {
	box, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sealed := manifest()
	sealed.Files = []File{{Name: "otter", SealTo: []string{"age1somebodyelse"}}}
	forPi := manifest()
	forPi.Board = "raspberry-pi-4"
	later := manifest()
	later.Program = "1.10.0"
	for _, c := range []struct {
		name string
		m    Manifest
		box  Box
		want string
	}{
		{"a new box", manifest(), Box{}, ""},
		{"its site", manifest(), Box{Site: "bistro-1", Number: 6}, ""},
		{"a spare box", manifest(), Box{Site: AnySite}, ""},
		{"another site", manifest(), Box{Site: "bistro-2"}, WrongSite},
		{"the number again", manifest(), Box{Number: 7}, SameNumber},
		{"an older number", manifest(), Box{Number: 8}, OldNumber},
		{"its board", forPi, Box{Board: "raspberry-pi-4"}, ""},
		{"another board", forPi, Box{Board: "pc"}, WrongBoard},
		{"an unknown board", forPi, Box{}, WrongBoard},
		{"its program", later, Box{Program: "1.10.0"}, ""},
		{"a newer program", later, Box{Program: "v2.0.0-3-gabcdef"}, ""},
		{"a program without version", later, Box{Program: "dev"}, ""},
		{"an older program", later, Box{Program: "1.9.9"}, ProgramTooOld},
		{"sealed to another box", sealed, Box{Seal: box.Public()}, SealedToOthers},
	} {
		err := c.m.Fits(c.box)
		if c.want == "" && err != nil || c.want != "" && code(err) != c.want {
			t.Errorf("%s: Fits = %v, want %q", c.name, err, c.want)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	k := key("office", false)
	big := []Contents{contents()[0], {Name: "big", Bytes: make([]byte, MaxFile+1)}}
	for _, c := range []struct {
		name  string
		m     Manifest
		files []Contents
		want  string
	}{
		{"no configuration", manifest(), contents()[1:], NoConfiguration},
		{"no site", Manifest{Number: 1, Created: made}, contents(), Malformed},
		{"no number", Manifest{Site: "a", Created: made}, contents(), Malformed},
		{"no version", Manifest{Site: "a", Number: 1, Created: made, Program: "1.2"}, contents(), Malformed},
		{"a file too large", manifest(), big, TooLarge},
		{"a secret too large", manifest(), append(contents(), Contents{Name: "s", SealTo: []string{}, Bytes: make([]byte, MaxSecret+1)}), TooLarge},
		{"a name twice", manifest(), append(contents(), contents()[2]), FileName},
	} {
		var b bytes.Buffer
		if err := Pack(&b, c.m, c.files, k); code(err) != c.want || b.Len() > 0 {
			t.Errorf("%s: Pack = %v after %d bytes, want %s", c.name, err, b.Len(), c.want)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, development := range []bool{false, true} {
		k, err := GenerateKey("office", development)
		if err != nil {
			t.Fatal(err)
		}
		public, err := ParseKey(k.String() + "\n")
		if err != nil || !public.Same(k.Key) || public.Fingerprint() != k.Fingerprint() {
			t.Errorf("ParseKey = %v, %v, want %v", public, err, k.Key)
		}
		private, err := ParsePrivateKey(k.Text())
		if err != nil || !private.private.Equal(k.private) {
			t.Errorf("ParsePrivateKey does not give the key back: %v", err)
		}
		if _, err := ParseKey(k.Text()); err == nil || strings.Contains(err.Error(), strings.Fields(k.Text())[2]) {
			t.Errorf("ParseKey of a private key = %v", err)
		}
		if _, err := ParsePrivateKey(k.String()); err == nil {
			t.Error("a public key was taken for a private one")
		}
	}
	a, b := key("same", false), key("same", true)
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("a development key has the fingerprint of a production key")
	}
}
