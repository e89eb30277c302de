package pos

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
)

// Catalogue reads the site's products. Their numbers are what orders name them by.
func (o *OSeries) Catalogue(ctx context.Context) (Catalogue, error) {
	products, err := o.client.Products(ctx)
	if err != nil {
		return Catalogue{}, err
	}
	c := Catalogue{Kind: "lightspeed-o", Currency: o.currency, At: time.Now().UTC()}
	minor := func(what string, v jsontext.Value) int64 {
		n, failed := wire.Minor(v, o.decimals)
		if failed != nil && err == nil {
			err = fmt.Errorf("the price of product %s: %w", what, failed)
		}
		return n
	}
	known := map[string]bool{}
	for i := range products {
		p := &products[i]
		id := string(p.ID)
		item := Item{
			SKU: id, ID: string(p.Code), Name: p.Name, Description: p.Description, Category: string(p.Category.ID), Price: minor(id, p.Price), OpenPrice: true,
			Active: !p.Deleted, Online: p.Online, Available: true, Photo: p.Image,
		}
		if p.Barcode != "" {
			item.Barcodes = []string{string(p.Barcode)}
		}
		if p.Category.Name != "" {
			item.Statistics = []Group{{"category", p.Category.Name}}
			if item.Category == "" {
				item.Category = p.Category.Name
			}
			if !slices.ContainsFunc(c.Categories, func(x Category) bool { return x.ID == item.Category }) {
				c.Categories = append(c.Categories, Category{ID: item.Category, Name: p.Category.Name})
			}
		}
		for _, v := range p.Variations {
			price := item.Price
			if len(v.Price) > 0 {
				price = minor(string(v.ID), v.Price)
			}
			item.Variations = append(item.Variations, Variation{string(v.ID), v.Name, price})
		}
		for k := range p.OptionSets {
			s := &p.OptionSets[k]
			item.Groups = append(item.Groups, string(s.ID))
			if known[string(s.ID)] {
				continue
			}
			known[string(s.ID)] = true
			g := ModifierGroup{ID: string(s.ID), Name: s.Name, Min: s.Min, Max: s.Max}
			for _, x := range s.Options {
				g.Options = append(g.Options, Option{ID: string(x.ID), SKU: string(x.ID), Name: x.Name, Price: minor(string(x.ID), x.Price)})
			}
			c.Groups = append(c.Groups, g)
		}
		c.Items = append(c.Items, item)
	}
	return c, err
}
