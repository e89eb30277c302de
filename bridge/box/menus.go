package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/delivery"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/menu"
	"aboyeur/bridge/pos"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/lightspeed"
)

// buildMenus makes the delivery menus: one for each aggregator, of what the POS sells. It comes after the aggregators.
func (b *Box) buildMenus(ctx context.Context) error {
	c := menu.Config{
		Journal: b.journal, Source: b.menuSource(), Currency: b.c.Site.Currency.Code, Language: b.c.Site.Language, SoldOut: b.soldOut, Sell: b.sellFor,
		Warnings: b.warnings, Now: b.o.Now, Log: b.log, Registerer: b.registry, Blocked: b.menuBlocked, Photo: menu.FetchPhoto(nil),
	}
	if b.o.pause > 0 {
		c.Poll = 10 * b.o.pause
	}
	if b.pos != nil {
		c.Available = b.sellAtTill
	}
	if b.deliveries != nil {
		c.Hours = b.deliveries.Openings
	}
	for i := range b.c.Delivery {
		d := &b.c.Delivery[i]
		t := menu.Target{ID: d.Aggregator, Title: aggregatorTitle(d.Aggregator), Slugs: slices.Sorted(maps.Keys(d.Channels)), Settings: menuSettings(d)}
		if can := b.aggregators[i].Capabilities(); can.Menu {
			t.Client = b.aggregators[i]
		}
		value, err := json.Marshal(t.Settings)
		if err != nil {
			return fmt.Errorf("menu settings of %s: %w", d.Aggregator, err)
		}
		b.fromBundle[menu.SettingKey(d.Aggregator)] = value
		c.Menus = append(c.Menus, t)
	}
	var err error
	if b.menus, err = menu.New(ctx, c); err != nil {
		return fmt.Errorf("delivery menus: %w", err)
	}
	if !b.menus.Idle() {
		b.journal.Watch(b.menus.Watch)
	}
	return nil
}

// menuSettings are those of the configuration, which hold until somebody changes them in the console.
func menuSettings(d *firmwareconfig.Delivery) menu.Settings {
	s := menu.Defaults()
	s.Name, s.AutoUpdate, s.AutoPublish = aggregatorTitle(d.Aggregator), d.MenuSync.AutoUpdate, d.MenuSync.AutoPublish
	s.EveryMinutes, s.Fields, s.Parts = int(d.MenuSync.Every/time.Minute), slices.Clone(d.MenuSync.Fields), []menu.Part{}
	return s
}

// menuSource is who knows what is sold; nil when nobody does.
func (b *Box) menuSource() menu.Source {
	switch {
	case b.pos != nil:
		return tillMenu{b.pos.adapter}
	case b.c.POS.MenuFile == "":
		return nil
	}
	return menuFile{b.c.POS.MenuFile, b.c.Site.Currency, b.o.Now}
}

