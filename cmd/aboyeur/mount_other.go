//go:build !linux

package main

import "errors"

// mountStick is a box's work, and boxes run Linux.
func mountStick(string, string, bool) (func() error, error) {
	return nil, errors.New("sticks are mounted on Linux only; mount it yourself and give --dir")
}
