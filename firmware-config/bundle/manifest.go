package bundle

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
)

// Bounds of a bundle. A real one has a configuration of some kilobytes, a few pictures and a menu.
const (
	MaxHead    = 64 << 10 // bytes of manifest and signatures
	MaxFiles   = 200
	MaxFile    = 32 << 20 // bytes of one file
	MaxBytes   = 64 << 20 // bytes of all files
	MaxSecret  = 64 << 10 // bytes of one sealed secret
	maxSigned  = 8        // signatures
	maxKeys    = 8        // keys that one bundle brings or takes away
	maxSealTo  = 8        // boxes that one secret is sealed to
	maxName    = 120      // bytes of a file's name
	maxFolders = 4
)

// ConfigName is the file every bundle has, and SecretsFolder the one in which a box lays unsealed secrets.
const (
	ConfigName    = "box.yaml"
	SecretsFolder = "secrets"
)

const firstLine = "aboyeur bundle 1"

// A Manifest says what a bundle is, for whom, and what is in it.
type Manifest struct {
	Site    string // id of the site it is for
	Number  uint64 // from 1; must rise from bundle to bundle of a site
	Created time.Time
	Program string   // oldest program version that can use it, as in 1.2.0; "" any
	Board   string   // kind of box it is for; "" any
	Trust   []Key    // keys to believe from now on
	Revoke  []string // fingerprints not to believe any more
	Files   []File   // in the order of the bundle: plain ones by name, then sealed ones by name
}

// A File is one entry of a bundle.
type File struct {
	Name   string // with slashes; of a sealed one the name of the secret
	Size   int64
	SHA256 [32]byte
	SealTo []string // recipients (age1…) of a sealed secret; nil: plain
}

// Sealed reports whether the entry is a secret sealed to boxes.
func (f File) Sealed() bool { return f.SealTo != nil }

// Path is where the file lies in a box's slot.
func (f File) Path() string {
	if f.Sealed() {
		return SecretsFolder + "/" + f.Name
	}
	return f.Name
}

// AppendTo writes the manifest as it is signed.
func (m Manifest) AppendTo(b []byte) []byte {
	b = fmt.Appendf(b, "%s\nsite %s\nnumber %d\ncreated %s\n", firstLine, m.Site, m.Number, m.Created.UTC().Format(time.RFC3339))
	if m.Program != "" {
		b = fmt.Appendf(b, "program %s\n", m.Program)
	}
	if m.Board != "" {
		b = fmt.Appendf(b, "board %s\n", m.Board)
	}
	for _, k := range m.Trust {
		b = fmt.Appendf(b, "trust %s\n", k)
	}
	for _, f := range m.Revoke {
		b = fmt.Appendf(b, "revoke %s\n", f)
	}
	for _, f := range m.Files {
		if f.Sealed() {
			b = fmt.Appendf(b, "sealed %d %x %s %s\n", f.Size, f.SHA256, f.Name, strings.Join(f.SealTo, " "))
		} else {
			b = fmt.Appendf(b, "file %d %x %s\n", f.Size, f.SHA256, f.Name)
		}
	}
	return append(b, '\n')
}

// parseManifest reads what AppendTo wrote, and nothing else: text that AppendTo would write otherwise is refused.
func parseManifest(text []byte) (Manifest, error) {
	const remedy = "make it anew with `aboyeur bundle pack`"
	var m Manifest
	lines := strings.Split(string(text), "\n")
	for n, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		var err error
		switch {
		case n == 0 && line == firstLine, line == "" && n >= len(lines)-2:
		case key == "site":
			m.Site = value
		case key == "number":
			m.Number, err = strconv.ParseUint(value, 10, 63)
		case key == "created":
			m.Created, err = time.Parse(time.RFC3339, value)
		case key == "program":
			m.Program = value
		case key == "board":
			m.Board = value
		case key == "trust":
			var k Key
			if k, err = ParseKey(value); err == nil {
				m.Trust = append(m.Trust, k)
			}
		case key == "revoke":
			m.Revoke = append(m.Revoke, value)
		case key == "file", key == "sealed":
			if len(m.Files) == MaxFiles {
				return m, refuse(TooLarge, "leave files out", "it has more than %d files", MaxFiles)
			}
			var f File
			if f, err = parseFile(value, key == "sealed"); err == nil {
				m.Files = append(m.Files, f)
			}
		default:
			return m, refuse(Malformed, remedy, "line %d of its manifest is not known here: %q", n+1, clip(line))
		}
		if err != nil {
			return m, refuse(Malformed, remedy, "line %d of its manifest is wrong: %q", n+1, clip(line))
		}
	}
	if err := m.check(); err != nil {
		return m, err
	}
	if !bytes.Equal(m.AppendTo(nil), text) {
		return m, refuse(Malformed, remedy, "its manifest is not written as manifests are")
	}
	return m, nil
}

