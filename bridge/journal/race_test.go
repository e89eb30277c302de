//go:build race

package journal_test

// The race detector makes SQLite ten times slower: the property test draws less, and of the calls of Open every fifth is
// made to fail.
const (
	openStride = 5
	draws      = "3"
)
