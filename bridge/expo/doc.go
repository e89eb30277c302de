// Package expo is the pass as the expediter's screen shows it: a row for each order that is in the house, a lamp for each
// of its stations, and who waits for it. It reads what orders and kitchen wrote and changes nothing; what people do at the
// pass goes to the orders' own calls (POST /v1/orders/{id}/ready, /handed-over, /take-back).
//
// The journal's feed only tells which orders are to be looked at again, and only while somebody watches. One goroutine
// ([Expo.Run]) then reads their rows and gives each to every screen; a screen begins with a snapshot of all rows. A
// screen that falls behind gets a snapshot again (promises P4, P6).
package expo
