// Package ohip speaks with OPERA Cloud through the Oracle Hospitality Integration Platform: who is in house, charges to
// their folios, voids, and what is on a folio. The facts are docs/spec/fias.md 10.2 and docs/spec/pos.md 7.3.
//
//	token        POST /oauth/v1/tokens
//	Search       GET  /rsv/v1/hotels/{hotel}/reservations?searchType=InHouse&roomId=…
//	Reservation  GET  /rsv/v1/hotels/{hotel}/reservations/{reservation}
//	Post, Void   POST /csh/v1/hotels/{hotel}/reservations/{reservation}/charges
//	             POST …/reservations/{reservation}/check/{check}/charges        with Config.ByCheck
//	VoidCheck    DELETE /csh/v1/hotels/{hotel}/check/{check}/charges
//	PasserBy     POST /csh/v1/hotels/{hotel}/passerBySale
//	Folio        GET  /csh/v1/hotels/{hotel}/reservations/{reservation}/folios
//
// # What a posting comes to
//
// Post, Void, VoidCheck and PasserBy have three ends. An Outcome: OPERA answered, and Outcome.AS says what in the letters of
// FIAS (docs/spec/fias.md 6.7), OK or a refusal. An error that is rest.ErrNotSent: nothing left the box. An error that is
// rest.ErrUncertain: OPERA may have booked, and nobody sends that posting again by itself, because OPERA publishes no
// duplicate detection. Status 201 counts as OK even when the words after it are lost; a 5xx is uncertain, since OPERA may
// have booked before it failed, unless a Rule says otherwise.
//
// OPERA Cloud can be asked, which FIAS cannot: Folio gives the postings of a reservation, and Posting.Reference is in
// them. A line that carries it proves the booking. That none does proves nothing while the request may still be on its
// way.
//
// A charge names a reservation; a room alone is not enough. Amounts carry exactly the decimals of their currency, or OPERA
// refuses them (OPERAWS-FOF01952).
//
// # What is uncertain
//
// What the public texts leave open, or properties do differently, is in Config: paths, parameter names, where an answer
// has its fields (Fields), optional members of a charge, which codes and texts mean what (Rules), how a void is written.
// OPERA Cloud has no counterpart of the night audit's NS and NE that the texts show; it is known by its refusals only.
package ohip
