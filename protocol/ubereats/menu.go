package ubereats

import (
	"context"
	"net/http"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Menus is the body of PUT /v2/eats/stores/{store}/menus: it replaces what stood there.
type Menus struct {
	Menus          []Menu     `json:"menus"`
	Categories     []Category `json:"categories"`
	Items          []MenuItem `json:"items"`
	ModifierGroups []Choice   `json:"modifier_groups"`
}

// Translated is a text by language.
type Translated struct {
	Translations map[string]string `json:"translations"`
}

// Menu is one of a store's menus.
type Menu struct {
	ID                  string     `json:"id"`
	Title               Translated `json:"title"`
	ServiceAvailability []Day      `json:"service_availability"`
	CategoryIDs         []string   `json:"category_ids"`
}

// Day is when a menu is served on a day of the week.
type Day struct {
	DayOfWeek   string   `json:"day_of_week"` // monday
	TimePeriods []Period `json:"time_periods"`
}

// Period is from and to, as 11:30.
type Period struct {
	StartTime string `json:"start_time"`
	EndTime   string `json:"end_time"`
}

// Category holds items.
type Category struct {
	ID       string     `json:"id"`
	Title    Translated `json:"title"`
	Entities []Entity   `json:"entities"`
}

// Entity names an item.
type Entity struct {
	ID   string `json:"id"`
	Type string `json:"type"` // ITEM
}

// MenuItem is something sold, by itself or as a modifier.
type MenuItem struct {
	ID               string      `json:"id"`
	Title            Translated  `json:"title"`
	Description      *Translated `json:"description,omitzero"`
	ImageURL         string      `json:"image_url,omitzero"`
	ExternalData     string      `json:"external_data,omitzero"`
	PriceInfo        PriceInfo   `json:"price_info"`
	ModifierGroupIDs *IDs        `json:"modifier_group_ids,omitzero"`
	SuspensionInfo   *Suspended  `json:"suspension_info,omitzero"`
}

// PriceInfo is in minor units.
type PriceInfo struct {
	Price int64 `json:"price"`
}

// IDs is a list of them.
type IDs struct {
	IDs []string `json:"ids"`
}

// Suspended says that an item is not sold.
type Suspended struct {
	Suspension Suspension `json:"suspension"`
}

// Suspension says until when, in seconds since 1970; a time past means that it is sold.
type Suspension struct {
	SuspendUntil int64  `json:"suspend_until"`
	Reason       string `json:"reason,omitzero"`
}

// Choice is a group of modifiers.
type Choice struct {
	ID              string     `json:"id"`
	Title           Translated `json:"title"`
	QuantityInfo    Quantities `json:"quantity_info"`
	ModifierOptions []Entity   `json:"modifier_options"`
}

// Quantities bound a choice.
type Quantities struct {
	Quantity Quantity `json:"quantity"`
}

// Quantity is from and to; no maximum when absent.
type Quantity struct {
	MinPermitted int `json:"min_permitted"`
	MaxPermitted int `json:"max_permitted,omitzero"`
}

// forever is further off than any store's lease.
var forever = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func title(s string) Translated { return Translated{map[string]string{"en": s}} }

// FromMenu is m as Uber has it. A menu without hours is always served.
func FromMenu(m *channel.Menu) Menus {
	all := Menus{Menus: []Menu{}, Categories: []Category{}, Items: []MenuItem{}, ModifierGroups: []Choice{}}
	urls := map[string]string{}
	for _, p := range m.Photos {
		urls[p.ID] = p.URL
	}
	days := [7]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	for _, x := range m.Menus {
		y := Menu{ID: x.ID, Title: title(x.Name), CategoryIDs: x.Categories, ServiceAvailability: []Day{}}
		for n, day := range days {
			d := Day{DayOfWeek: day}
			var hours []channel.Hours
			if x.Opening != nil {
				hours = x.Opening.Weekly
			}
			if len(hours) == 0 {
				d.TimePeriods = []Period{{"00:00", "23:59"}}
			}
			for _, h := range hours {
				if int(h.Day) == n {
					d.TimePeriods = append(d.TimePeriods, Period{clock(h.From), clock(min(h.To, 24*60-1))})
				}
				if h.To > 24*60 && (int(h.Day)+1)%7 == n {
					d.TimePeriods = append(d.TimePeriods, Period{"00:00", clock(min(h.To-24*60, 24*60-1))})
				}
			}
			if len(d.TimePeriods) > 0 {
				y.ServiceAvailability = append(y.ServiceAvailability, d)
			}
		}
		all.Menus = append(all.Menus, y)
	}
	for _, x := range m.Categories {
		all.Categories = append(all.Categories, Category{x.ID, title(x.Name), entities(x.Items)})
	}
	for i := range m.Items {
		x := &m.Items[i]
		y := MenuItem{ID: x.ID, Title: title(x.Name), ExternalData: x.SKU, PriceInfo: PriceInfo{price(x)}}
		if x.Description != "" {
			d := title(x.Description)
			y.Description = &d
		}
		if len(x.Photos) > 0 {
			y.ImageURL = urls[x.Photos[0]]
		}
		if len(x.Groups) > 0 {
			y.ModifierGroupIDs = &IDs{x.Groups}
		}
		if x.SoldOut {
			y.SuspensionInfo = suspended(x.SoldOutTill)
		}
		all.Items = append(all.Items, y)
	}
	for _, g := range m.Groups {
		all.ModifierGroups = append(all.ModifierGroups, Choice{g.ID, title(g.Name), Quantities{Quantity{g.Min, g.Max}}, entities(g.Items)})
	}
	return all
}

// price is the marketplace's own where the menu has one.
func price(x *channel.Item) int64 {
	for _, p := range x.Prices {
		if p.Slug == Name && p.Service == "" {
			return p.Price
		}
	}
	return x.Price
}

func entities(ids []string) []Entity {
	list := make([]Entity, 0, len(ids))
	for _, id := range ids {
		list = append(list, Entity{id, "ITEM"})
	}
	return list
}

func clock(minutes int) string {
	return time.Date(2000, 1, 1, minutes/60, minutes%60, 0, 0, time.UTC).Format("15:04")
}

func suspended(until time.Time) *Suspended {
	s := &Suspended{Suspension{SuspendUntil: forever, Reason: "out of stock"}}
	if !until.IsZero() {
		s.Suspension.SuspendUntil = until.Unix()
	}
	return s
}

// Publish replaces the store's menus. There is no job to follow.
func (c *Client) Publish(ctx context.Context, m channel.Menu, _ channel.SyncOptions) (string, error) {
	return "", c.do(ctx, famMenu, false, rest.Call{Op: "bring the menus", Method: http.MethodPut, Path: rest.Path("v2", "eats", "stores", c.c.Store, "menus"), In: FromMenu(&m)})
}

// CurrentMenu answers store.menu_refresh_request by the same call.
func (c *Client) CurrentMenu(ctx context.Context, _ string, m channel.Menu) error {
	_, err := c.Publish(ctx, m, channel.SyncOptions{})
	return err
}

// ItemUpdate is the body of a change to one item.
type ItemUpdate struct {
	SuspensionInfo Suspended `json:"suspension_info"`
}

// Available says which items are sold, a call each. After an error all of it may be said again.
func (c *Client) Available(ctx context.Context, a []channel.Availability) error {
	for _, x := range a {
		u := ItemUpdate{Suspended{Suspension{SuspendUntil: 0}}}
		if !x.On {
			u.SuspensionInfo = *suspended(x.Until)
		}
		if err := c.do(ctx, famMenu, true, rest.Call{Op: "tell what is sold", Method: http.MethodPost, Path: rest.Path("v2", "eats", "stores", c.c.Store, "menus", "items", x.ID), In: u}); err != nil {
			return err
		}
	}
	return nil
}

// Sold reads what of the store's menus is for sale, modifiers among it. A suspension whose time is over is none.
func (c *Client) Sold(ctx context.Context) ([]channel.Availability, error) {
	var d struct {
		Items wire.List[struct {
			ID             wire.Text `json:"id"`
			SuspensionInfo wire.Maybe[struct {
				Suspension wire.Maybe[struct {
					SuspendUntil wire.Number `json:"suspend_until"`
				}] `json:"suspension"`
			}] `json:"suspension_info"`
		}] `json:"items"`
	}
	var body []byte
	if err := c.do(ctx, famMenu, false, rest.Call{Op: "read what is sold", Path: rest.Path("v2", "eats", "stores", c.c.Store, "menus"), Out: &body}); err != nil {
		return nil, err
	}
	if err := wire.Read("", body, &d); err != nil {
		return nil, err
	}
	list := make([]channel.Availability, 0, len(d.Items))
	for _, item := range d.Items {
		a := channel.Availability{ID: string(item.ID), On: true}
		until := item.SuspensionInfo.Or().Suspension.Or().SuspendUntil
		seconds, _, err := wire.Amount(until, 0)
		switch {
		case err != nil: // further off than any time
			a.On = false
		case seconds > c.now().Unix():
			if a.On = false; seconds < forever {
				a.Until = time.Unix(seconds, 0).UTC()
			}
		}
		list = append(list, a)
	}
	return list, nil
}
