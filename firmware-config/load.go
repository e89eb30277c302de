package firmwareconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MaxFile is the size a configuration file may have, in bytes. A real one has a few thousand.
const MaxFile = 1 << 20

// Load reads and checks the file at path, and the menu it names. The error is Faults when the files could be read and are
// not valid.
func Load(path string) (*Config, error) {
	b, err := read(path, MaxFile)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(path, b)
	if err != nil || c.POS.MenuFile == "" {
		return c, err
	}
	_, err = LoadMenu(c.POS.MenuFile, c.Site.Currency)
	var faults Faults
	switch {
	case errors.As(err, &faults):
		return nil, faults
	case errors.Is(err, fs.ErrNotExist):
		return nil, Faults{c.menuFault(path, quote(c.POS.MenuFile)+" is not there", "put the file there, or correct the name")}
	case err != nil:
		return nil, Faults{c.menuFault(path, quote(c.POS.MenuFile)+" cannot be read", "make it a file that the user of the service can open")}
	}
	return c, nil
}

// menuFault is a fault of the name of the menu file.
func (c *Config) menuFault(path, problem, remedy string) Fault {
	f := Fault{path, 1, 1, "pos.menu_file", problem, remedy}
	for _, s := range c.secrets {
		if s.holds == holdsMenu {
			f.Line, f.Column = s.at.line, s.at.column
		}
	}
	return f
}

// LoadMenu reads and checks a menu file. The error is Faults when the file could be read and is not valid.
func LoadMenu(path string, currency Currency) (*Menu, error) {
	b, err := read(path, MaxMenuFile)
	if err != nil {
		return nil, fmt.Errorf("read menu: %w", err)
	}
	return ParseMenu(path, b, currency)
}

// read reads a file of at most limit bytes, and one byte more of a longer one.
func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
