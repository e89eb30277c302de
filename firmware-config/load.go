package firmwareconfig

import (
	"fmt"
	"io"
	"os"
)

// MaxFile is the size a configuration file may have, in bytes. A real one has a few thousand.
const MaxFile = 1 << 20

// Load reads and checks the file at path. The error is Faults when the file could be read and is not valid.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, b)
}
