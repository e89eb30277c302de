// Package web is every page of the box: the console, the kitchen screens, sign-in and pairing. The server sends a
// shell (html/template, embedded) whose script fetches everything else from the HTTP API that any other client uses:
// this package reads no data of its own and knows no feature.
//
// There is no build step and nothing comes from another host. Files under asset/ are sent below a path that carries the
// hash of all of them, so that a browser keeps them for ever and never mixes two versions; the box joins a page's script
// with the modules that it imports (join.go) and changes nothing else. The
// Content-Security-Policy allows this origin alone and no inline script or style; text of orders reaches the page only
// as textContent.
//
//	page/*.html          shells, one a page, in one frame for the console
//	asset/style.css      what every page shares; themes are custom properties. A page may have a sheet of its own: kitchen.css, hotel.css
//	asset/geometry.js    diagonal and distance -> sizes (screens.md, "Type from geometry")
//	asset/kitchen.js     the kitchen screen, of modules kitchen-*.js: stream.js feeds it, board.js places tickets in slots, outbox.js sends acts
//	asset/shell.js       the console's frame; orders.js, hotel.js, printers.js … are its pages
package web
