// Package rest is one JSON client for every cloud that the box calls: bounded in time and memory, honest about what a
// failed call may have done, and silent about secrets.
//
// # What became of a call
//
// A call that fails has a Fate, and money depends on it:
//
//	NotSent    no byte of the request left                      may go again at once
//	Uncertain  bytes left and no verdict came back              the server may or may not have acted
//	Refused    the server said that it did not act              its words are in Error.Body
//	Accepted   the server said yes, but its words are damaged   it acted
//
// The line between the first two is drawn at the connection: each counts the bytes that it took, so a name that does not
// resolve, a refused connection, a failed handshake, a token that could not be had and an idle connection that broke
// before the first byte are all NotSent. Answers are judged by their status: 4xx is Refused (not 408 and 499, which
// gateways use for what they gave up on), 5xx is Uncertain (not 501 and 505). Config.Untouched names statuses that this
// peer documents as "nothing was done".
//
// # What is repeated
//
//	                      GET, HEAD, Call.Repeatable      anything else
//	NotSent               yes                             yes
//	Uncertain             yes                             never
//	429, 425, Untouched   yes                             yes
//	401                   once, with a new token          once, with a new token
//	other answers         500, 502, 503, 504, 408         never
//
// Waits double from Retry.First with jitter; Retry-After is obeyed where it fits into Retry.Longest and the context's
// deadline, and otherwise handed to the caller. net/http's own silent repetitions of requests with a body or a key are
// switched off.
//
// Connections speak HTTP/1.1, one call at a time, so that no other call's fate hangs on theirs. A call that may not be
// repeated gets a connection of its own: on one that is kept, a server's good-bye can cross the request, and nobody would
// know whether it was read. The others share connections, which are given up after a few idle seconds.
//
// # What is not told
//
// No error, trace or log has an Authorization value, a secret of Config.Secrets or a hidden query parameter in it.
// Redirects stay on the same scheme, host and port and are followed for GET and HEAD only. Without TLS only loopback is
// called, unless Config.Plain says otherwise. Proxies of the environment are not used.
package rest
