package otter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// Sale statuses of an item.
const (
	forSale      = "FOR_SALE"
	notForSale   = "INDEFINITELY_NOT_FOR_SALE"
	notForNow    = "TEMPORARILY_NOT_FOR_SALE"
	maxEntities  = 50000         // of a menu, of each kind
	maxIntervals = 7 * maxRanges // of one menu's week
)

// MenuData is a store's menus: five maps by id (spec/delivery.md 6.1).
type MenuData struct {
	Menus          map[string]Menu          `json:"menus"`
	Categories     map[string]Category      `json:"categories"`
	Items          map[string]MenuItem      `json:"items"`
	ModifierGroups map[string]ModifierGroup `json:"modifierGroups"`
	Photos         map[string]Photo         `json:"photos,omitzero"`
}

// Menu is one menu of a store.
type Menu struct {
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	CategoryIDs      []string          `json:"categoryIds"`
	FulfillmentModes []string          `json:"fulfillmentModes,omitzero"` // DELIVERY, PICK_UP, DINE_IN; empty: all
	Description      string            `json:"description,omitzero"`
	Hours            wire.Maybe[Hours] `json:"hours,omitzero"`     // where it is read or upserted
	HoursData        jsontext.Value    `json:"hoursData,omitzero"` // a HoursData, where a menu is told by either side
}

// Hours are the times at which a menu is open. They know neither zone nor special days.
type Hours struct {
	Intervals []Interval `json:"intervals"`
}

// Interval is one opening.
type Interval struct {
	Day        string `json:"day"` // MONDAY
	FromHour   int    `json:"fromHour"`
	FromMinute int    `json:"fromMinute"`
	ToHour     int    `json:"toHour"`
	ToMinute   int    `json:"toMinute"`
}

// Category holds items.
type Category struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	ItemIDs     []string `json:"itemIds"`
	PhotoIDs    []string `json:"photoIds,omitzero"`
}

// MenuItem is something sold, by itself or as a modifier.
type MenuItem struct {
	ID               string          `json:"id"`
	Name             string          `json:"name"`
	Description      string          `json:"description"`
	Price            Money           `json:"price"`
	Status           ItemStatus      `json:"status"`
	ModifierGroupIDs []string        `json:"modifierGroupIds,omitzero"`
	PriceOverrides   []Override      `json:"priceOverrides,omitzero"`
	PhotoIDs         []string        `json:"photoIds,omitzero"`  // where a menu is told
	PhotoURLs        []string        `json:"photoUrls,omitzero"` // where it is upserted
	SkuDetails       wire.Maybe[SKU] `json:"skuDetails,omitzero"`
}

// Money is an amount with its currency.
type Money struct {
	CurrencyCode wire.Text   `json:"currencyCode"`
	Amount       wire.Number `json:"amount"`
}

// ItemStatus says whether an item is sold.
type ItemStatus struct {
	SaleStatus     wire.Text `json:"saleStatus"`
	SuspendedUntil wire.Text `json:"suspendedUntil,omitzero"`
}

// Override is a price for some marketplaces or services.
type Override struct {
	Rules        []Rule            `json:"rules"`
	CurrencyCode wire.Text         `json:"currencyCode,omitzero"` // upserted: the amount beside the rules
	Amount       wire.Number       `json:"amount,omitzero"`
	Price        wire.Maybe[Money] `json:"price,omitzero"` // told: an object
}

// Rule says where an Override counts.
type Rule struct {
	ExternalServiceSlug string `json:"externalServiceSlug,omitzero"`
	Type                string `json:"type,omitzero"`
	FulfillmentMode     string `json:"fulfillmentMode,omitzero"`
}

// SKU is what an item is in the till.
type SKU struct {
	SkuID                   string     `json:"skuId,omitzero"`
	Barcodes                []Barcode  `json:"barcodes,omitzero"`
	DietaryClassifications  []Tag      `json:"dietaryClassifications,omitzero"`
	AllergenClassifications []Allergen `json:"allergenClassifications,omitzero"`
	ContainsAlcohol         wire.Bool  `json:"containsAlcohol,omitzero"`
}

// Barcode is one of a product.
type Barcode struct {
	BarcodeType string `json:"barcodeType,omitzero"`
	Value       string `json:"value"`
}

