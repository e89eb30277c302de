package lightspeed

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Limits of what is read of menus.
const (
	maxMenus   = 50
	maxEntries = 50000
	maxDepth   = 8
)

// A MenuName is one of the location's menus.
type MenuName struct {
	ID   wire.Text `json:"ikentooMenuId"`
	Name string    `json:"menuName"`
}

// Menus lists the menus that are shared with ordering by API.
func (c *Client) Menus(ctx context.Context) ([]MenuName, error) {
	var all []MenuName
	if err := c.do(ctx, rest.Call{Op: "list menus", Path: c.path("menus"), Query: c.location(), Out: &all}); err != nil {
		return nil, err
	}
	if len(all) > maxMenus {
		return nil, fmt.Errorf("%s: more than %d menus", name, maxMenus)
	}
	return all, nil
}

// A Menu is a tree of screens with what is sold on them.
type Menu struct {
	ID      wire.Text   `json:"ikentooMenuId"`
	Name    string      `json:"menuName"`
	Screens []MenuEntry `json:"menuEntryGroups"`
}

// Types of a MenuEntry.
const (
	EntryGroup    = "group"
	EntryItem     = "menuItem"
	EntryDeal     = "menuDeal"
	EntryModifier = "menuProductModifier"
)

// A MenuEntry is a screen, an item, a combo or a product modifier, by its Type.
type MenuEntry struct {
	Type     string         `json:"@type"`
	ID       wire.Text      `json:"id"`
	Name     string         `json:"name"`        // of a screen
	Entries  []MenuEntry    `json:"menuEntry"`   // of a screen
	Product  string         `json:"productName"` // of whatever is sold
	SKU      string         `json:"sku"`
	Price    jsontext.Value `json:"productPrice"`
	Extra    jsontext.Value `json:"extraPrice"` // in a combo
	Pricing  string         `json:"pricingStrategy"`
	Rich     RichData       `json:"itemRichData"`
	Groups   []MenuChoice   `json:"menuModifierGroups"`
	Deals    []MenuChoice   `json:"menuDealGroups"`
	Prepared []Instructions `json:"productionInstructionList"`
}

// Open tells whether an order may set the item's price.
func (e *MenuEntry) Open() bool {
	return e.Pricing == "CUSTOMIZED_ITEM_PRICE_WILL_BE_POSTIVE" || e.Pricing == "CUSTOMIZED_ITEM_PRICE_WILL_BE_POSITIVE"
}

// RichData is what guests see of an item.
type RichData struct {
	Photo     string   `json:"rawImageUrl"`
	Allergens []string `json:"allergenCodes"`
	Texts     []struct {
		Locale      string `json:"locale"`
		Name        string `json:"friendlyDisplayName"`
		Description string `json:"description"`
	} `json:"texts"`
}

// A MenuChoice is a group of product modifiers, or one step of a combo.
type MenuChoice struct {
	Name      string      `json:"description"`
	SKU       string      `json:"sku"`
	Must      bool        `json:"mustSelectAnItem"`
	Several   bool        `json:"multiSelectionPermitted"`
	Min       int         `json:"minimumSelection"`
	Max       int         `json:"maximumSelection"`
	Modifiers []MenuEntry `json:"productModifiers"`
	Items     []MenuEntry `json:"items"`
}

// Instructions are words to the kitchen, as how well meat is done.
type Instructions struct {
	ID      wire.Text `json:"productionIntructionGroupId"` // so spelled
	Name    string    `json:"productionInstructionGroupName"`
	Several bool      `json:"multiSelectionPermitted"`
	Words   []struct {
		ID   wire.Text `json:"ikentooModifierId"`
		Text string    `json:"instruction"`
	} `json:"productionInstructionList"`
}

// Menu loads one menu with what guests see of its items.
func (c *Client) Menu(ctx context.Context, id string) (Menu, error) {
	var m Menu
	q := c.location()
	q.Set("richData", "true")
	if err := c.do(ctx, rest.Call{Op: "load menu", Path: c.path("menu", "{menu}", id), Query: q, Out: &m}); err != nil {
		return Menu{}, err
	}
	n := 0
	if err := bounded(m.Screens, 1, &n); err != nil {
		return Menu{}, fmt.Errorf("%s: menu %s: %w", name, id, err)
	}
	return m, nil
}

var errDeep = errors.New("has too many or too deep entries")

func bounded(all []MenuEntry, depth int, n *int) error {
	if *n += len(all); *n > maxEntries || depth > maxDepth {
		return errDeep
	}
	for i := range all {
		e := &all[i]
		if err := bounded(e.Entries, depth+1, n); err != nil {
			return err
		}
		for _, choices := range [][]MenuChoice{e.Groups, e.Deals} {
			for k := range choices {
				if err := errors.Join(bounded(choices[k].Modifiers, depth+1, n), bounded(choices[k].Items, depth+1, n)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// An Availability is an item that is sold out, or of which few are left.
type Availability struct {
	SKU    string `json:"sku"`
	Count  *int64 `json:"count"`
	Status string `json:"status"`
}

// Out tells whether none is to be had.
func (a *Availability) Out() bool {
	return a.Status == "RESTRICTED" && (a.Count == nil || *a.Count <= 0)
}

// Availabilities asks for items by SKU, 50 at a time.
func (c *Client) Availabilities(ctx context.Context, skus []string) ([]Availability, error) {
	var all []Availability
	for len(skus) > 0 {
		n := min(50, len(skus))
		q := url.Values{"businessLocationId": {c.c.Location}, "sku": skus[:n]}
		var raw []byte
		if err := c.do(ctx, rest.Call{Op: "read availability", Path: c.path("availability"), Query: q, Out: &raw}); err != nil {
			return nil, err
		}
		var page []Availability
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, fmt.Errorf("%s: availability is no list: %w", name, err)
		}
		all, skus = append(all, page...), skus[n:]
	}
	return all, nil
}
