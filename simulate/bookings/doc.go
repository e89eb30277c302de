// Package bookings is what the simulated reservation platforms have in common: a book of reservations, a host who changes
// them and whose platform tells the box by webhook, and a ledger of every update that was taken. The web service under it, its
// record of calls and its faults are simulate/cloud. What a platform says and understands is its Dialect, made of the shapes in
// protocol: simulate/opentable and its neighbours are one each.
//
// The ledger is the judge of whoever calls: an update is taken once, whatever its request id comes again for.
package bookings
