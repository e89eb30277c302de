package firmwareconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSecret is the size a file with a secret, certificate or tokens may have, in bytes.
const maxSecret = 256 << 10

// content says what a named file holds.
type content int

const (
	holdsSecret content = iota
	holdsCredentials
	holdsPublic
	holdsTokens
	holdsMenu
	holdsPicture
)

// ours reports whether the content is neither secret nor small: everybody may read it, and it may be long.
func (c content) ours() bool { return c == holdsMenu || c == holdsPicture }

// A secret is a file that the configuration names and only the running box needs.
type secret struct {
	key   string
	path  string
	at    position
	holds content
}

// Files are the paths of the files that the configuration names.
func (c *Config) Files() []string {
	var names []string
	for _, s := range c.secrets {
		names = append(names, s.path)
	}
	return names
}

// CheckSecrets looks at the files that the configuration names: whether they are there, can be read, are not open to
// everybody, and hold something of the kind. name is the configuration file as faults should call it.
func (c *Config) CheckSecrets(name string) Faults {
	var faults Faults
	for _, s := range c.secrets {
		if err := s.check(); err != nil {
			w := split(err, "put the file there")
			faults = append(faults, Fault{name, s.at.line, s.at.column, s.key, w.problem, w.remedy})
		}
	}
	return faults.sorted()
}

func (s secret) check() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.holds == holdsTokens:
		return wrong{quote(s.path) + " is not there, so nobody can sign in", "make it with aboyeur token add --file " + s.path + " --role admin --name NAME"}
	case errors.Is(err, fs.ErrNotExist):
		return wrong{quote(s.path) + " is not there", "put the file there, or correct the name"}
	case errors.Is(err, fs.ErrPermission):
		return wrong{quote(s.path) + " cannot be reached", "let the user of the service into its folder"}
	case err != nil:
		return wrong{fmt.Sprintf("%s cannot be read: %v", quote(s.path), errors.Unwrap(err)), "put the file there"}
	case !info.Mode().IsRegular():
		return wrong{quote(s.path) + " is not a file", "write the name of a file"}
	case info.Size() == 0 && s.holds != holdsTokens:
		return wrong{quote(s.path) + " is empty", "put the content into it"}
	case info.Size() > maxSecret && !s.holds.ours():
		return wrong{quote(s.path) + " is larger than 256 KiB", "is it the right file?"}
	case s.holds != holdsPublic && !s.holds.ours() && info.Mode().Perm()&0o007 != 0:
		return wrong{quote(s.path) + " can be opened by everybody on this machine", "chmod 640 " + s.path}
	}
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrPermission) {
		return wrong{quote(s.path) + " cannot be opened", "make it readable for the user of the service"}
	}
	if err != nil {
		return wrong{fmt.Sprintf("%s cannot be read: %v", quote(s.path), errors.Unwrap(err)), "put the file there"}
	}
	if s.holds == holdsCredentials {
		return credentials(s.path, b)
	}
	return nil
}

// credentials checks the form of a credentials file and never says what stands in it.
func credentials(path string, b []byte) error {
	known := []string{"client_id", "client_secret", "scope", "application", "username", "password", "token"}
	root, fault := document(path, b)
	if fault != nil {
		return wrong{fmt.Sprintf("%s line %d %s", quote(path), fault.Line, fault.Problem), fault.Remedy}
	}
	if root.Kind != yaml.MappingNode {
		return wrong{quote(path) + " is not a mapping", "write keys from " + strings.Join(known, ", ")}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		if !slices.Contains(known, k.Value) {
			return wrong{fmt.Sprintf("%s line %d has an unknown key", quote(path), k.Line), "known here: " + strings.Join(known, ", ")}
		}
		if v.Kind != yaml.ScalarNode || v.Value == "" {
			return wrong{fmt.Sprintf("%s line %d: %s is not text", quote(path), k.Line, k.Value), "write it after the colon, in quotes"}
		}
	}
	return nil
}