func parseFile(text string, sealed bool) (f File, err error) {
	words := strings.Split(text, " ")
	if !sealed && len(words) != 3 || sealed && (len(words) < 4 || len(words) > 3+maxSealTo) {
		return f, fmt.Errorf("%d words", len(words))
	}
	if f.Size, err = strconv.ParseInt(words[0], 10, 64); err != nil {
		return f, err
	}
	if len(words[1]) != 2*len(f.SHA256) {
		return f, fmt.Errorf("a SHA-256 of %d digits", len(words[1]))
	}
	if _, err := hex.Decode(f.SHA256[:], []byte(words[1])); err != nil {
		return f, err
	}
	f.Name = words[2]
	if sealed {
		f.SealTo = words[3:]
	}
	return f, nil
}

// check holds the manifest to the rules, whether it was read or is to be written.
func (m Manifest) check() error {
	const remedy = "make it anew with `aboyeur bundle pack`"
	switch {
	case !label(m.Site, 64):
		return refuse(Malformed, remedy, "%q is no id of a site", clip(m.Site))
	case m.Number == 0:
		return refuse(Malformed, "give it one with --number, higher than the last", "it has no number")
	case m.Number > 1<<62:
		return refuse(Malformed, remedy, "the number %d is out of bounds", m.Number)
	case m.Created.IsZero() || m.Created.Nanosecond() != 0:
		return refuse(Malformed, remedy, "it does not say when it was made")
	case m.Program != "" && !validVersion(m.Program):
		return refuse(Malformed, "write it as 1.2.0", "%q is no version of the program", clip(m.Program))
	case m.Board != "" && !label(m.Board, 64):
		return refuse(Malformed, remedy, "%q is no kind of box", clip(m.Board))
	case len(m.Trust) > maxKeys || len(m.Revoke) > maxKeys:
		return refuse(TooLarge, "spread them over several bundles", "it brings or takes away more than %d keys", maxKeys)
	case len(m.Files) > MaxFiles:
		return refuse(TooLarge, "leave files out", "it has %d files, at most %d are taken", len(m.Files), MaxFiles)
	}
	for _, f := range m.Revoke {
		if len(f) != 39 || strings.Trim(f, "0123456789abcdef-") != "" {
			return refuse(Malformed, "write the fingerprint as `aboyeur bundle keygen` showed it", "%q is no fingerprint", clip(f))
		}
	}
	var total int64
	for i, f := range m.Files {
		most := int64(MaxFile)
		if f.Sealed() {
			most = MaxSecret + sealOverhead
		}
		if f.Size < 0 || f.Size > most {
			return refuse(TooLarge, "make it smaller", "%s has %d bytes, at most %d are taken", clip(f.Name), f.Size, most)
		}
		if total += f.Size; total > MaxBytes {
			return refuse(TooLarge, "leave files out", "its files have more than %d bytes together", MaxBytes)
		}
		if err := f.check(); err != nil {
			return err
		}
		if i > 0 && before(f, m.Files[i-1]) {
			return refuse(Malformed, remedy, "its files are not in order at %s", f.Name)
		}
	}
	return m.collisions()
}

func before(a, b File) bool {
	if a.Sealed() != b.Sealed() {
		return b.Sealed()
	}
	return a.Name < b.Name
}

