// Package bookings is what the simulated reservation platforms have in common: a book of reservations, a host who changes
// them and whose platform tells the box by webhook, a ledger of every update that was taken, a record of every call, and
// faults. What a platform says and understands is its Dialect, made of the shapes in protocol: simulate/opentable and its
// neighbours are one each.
//
// The ledger is the judge of whoever calls: an update is taken once, whatever its request id comes again for. Faults strike
// calls (401, 429, 5xx, silence, answers lost after the update was taken) and webhooks (late, twice, out of order), by rate or
// by name for the next call.
package bookings
