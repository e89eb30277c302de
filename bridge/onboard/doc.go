// Package onboard is what has to be known before a till is linked, and whether the link is to the right kind of till: a form of
// what set-up needs, which can be printed and sent to whoever has the answers, and a call that proves kind, credentials and
// location at once. Credentials of another series are refused by name, with the way to the right one (features OTR-13, 14, 16).
package onboard