// menuBlocked names what has to be done before an aggregator's menu is published: while orders are not taken from it, another
// system may own its menus, and each marketplace has to let it (OTR-21 to OTR-24).
func (b *Box) menuBlocked(ctx context.Context, aggregator string) []string {
	if b.deliveries == nil {
		return nil
	}
	list, err := b.deliveries.Integrations(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	var words []string
	for _, i := range list {
		if i.Platform == aggregator && i.State != "active" {
			words = append(words, b.health.words.T("menu.blocked.not_active", i.Title))
		}
	}
	missing, err := b.deliveries.Missing(ctx, aggregator)
	if err != nil {
		return []string{err.Error()}
	}
	for _, c := range missing {
		words = append(words, c.Partner+": "+b.health.words.T("delivery.step."+c.Step))
	}
	return words
}

// soldOut lists what the kitchen has no more of.
func (b *Box) soldOut() []string {
	list := b.kitchen.SoldOut()
	skus := make([]string, len(list))
	for i, s := range list {
		skus[i] = s.SKU
	}
	return skus
}

// sellFor takes an aggregator's word that something is sold out, or back.
func (b *Box) sellFor(ctx context.Context, aggregator, sku, name string, out bool) error {
	_, err := b.kitchen.SellOut(ctx, access.Principal{Name: aggregator, Role: access.Aggregator}, "", sku, name, out)
	return err
}

// itemTold takes a till's word that something is sold out there, or back: kitchen, screens and marketplaces hear of it at once. The
// echo of what the box said itself is none.
func (b *Box) itemTold(ctx context.Context, n lightspeed.Notification) error {
	out, ok := n.SoldOut()
	if !ok || b.pos.echo(n.SKU, !out) {
		return nil
	}
	_, err := b.kitchen.SellOut(ctx, access.Principal{Name: b.c.POS.Kind, Role: access.Till}, "", n.SKU, b.menus.Name(n.SKU), out)
	return err
}

// sellAtTill tells a till that is not ours that something is sold out, or back.
func (b *Box) sellAtTill(ctx context.Context, sku string, on bool) error {
	b.pos.says(sku, on)
	err := b.pos.adapter.SetAvailability(ctx, sku, on)
	if errors.Is(err, pos.ErrUnsupported) {
		return channel.ErrUnsupported
	}
	return err
}

// tillMenu is what a till that is not ours sells.
type tillMenu struct{ adapter pos.Adapter }

var _ menu.Source = tillMenu{}

func (t tillMenu) Catalogue(ctx context.Context) (menu.Catalogue, error) {
	from, err := t.adapter.Catalogue(ctx)
	if err != nil {
		return menu.Catalogue{}, err
	}
	c := menu.Catalogue{Kind: from.Kind, Currency: from.Currency, At: from.At}
	for _, x := range from.Categories {
		c.Categories = append(c.Categories, menu.Category{ID: x.ID, Name: x.Name})
	}
	for _, x := range from.Items {
		item := menu.Item{
			ID: x.ID, SKU: x.SKU, Name: x.Name, Description: x.Description, Category: x.Category, Price: x.Price, Hidden: !x.Online, Inactive: !x.Active, SoldOut: !x.Available,
			Photo: x.Photo, Groups: x.Groups, Allergens: x.Allergens, Barcodes: x.Barcodes,
		}
		for _, v := range x.Variations {
			item.Variations = append(item.Variations, menu.Variation{SKU: v.SKU, Name: v.Name, Price: v.Price})
		}
		c.Items = append(c.Items, item)
	}
	for _, x := range from.Groups {
		group := menu.Group{ID: x.ID, Name: x.Name, Min: x.Min, Max: x.Max}
		for _, o := range x.Options {
			group.Modifiers = append(group.Modifiers, menu.Modifier{ID: o.ID, SKU: o.SKU, Name: o.Name, Price: o.Price})
		}
		c.Groups = append(c.Groups, group)
	}
	return c, nil
}

// menuFile is the menu of a box that is its own till. It is read at each update, so that a changed file needs no restart.
type menuFile struct {
	path     string
	currency firmwareconfig.Currency
	now      func() time.Time
}

var _ menu.Source = menuFile{}

func (f menuFile) Catalogue(context.Context) (menu.Catalogue, error) {
	m, err := firmwareconfig.LoadMenu(f.path, f.currency)
	if err != nil {
		return menu.Catalogue{}, err
	}
	c := menu.Catalogue{Kind: firmwareconfig.KindBuiltin, Currency: f.currency.Code, At: f.now().UTC()}
	for _, x := range m.Categories {
		c.Categories = append(c.Categories, menu.Category{ID: x.ID, Name: x.Name, Description: x.Description, Hidden: !x.Online})
		for _, i := range x.Items {
			item := menu.Item{
				ID: i.SKU, SKU: i.SKU, Name: i.Name, Description: i.Description, Category: x.ID, Price: i.Price, Hidden: !i.Online, Inactive: !i.Active, DeliveryOnly: i.DeliveryOnly,
				Channels: i.Channels, Prices: i.Prices, Photo: i.Photo, Groups: i.Groups, Allergens: i.Allergens, Alcohol: i.Alcohol,
			}
			for _, v := range i.Variations {
				item.Variations = append(item.Variations, menu.Variation{ID: v.SKU, SKU: v.SKU, Name: v.Name, Price: v.Price, Hidden: !v.Online})
			}
			c.Items = append(c.Items, item)
		}
	}
	for _, g := range m.Groups {
		group := menu.Group{ID: g.ID, Name: g.Name, Min: g.Min, Max: g.Max, Each: g.Each}
		for _, o := range g.Modifiers {
			group.Modifiers = append(group.Modifiers, menu.Modifier{ID: o.SKU, SKU: o.SKU, Name: o.Name, Price: o.Price, Hidden: !o.Online, Groups: o.Groups})
		}
		c.Groups = append(c.Groups, group)
	}
	return c, nil
}

// menuLinks is the menus as deliveries know them. It is made before the menus exist, and asked only afterwards.
type menuLinks struct{ b *Box }

var _ delivery.Resolver = menuLinks{}

// Resolve gives what the POS calls the parts of an order. While nobody knows what the POS sells, an aggregator's SKU is the
// POS's.
func (l menuLinks) Resolve(aggregator string, o *channel.Order) delivery.Resolution {
	if !l.b.menus.Known() {
		return delivery.Resolution{}
	}
	found := l.b.menus.Resolve(aggregator, o.Lines, nil)
	r := delivery.Resolution{POS: make([]string, len(found)), Category: make([]string, len(found))}
	for i, m := range found {
		if m.To == nil {
			continue
		}
		if r.POS[i] = m.To.SKU; r.POS[i] == "" {
			r.POS[i] = m.To.ID
		}
		r.Category[i] = m.To.Category
	}
	for _, gap := range menu.Gaps(o.Lines, found) {
		name := gap.Name
		if name == "" {
			name = gap.ID
		}
		if gap.Group != "" {
			name = gap.Group + ": " + name
		}
		r.Unlinked = append(r.Unlinked, name)
	}
	return r
}

// toldOfMenus hears, in the transaction of its webhook, of an aggregator's message that is about no order.
func (b *Box) toldOfMenus(tx *journal.Tx, aggregator string, e *channel.Event) (bool, error) {
	return b.menus.Told(tx, aggregator, e)
}

// shownMenus are the menus that an aggregator shows. It is set before the menus exist, and asked only afterwards.
func (b *Box) shownMenus(aggregator string) []channel.MenuPart { return b.menus.Parts(aggregator) }
