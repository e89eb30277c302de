// Package support makes the file that a restaurant sends to whoever helps it: what the box logged, how it is configured,
// how it stands, its metrics, the latest records on its links.
//
// It leaves the house, so nothing in it says who a guest is or opens anything: every text passes a [Mask], which takes out
// the names and numbers of the people the journal knows and everything that has the form of a secret. Those who write a
// part leave out what they know to be private; the mask is behind them all the same.
package support
