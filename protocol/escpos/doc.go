// Package escpos is the language of receipt and kitchen printers: ESC/POS bytes to values and back, for both ends of
// the cable. It holds no policy and does no I/O.
//
// The host's end: a Profile says what a model can do, an Encoder lays out text for it, the Append functions make the
// commands of a job's envelope, Replies takes the printer's answers apart. The printer's end: a Tokenizer cuts a byte
// stream into commands, RealTime picks out those that overtake the queue, Render shows what the stream would put on
// paper, and AppendASBFrame and its peers make the answers. A simulator is built from the same code as the driver.
//
//	order -> Encoder(Profile) -> body -> [init][body][fence][cut][fence] -> printer -> Replies -> proof
//	                                          |
//	                                          +-> Tokenizer -> Render -> text, JSON, picture
//
// Rules come from docs/spec/escpos.md; its section numbers are cited as "escpos.md 10.3".
package escpos