// Tag is a word about a product.
type Tag struct {
	Tag string `json:"tag"`
}

// Allergen says whether a product has one.
type Allergen struct {
	Tag              string    `json:"tag"`
	ContainsAllergen wire.Bool `json:"containsAllergen"`
}

// ModifierGroup is a choice.
type ModifierGroup struct {
	ID                              string   `json:"id"`
	Name                            string   `json:"name"`
	Description                     string   `json:"description,omitzero"`
	MinimumSelections               int      `json:"minimumSelections"`
	MaximumSelections               int      `json:"maximumSelections"`                        // 0: no limit
	MaxPerModifierSelectionQuantity *int     `json:"maxPerModifierSelectionQuantity,omitzero"` // absent: 1; 0: no limit
	ItemIDs                         []string `json:"itemIds"`
}

// Photo is a picture.
type Photo struct {
	ID       string `json:"id"`
	URL      string `json:"url"`
	FileName string `json:"fileName"`
}

// FromMenu is m as Otter has it, for the answer to menus.send_menu (told) or for an upsert (not told).
func FromMenu(m *channel.Menu, told bool) MenuData {
	d := MenuData{Menus: map[string]Menu{}, Categories: map[string]Category{}, Items: map[string]MenuItem{}, ModifierGroups: map[string]ModifierGroup{}}
	urls := make(map[string]string, len(m.Photos))
	if told {
		d.Photos = map[string]Photo{}
	}
	for _, p := range m.Photos {
		urls[p.ID] = p.URL
		if told {
			d.Photos[p.ID] = Photo{ID: p.ID, URL: p.URL, FileName: p.ID}
		}
	}
	for _, x := range m.Menus {
		y := Menu{ID: x.ID, Name: x.Name, CategoryIDs: some(x.Categories), Description: x.Description}
		for _, s := range x.Services {
			y.FulfillmentModes = append(y.FulfillmentModes, mode(s))
		}
		switch {
		case x.Opening == nil:
		case told:
			if b, err := json.Marshal(FromOpening(x.Opening)); err == nil { // texts in it came from JSON
				y.HoursData = b
			}
		case len(x.Opening.Weekly) > 0: // an interval at least has to be there
			var h Hours
			for _, o := range x.Opening.Weekly {
				h.Intervals = append(h.Intervals, intervals(o)...)
			}
			y.Hours = wire.Some(h)
		}
		d.Menus[x.ID] = y
	}
	for _, x := range m.Categories {
		y := Category{ID: x.ID, Name: x.Name, Description: x.Description, ItemIDs: some(x.Items)}
		if told {
			y.PhotoIDs = x.Photos
		}
		d.Categories[x.ID] = y
	}
	for i := range m.Items {
		d.Items[m.Items[i].ID] = fromItem(&m.Items[i], urls, told)
	}
	for _, x := range m.Groups {
		of := x.MaxOfOne
		d.ModifierGroups[x.ID] = ModifierGroup{ID: x.ID, Name: x.Name, Description: x.Description, MinimumSelections: x.Min, MaximumSelections: x.Max,
			MaxPerModifierSelectionQuantity: &of, ItemIDs: some(x.Items)}
	}
	return d
}

