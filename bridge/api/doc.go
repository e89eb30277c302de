// Package api is the HTTP side of the box: it authenticates, limits and decodes requests, answers faults as problems
// (RFC 9457) and describes itself (OpenAPI 3.1). A feature brings its calls as a slice of Route, each with a handler
// that returns an error; everything that is the same for all calls happens here, once.
//
// A request's way: connection limits (listen.go), client address and cross-origin check (server.go), who it is
// (auth.go), the route's roles, for orders the admission gate (gate.go), then the feature's handler, which reads with
// Decode and ends with Answer, or with an error that becomes a Problem.
package api
