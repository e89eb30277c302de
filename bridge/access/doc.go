// Package access knows who may do what: bearer tokens of machines and people, browser sessions, kitchen screens paired
// by a code, and the audit log of what they did.
//
// A token is 256 random bits, shown once; its file keeps only a hash. Signing in with a token opens a session, a
// screen gets its session by pairing: the screen shows a short code, a manager approves it for a named screen, the
// screen fetches its cookie with a secret that only it knows. On a browser that several people share, a person gives a
// PIN and is who acts until leaving or doing nothing for a while; the browser itself stays what it was. Every way ends in a Principal, which package api puts
// into the request's context. Whatever is revoked ends at once, running event streams included.
package access