func fromItem(x *channel.Item, urls map[string]string, told bool) MenuItem {
	decimals := wire.Decimals(x.Currency)
	y := MenuItem{ID: x.ID, Name: x.Name, Description: x.Description, Price: Money{wire.Text(x.Currency), wire.Decimal(x.Price, decimals)},
		Status: saleStatus(!x.SoldOut, x.SoldOutTill), ModifierGroupIDs: x.Groups}
	for _, p := range x.Prices {
		var o Override
		if p.Slug != "" {
			o.Rules = append(o.Rules, Rule{ExternalServiceSlug: p.Slug})
		}
		if p.Service != "" {
			o.Rules = append(o.Rules, Rule{Type: "FulfillmentModeOverrideRule", FulfillmentMode: mode(p.Service)})
		}
		if told {
			o.Price = wire.Some(Money{wire.Text(x.Currency), wire.Decimal(p.Price, decimals)})
		} else {
			o.CurrencyCode, o.Amount = wire.Text(x.Currency), wire.Decimal(p.Price, decimals)
		}
		y.PriceOverrides = append(y.PriceOverrides, o)
	}
	if told {
		y.PhotoIDs = some(x.Photos)
	} else {
		for _, id := range x.Photos {
			if u := urls[id]; u != "" {
				y.PhotoURLs = append(y.PhotoURLs, u)
			}
		}
	}
	if x.SKU != "" || len(x.Allergens)+len(x.Dietary)+len(x.Barcodes) > 0 || x.Alcohol {
		s := SKU{SkuID: x.SKU, ContainsAlcohol: wire.Bool(x.Alcohol)}
		for _, a := range x.Allergens {
			s.AllergenClassifications = append(s.AllergenClassifications, Allergen{Tag: a, ContainsAllergen: true})
		}
		for _, t := range x.Dietary {
			s.DietaryClassifications = append(s.DietaryClassifications, Tag{t})
		}
		for _, b := range x.Barcodes {
			s.Barcodes = append(s.Barcodes, Barcode{"UPC", b})
		}
		y.SkuDetails = wire.Some(s)
	}
	return y
}

