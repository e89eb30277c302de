package firmwareconfig

import (
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing wrong in a configuration file: where, what, and what to write instead.
type Fault struct {
	File         string
	Line, Column int    // from 1; columns count characters
	Key          string // printers[1].connect; "file" for the file as a whole
	Problem      string
	Remedy       string
}

// Error is FILE:LINE:COL: KEY: what is wrong; what to write instead.
func (f Fault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s; %s", f.File, f.Line, f.Column, f.Key, f.Problem, f.Remedy)
}

// Faults are all the faults of one file in the order of the file.
type Faults []Fault

// Error is the faults, one a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the faults by position; those of one position stay in the order they were found.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return fs
}
