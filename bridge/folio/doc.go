// Package folio is what the hotel is told: charges to rooms, their reversals, and the revenue that no charge carried.
//
// A posting goes one way, each step on disk before the next begins:
//
//	queued -> inquiring -> sending -> posted | refused | unknown
//
// Inquiring is the fresh question that OPERA wants before a guest is charged; nobody is charged by what is remembered.
// Sending is on disk, with the number (P#) that the hotel will echo, before the first byte leaves: after a crash such a
// posting is unknown, never sent again. An answer that comes late finds its posting by that number. What stays unknown
// a manager resolves. A charge somebody waits for is refused at once while the link is down or the hotel does its night
// audit; only what was asked to queue waits (design.md, "Room charges"; spec/fias.md 6).
//
// A [PMS] is a hotel system; fias.go, xmlpos.go and ohip.go each make one of a protocol. Sales come from the floor or a
// till by [Service.Sold]; what of them no posting carries goes out in batches every half hour, each part in exactly one.
//
// Words: outlet, the place that sells; stamp, the date and time that all parts of one check share; paymaster, a house
// account posed as a room; tender, a payment that is not a room; late, an answer after its time; carried, told to the
// hotel by a posting.
package folio
