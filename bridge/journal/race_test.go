//go:build race

package journal_test

// The race detector makes SQLite ten times slower: the property test draws less, and of the calls of Open every third is
// made to fail.
const (
	openStride = 3
	draws      = "5"
)
