// Package cable carries a bundle over a serial line, from a technician's laptop to a box: over the USB cable, where the box
// is a serial device, and over any other tty.
//
// The laptop asks and the box answers; every question may be asked again. A bundle is sent in numbered pieces with a window
// of [window] bytes, which the box confirms as they come; from the first one missing on they are sent again. The box keeps
// what it has when the cable comes off, and a new begin of the same file goes on there. Noise is passed over: a frame has
// two checks, and the file its SHA-256.
//
//	laptop                         box
//	hello 1                   ->
//	                          <-   welcome {program, site, number, identity}
//	begin {size, sha256}      ->
//	                          <-   begun {session, offset}
//	data @0, data @1020, …    ->
//	                          <-   have @1020, have @2040, …
//	finish {sha256}           ->
//	                          <-   state {working} … {done, code, text}
//
// Whoever holds the cable may read status and log, and bring a bundle that the box then judges as any other.
package cable
