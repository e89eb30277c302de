package sale

import (
	"time"

	"aboyeur/bridge/journal"
)

// Placed is an order with the names the box gave it: what a kitchen, a floor or a POS works from.
type Placed struct {
	ID       journal.ID
	Number   int       // what people call it; restarts with the business day
	Day      string    // the business day, 2006-01-02
	Received time.Time // when its first byte was here, or the moment that made work of it: a change, its release
	*Order
}
