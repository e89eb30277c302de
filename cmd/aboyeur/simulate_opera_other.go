//go:build !linux

package main

import (
	"errors"
	"io"
)

// openSerial opens a serial line; only Linux has it here.
func openSerial(string, int, string) (io.ReadWriteCloser, error) {
	return nil, errors.New("serial lines are simulated on Linux only; use --listen and a converter")
}
