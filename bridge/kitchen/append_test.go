package kitchen

import (
	"testing"

	"pgregory.net/rapid"

	"aboyeur/bridge/sale/saletest"
)

// What is appended by hand is what package json makes of the same value, with every member that the types have.
func TestAppendIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ticket := saletest.Value[Ticket](t)
		saletest.SameJSON(t, ticket.encode(), ticket)
		notice := saletest.Value[jobNotice](t)
		saletest.SameJSON(t, notice.appendTo(nil), notice)
	})
}
