package order

import (
	"testing"

	"pgregory.net/rapid"

	"aboyeur/bridge/sale/saletest"
)

// What is appended by hand is what package json makes of the same value, with every member that the types have.
func TestAppendIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		news := saletest.Value[notice](t)
		saletest.SameJSON(t, news.appendTo(nil), news)
		receipt := saletest.Value[Receipt](t)
		saletest.SameJSON(t, receipt.appendTo(nil), receipt)
	})
}
