// Package opentable is a restaurant at OpenTable: its reservations by webhook and by the sync feed, its table statuses and
// checks told back.
//
// What is public (spec/reservations.md 8.1): the token endpoint, X-Request-Id, the errors, the frame of GET
// /sync/v2/reservations. What is not: the paths for POS partners, the webhook's signature, and how statuses are spelt. The
// shapes here follow the public mirror of OpenTable's POS model; paths, words and header names are configuration, and
// docs/platforms.md lists what a partner has to confirm.
package opentable
