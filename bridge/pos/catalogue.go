package pos

import "time"

// Catalogue is all that a till sells, as it is now. Identifiers are the till's; nothing in it is shared with anybody.
type Catalogue struct {
	Kind       string // lightspeed-k, lightspeed-o
	Currency   string
	At         time.Time
	Categories []Category
	Items      []Item
	Groups     []ModifierGroup
}

// Category is a screen or category of the till, in the till's order.
type Category struct {
	ID     string
	Name   string
	Parent string // "": none
}

// Item can be ordered by its SKU. Amounts are minor units of the catalogue's currency.
type Item struct {
	SKU         string // what an order names it by
	ID          string // the till's own, where it differs
	Name        string
	Description string
	Category    string // ID of a Category; "": none
	Accounting  string // accounting group
	Statistics  []Group
	Price       int64
	OpenPrice   bool // the price may be another in an order
	Active      bool
	Online      bool // not hidden from ordering by API
	Available   bool // not sold out
	Groups      []string
	Variations  []Variation
	Photo       string
	Allergens   []string
	Barcodes    []string
}

// Variation is an item's size or kind, ordered by its own SKU: "Grande" of "Vanille".
type Variation struct {
	SKU   string
	Name  string
	Price int64
}

// ModifierGroup is a choice that items offer.
type ModifierGroup struct {
	ID      string
	Name    string
	Min     int
	Max     int // 0: as many as one likes
	Options []Option
}

// Option is one of a group, ordered by its SKU; that of a word to the kitchen begins with "instruction:".
type Option struct {
	ID    string
	SKU   string
	Name  string
	Price int64
}