// some is never null on the wire.
func some(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

func mode(service string) string {
	switch service {
	case "pickup":
		return "PICK_UP"
	case "dine_in":
		return "DINE_IN"
	}
	return "DELIVERY"
}

func service(mode string) string {
	switch mode {
	case "PICK_UP", "PICKUP":
		return "pickup"
	case "DINE_IN":
		return "dine_in"
	}
	return "delivery"
}

// intervals splits an opening at midnight.
func intervals(h channel.Hours) []Interval {
	day := func(d time.Weekday) string { return dayNames[(d%7+7)%7] }
	one := func(d time.Weekday, from, to int) Interval {
		return Interval{Day: day(d), FromHour: from / 60, FromMinute: from % 60, ToHour: to / 60, ToMinute: to % 60}
	}
	const midnight = channel.Midnight
	if h.To <= midnight {
		return []Interval{one(h.Day, h.From, min(h.To, midnight-1))}
	}
	return []Interval{one(h.Day, h.From, midnight-1), one(h.Day+1, 0, min(h.To-midnight, midnight-1))}
}

var dayNames = [7]string{"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"}

// saleStatus is an item's status.
func saleStatus(on bool, until time.Time) ItemStatus {
	switch {
	case on:
		return ItemStatus{SaleStatus: forSale}
	case until.IsZero():
		return ItemStatus{SaleStatus: notForSale}
	}
	return ItemStatus{SaleStatus: notForNow, SuspendedUntil: wire.Stamp(until)}
}

// Menu is d in the house's model, each list in the order of ids; at is where it stands in its message. The error is a
// *channel.Malformed.
func (d MenuData) Menu(at string) (channel.Menu, error) {
	var m channel.Menu
	var faults wire.Faults
	if n := max(len(d.Menus), len(d.Categories), len(d.Items), len(d.ModifierGroups), len(d.Photos)); n > maxEntities {
		faults.Add(at, "has %d of one kind; the limit is %d", n, maxEntities)
	}
	if err := faults.Err(); err != nil {
		return m, err
	}
	for _, id := range slices.Sorted(maps.Keys(d.Menus)) {
		x := d.Menus[id]
		y := channel.MenuPart{ID: id, Name: x.Name, Description: x.Description, Categories: x.CategoryIDs}
		for _, f := range x.FulfillmentModes {
			y.Services = append(y.Services, service(f))
		}
		y.Opening = x.opening()
		m.Menus = append(m.Menus, y)
	}
	for _, id := range slices.Sorted(maps.Keys(d.Categories)) {
		x := d.Categories[id]
		m.Categories = append(m.Categories, channel.Category{ID: id, Name: x.Name, Description: x.Description, Items: x.ItemIDs, Photos: x.PhotoIDs})
	}
	photos := maps.Clone(d.Photos)
	for _, id := range slices.Sorted(maps.Keys(d.Items)) {
		x := d.Items[id]
		y, err := x.item(id)
		if err != nil {
			faults.Add(fmt.Sprintf("%s/items/%s", at, id), "%v", err)
			continue
		}
		for _, u := range x.PhotoURLs { // an upsert has addresses only: they are their own ids
			if photos == nil {
				photos = map[string]Photo{}
			}
			photos[u] = Photo{ID: u, URL: u}
			y.Photos = append(y.Photos, u)
		}
		m.Items = append(m.Items, y)
	}
	for _, id := range slices.Sorted(maps.Keys(d.ModifierGroups)) {
		x := d.ModifierGroups[id]
		g := channel.Group{ID: id, Name: x.Name, Description: x.Description, Min: x.MinimumSelections, Max: x.MaximumSelections, MaxOfOne: 1, Items: x.ItemIDs}
		if x.MaxPerModifierSelectionQuantity != nil {
			g.MaxOfOne = *x.MaxPerModifierSelectionQuantity
		}
		m.Groups = append(m.Groups, g)
	}
	for _, id := range slices.Sorted(maps.Keys(photos)) {
		m.Photos = append(m.Photos, channel.Photo{ID: id, URL: photos[id].URL})
	}
	return m, faults.Err()
}

// opening is when a menu is open; nil when it does not say so, or in a way that cannot be read: hours are no reason to refuse a
// whole menu.
func (m *Menu) opening() *channel.Opening {
	var d wire.Maybe[HoursData]
	if len(m.HoursData) > 0 && wire.Read("", m.HoursData, &d) == nil && d.V != nil {
		var faults wire.Faults
		if o := d.V.opening("", &faults); len(faults) == 0 {
			return &o
		}
		return nil
	}
	var o channel.Opening
	for _, i := range m.Hours.Or().Intervals {
		day := slices.Index(dayNames[:], strings.ToUpper(i.Day))
		from, to := i.FromHour*60+i.FromMinute, i.ToHour*60+i.ToMinute
		if day < 0 || from < 0 || from >= channel.Midnight || to < 0 || to > channel.Midnight || len(o.Weekly) == maxIntervals {
			continue
		}
		if to <= from {
			to += channel.Midnight
		}
		o.Weekly = append(o.Weekly, channel.Hours{Day: time.Weekday(day), From: from, To: to})
	}
	if o.Weekly == nil {
		return nil
	}
	o.Sort()
	return &o
}

func (x *MenuItem) item(id string) (channel.Item, error) {
	code, _, err := wire.Currency(x.Price.CurrencyCode)
	if err != nil {
		return channel.Item{}, err
	}
	decimals := wire.Decimals(code)
	price, _, err := wire.Amount(x.Price.Amount, decimals)
	if err != nil {
		return channel.Item{}, err
	}
	y := channel.Item{ID: id, Name: x.Name, Description: x.Description, Price: price, Currency: code, Groups: x.ModifierGroupIDs, Photos: slices.Clone(x.PhotoIDs)}
	if x.Status.SaleStatus == notForSale || x.Status.SaleStatus == notForNow {
		y.SoldOut = true
		y.SoldOutTill, _ = wire.ParseTime(x.Status.SuspendedUntil)
	}
	for _, o := range x.PriceOverrides {
		n := o.Amount
		if o.Price.V != nil {
			n = o.Price.V.Amount
		}
		p := channel.PriceOverride{}
		if p.Price, _, err = wire.Amount(n, decimals); err != nil {
			return channel.Item{}, err
		}
		for _, r := range o.Rules {
			if r.ExternalServiceSlug != "" {
				p.Slug = r.ExternalServiceSlug
			}
			if r.FulfillmentMode != "" {
				p.Service = service(r.FulfillmentMode)
			}
		}
		y.Prices = append(y.Prices, p)
	}
	if s := x.SkuDetails.V; s != nil {
		y.SKU, y.Alcohol = s.SkuID, bool(s.ContainsAlcohol)
		for _, a := range s.AllergenClassifications {
			if a.ContainsAllergen {
				y.Allergens = append(y.Allergens, a.Tag)
			}
		}
		for _, t := range s.DietaryClassifications {
			y.Dietary = append(y.Dietary, t.Tag)
		}
		for _, b := range s.Barcodes {
			y.Barcodes = append(y.Barcodes, b.Value)
		}
	}
	return y, nil
}
