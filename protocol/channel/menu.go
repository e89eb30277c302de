package channel

import "time"

// A Menu is what an aggregator shows (spec/delivery.md 6.1). Ids are the POS's with a prefix for the kind, so that they stay
// when a name changes. A modifier is an item that a group names.
type Menu struct {
	Menus      []MenuPart `json:"menus"`
	Categories []Category `json:"categories"`
	Items      []Item     `json:"items"`
	Groups     []Group    `json:"groups"`
	Photos     []Photo    `json:"photos"`
}

// A MenuPart is one of the menus: lunch, dinner.
type MenuPart struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	Categories  []string `json:"categories"`
	Services    []string `json:"services,omitzero"` // delivery pickup dine_in; empty: all
	Opening     *Opening `json:"opening,omitzero"`  // nil: not known
}

// A Category holds items in their order.
type Category struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	Items       []string `json:"items"`
	Photos      []string `json:"photos,omitzero"`
}

// An Item is something sold, by itself or as a modifier.
type Item struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitzero"`
	SKU         string          `json:"sku,omitzero"` // the POS id
	Price       int64           `json:"price"`        // minor units
	Currency    string          `json:"currency"`
	Prices      []PriceOverride `json:"prices,omitzero"`
	Groups      []string        `json:"groups,omitzero"`
	Photos      []string        `json:"photos,omitzero"`
	SoldOut     bool            `json:"sold_out,omitzero"`
	SoldOutTill time.Time       `json:"sold_out_till,omitzero"` // zero with SoldOut: until it is told otherwise
	Allergens   []string        `json:"allergens,omitzero"`
	Dietary     []string        `json:"dietary,omitzero"`
	Barcodes    []string        `json:"barcodes,omitzero"`
	Alcohol     bool            `json:"alcohol,omitzero"`
}

// A PriceOverride is another price on one marketplace, or for one service, or both.
type PriceOverride struct {
	Slug    string `json:"slug,omitzero"`
	Service string `json:"service,omitzero"`
	Price   int64  `json:"price"`
}

// A Group is a choice among items.
type Group struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	Min         int      `json:"min"`        // 0: none needed
	Max         int      `json:"max"`        // 0: no limit
	MaxOfOne    int      `json:"max_of_one"` // of the same item; 0: no limit
	Items       []string `json:"items"`
}

// A Photo is a picture by its address.
type Photo struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// SyncOptions says which information goes along, and what may be made and taken away (spec/delivery.md 6.2).
type SyncOptions struct {
	Names, Prices, Descriptions, Photos, Hours, Taxes bool
	Availability, Organization, Arrangement, Rules    bool
	Create, Delete                                    bool
	Publish                                           bool // to the partners, at once
}

// An Availability says whether one item is sold. Until may name when it comes back.
type Availability struct {
	ID    string    `json:"id"` // as the menu has it
	SKU   string    `json:"sku,omitzero"`
	On    bool      `json:"on"`
	Until time.Time `json:"until,omitzero"`
}

// A Job is a piece of work at the aggregator.
type Job struct {
	ID       string       `json:"id"`
	State    JobState     `json:"state"`
	Message  string       `json:"message,omitzero"`
	Partners []PartnerJob `json:"partners,omitzero"`
}

// A PartnerJob is the part of a job at one marketplace.
type PartnerJob struct {
	Slug    string   `json:"slug"`
	State   JobState `json:"state"`
	Message string   `json:"message,omitzero"`
}

// JobState is how a job stands.
type JobState string

// The states of a job.
const (
	JobPending JobState = "pending"
	JobDone    JobState = "done"
	JobFailed  JobState = "failed"
	JobUnknown JobState = "unknown"
)
