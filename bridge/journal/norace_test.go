//go:build !race

package journal_test

const (
	openStride = 1
	draws      = "50"
)
