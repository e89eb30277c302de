// Package reservation knows the parties that the platforms tell of, opens checks for those that are seated, and tells the
// platforms how their meals go on.
//
//	webhook, pull, PUT ──> Take ──> reservation ──> Decide ──> a check on the floor        (inbound)
//	floor's steps ──> Follow ──> stage of the party ──> an update for the platform's outbox (outbound)
//
// Both ways are one transaction from end to end: a message that was acknowledged has its reservation, its check and its place
// in the outbox on disk, or none of them. Whether a check is opened is decided by a pure function ([Decide]) of what is known
// then; what it refuses is a problem with a remedy, and stays until the table is free, the party is seated again, or somebody
// links a check. A till that is not ours cannot share the transaction: there the reservation is pending first, and a reference
// chosen before the first attempt finds a check that was opened just before the power went.
//
// Words: a party is one reservation with its checks; a link is that a check belongs to it; a party wants a check while it sits
// and has none; a flag is something that a person should look at and nothing will repair by itself. Rules and their sources are
// in spec/reservations.md; paragraphs are named where a rule is applied.
package reservation