// collisions refuses two files of one name, on disks that ignore case too, and a file where another wants a folder.
func (m Manifest) collisions() error {
	taken := map[string]bool{}
	has := false
	for _, f := range m.Files {
		name := strings.ToLower(f.Path())
		if taken[name] {
			return refuse(FileName, "rename one of them", "two of its files are called %s", f.Path())
		}
		taken[name] = true
		has = has || f.Name == ConfigName && !f.Sealed()
	}
	for name := range taken {
		for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
			if taken[folder] {
				return refuse(FileName, "rename one of them", "%s is a file and a folder", folder)
			}
		}
	}
	if !has {
		return refuse(NoConfiguration, "pack it with its configuration", "it has no %s", ConfigName)
	}
	return nil
}

// reserved are names that a slot keeps for itself.
var reserved = []string{"manifest", "laid"}

// check refuses names that lead elsewhere or that some disk cannot hold.
func (f File) check() error {
	const remedy = "name files with a-z A-Z 0-9 . _ - and folders with slashes"
	if f.Sealed() {
		if !label(f.Name, 64) {
			return refuse(FileName, "name secrets with a-z 0-9 -", "%q is no name for a secret", clip(f.Name))
		}
		for _, r := range f.SealTo {
			if _, err := age.ParseX25519Recipient(r); err != nil {
				return refuse(Malformed, "take the key that `aboyeur identity` shows", "the secret %s is sealed to %q, which is no box's key", f.Name, clip(r))
			}
		}
		return nil
	}
	folders := strings.Split(f.Name, "/")
	if len(f.Name) > maxName || len(folders) > maxFolders {
		return refuse(FileName, "use a shorter name", "the name %q is too long", clip(f.Name))
	}
	for _, s := range folders {
		plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
		if s == "" || s[0] == '.' || s[len(s)-1] == '.' || !plain {
			return refuse(FileName, remedy, "the name %q is not taken", clip(f.Name))
		}
	}
	if slices.Contains(reserved, strings.ToLower(folders[0])) || strings.EqualFold(folders[0], SecretsFolder) {
		return refuse(FileName, "rename it", "the name %q belongs to the box", clip(f.Name))
	}
	return nil
}

// A Box is what a bundle is held against.
type Box struct {
	Site    string // id of its site; "" or "any": takes a bundle of any
	Number  uint64 // the highest number it has seen for the bundle's site
	Board   string // what kind of box it is; "" not known
	Program string // version of the program
	Seal    string // its public key (age1…); "" not asked
}

// AnySite is the site of a spare box.
const AnySite = "any"

// Fits reports why the bundle is not for this box, or nil.
func (m Manifest) Fits(b Box) error {
	switch {
	case b.Site != "" && b.Site != AnySite && m.Site != b.Site:
		return refuse(WrongSite, "take the bundle of "+b.Site+", or allow any site if this box moved", "it is for site %s and this box is of site %s", m.Site, b.Site)
	case m.Board != "" && m.Board != b.Board:
		return refuse(WrongBoard, "take the bundle made for this kind of box", "it is for boxes of kind %s and this one is %q", m.Board, b.Board)
	case m.Number == b.Number:
		return refuse(SameNumber, "nothing is to be done, or pack it with a higher number", "number %d was taken by this box before", m.Number)
	case m.Number < b.Number:
		return refuse(OldNumber, "take the newest bundle, or pack this one with a higher number", "it has number %d and this box has seen %d", m.Number, b.Number)
	case m.Program != "" && older(b.Program, m.Program):
		return refuse(ProgramTooOld, "install the newer program first", "it needs program version %s and this box runs %s", m.Program, b.Program)
	}
	for _, f := range m.Files {
		if f.Sealed() && b.Seal != "" && !slices.Contains(f.SealTo, b.Seal) {
			return refuse(SealedToOthers, "pack it with --seal-to "+b.Seal, "the secret %s is sealed to another box", f.Name)
		}
	}
	return nil
}

// version reads 1.2.3, with v before it and anything behind - or +.
func version(s string) (v [3]int, ok bool) {
	s = strings.TrimPrefix(s, "v")
	if i := strings.IndexAny(s, "-+"); i >= 0 {
		s = s[:i]
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil || strconv.FormatUint(n, 10) != p {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

func validVersion(s string) bool {
	v, ok := version(s)
	return ok && s == fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
}

// older reports whether the program is older than wanted. One built without a version counts as new: who builds it
// knows.
func older(have, want string) bool {
	h, ok := version(have)
	if !ok {
		return false
	}
	w, _ := version(want)
	return slices.Compare(h[:], w[:]) < 0
}
