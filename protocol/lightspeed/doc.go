// Package lightspeed is Lightspeed Restaurant K-Series: tables, items with their statistic groups, orders, checks, payments,
// and the notifications by which the till tells what became of them (spec/pos.md 2).
//
// An order that was answered is only accepted for delivery to the till; SUCCESS or FAILURE comes as a notification. Its
// thirdPartyReference is chosen before the first attempt, and a second one under the same reference is refused with 409,
// which is ErrDuplicate here: the order is there, look it up. The client repeats reads, and orders only where nothing was
// sent; what became of a call that got no answer is found by its reference.
//
// Amounts come as texts and as numbers, times with a zone, with an offset without colon and as milliseconds, identifiers as
// numbers and as texts: all of them are read. What is not documented (the finance lookup, the members of sales entries) is in
// Config.Paths or read under every name that has been seen.
package lightspeed
