// Package printer is an ESC/POS printer as a program: it takes bytes over TCP 9100 or any other stream, answers as a
// printer does, and writes down what is on its paper.
//
// Bytes go to a receive buffer of limited size and from there, in order and at printing speed, to the mechanism. Queued
// commands (GS ( H, GS r, GS I, GS V, GS a) act in their turn; real-time commands (DLE EOT, DLE ENQ, DLE DC4) act when
// they arrive, even with the queue blocked, and even when their bytes merely occur in a picture. What survives what:
//
//	             link lost   ESC @   DLE DC4 8   power cycle
//	queue        kept        kept    gone        gone
//	half a line  kept        gone    gone        gone
//	settings     kept        gone    kept        gone
//	ASB          kept        gone    kept        gone
//	counters     kept        kept    kept        kept
//	paper        kept        kept    kept        kept
//
// An answer goes to the connection that is there when it is due: after a lost link the next host gets the old host's
// late echo, or the anonymous byte of its fence, and without a connection it is lost.
//
// The ledger is the paper, ticket by ticket. A ticket ends at a cut; what stands on paper when the power goes or the
// buffers are cleared is a partial ticket of its own, so that a reader sees where the text broke off. Faults come by
// Inject, over HTTP (Control), or are given at the start; each strikes at once or at a byte.
//
// The behaviour follows docs/spec/escpos.md, in which sections 8-10 matter most; it uses the codec of protocol/escpos
// and knows nothing of the driver.
package printer
