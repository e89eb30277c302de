// Package wire is what the clients of the reservation platforms have in common: a checked configuration with the paths and
// spellings that a venue's partner confirms, calls that are made once under the update's own request id, proofs of who sent
// a webhook, and readers for the forms in which platforms write times, amounts and numbers.
//
// A platform's package has a Spec of what it knows of its wire, the shapes of its bodies, and nothing else: both sides are in
// it, so that simulated platforms are made of the same shapes. Most of these wires are not public (spec/reservations.md 13),
// which is why nothing of a Spec is beyond configuration: paths by Config.Paths, words and names of headers by
// Config.Vocabulary.
package wire
