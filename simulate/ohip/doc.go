// Package ohip is OPERA Cloud as a program: a gateway with a token endpoint, a hotel with guests in house, and folios
// that charges go to. It answers what protocol/ohip asks, in Oracle's names (docs/spec/fias.md 10.2), and is strict in
// what it takes: a member that OPERA does not know is refused as OPERA refuses it.
//
//	POST   /oauth/v1/tokens                                              client_credentials, password
//	GET    /rsv/v1/hotels/{hotel}/reservations                           ?searchType=InHouse&roomId=&surname=&limit=&offset=
//	GET    /rsv/v1/hotels/{hotel}/reservations/{reservation}
//	POST   /csh/v1/hotels/{hotel}/reservations/{reservation}/charges
//	POST   /csh/v1/hotels/{hotel}/reservations/{reservation}/check/{check}/charges
//	DELETE /csh/v1/hotels/{hotel}/check/{check}/charges
//	POST   /csh/v1/hotels/{hotel}/passerBySale
//	GET    /csh/v1/hotels/{hotel}/reservations/{reservation}/folios      ?summaryOnly=false&limit=&offset=
//
// The ledger is what was booked, one entry a request that booked, whatever became of its answer: a test compares it with
// what the box believes. Faults come by Inject, over HTTP (Control) or are given at the start. OPERA has no duplicate
// detection, so neither has this: what is sent twice is booked twice.
package ohip
