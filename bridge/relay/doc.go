// Package relay tells the reservation platforms what happens at their parties' tables, without losing anything and without
// anybody waiting for it.
//
// What is to be told is put into the journal in the transaction in which it happened ([Service.Put]); from there it goes out,
// one update after the other for each party, many parties at once, and is repeated under the same request id until the
// platform took it, refused it, or its time is over. Each update ends in one visible state:
//
//	waiting ──> sent         the platform took it
//	        ├─> superseded   a newer one says more; only closed totals and paid are never superseded
//	        ├─> skipped      the platform has no such thing
//	        ├─> failed       it refused
//	        ├─> expired      it did not answer for a day, or until the business day ended
//	        └─> cancelled    the link was switched off
//
// While a platform does not answer, each update waits by its own back-off, and the oldest alone is tried every few seconds:
// when it gets through, all the others follow at once (spec/reservations.md 6.2).
//
// Words: a link is a platform with what goes out to it; a party is one reservation of it.
package relay
