package deliverect

import (
	"context"
	"net/http"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Kinds of products.
const (
	TypeProduct  = 1
	TypeModifier = 2
	TypeGroup    = 3
)

// Catalogue is the body of POST /productAndCategories.
type Catalogue struct {
	AccountID  string     `json:"accountId"`
	LocationID string     `json:"locationId"`
	Products   []Product  `json:"products"`
	Categories []Category `json:"categories"`
}

// Product is something sold, a modifier or a group of modifiers, which are its sub-products.
type Product struct {
	PLU            string   `json:"plu"`
	Name           string   `json:"name"`
	Description    string   `json:"description,omitzero"`
	Price          int64    `json:"price"`
	ProductType    int      `json:"productType"`
	PosProductID   string   `json:"posProductId,omitzero"`
	PosCategoryIDs []string `json:"posCategoryIds,omitzero"`
	SubProducts    []string `json:"subProducts,omitzero"`
	ImageURL       string   `json:"imageUrl,omitzero"`
	Min            int      `json:"min,omitzero"`
	Max            int      `json:"max,omitzero"`
	MultiMax       int      `json:"multiMax,omitzero"`
}

// Category holds products.
type Category struct {
	ID   string `json:"posCategoryId"`
	Name string `json:"name"`
}

// PLU is by what an item is ordered: the POS's own id where it names one item alone, else the menu's.
func plus(m *channel.Menu) map[string]string {
	count := map[string]int{}
	for i := range m.Items {
		count[m.Items[i].SKU]++
	}
	plu := make(map[string]string, len(m.Items))
	for i := range m.Items {
		x := &m.Items[i]
		plu[x.ID] = x.ID
		if x.SKU != "" && count[x.SKU] == 1 {
			plu[x.ID] = x.SKU
		}
	}
	return plu
}

// FromMenu is m as Deliverect has it.
func (c *Client) FromMenu(m *channel.Menu) Catalogue {
	plu := plus(m)
	all := Catalogue{AccountID: c.c.Account, LocationID: c.c.Location, Products: []Product{}, Categories: []Category{}}
	in := map[string][]string{}
	for _, x := range m.Categories {
		all.Categories = append(all.Categories, Category{x.ID, x.Name})
		for _, id := range x.Items {
			in[id] = append(in[id], x.ID)
		}
	}
	urls := map[string]string{}
	for _, p := range m.Photos {
		urls[p.ID] = p.URL
	}
	for i := range m.Items {
		x := &m.Items[i]
		p := Product{PLU: plu[x.ID], Name: x.Name, Description: x.Description, Price: x.Price, ProductType: TypeProduct, PosProductID: x.SKU, PosCategoryIDs: in[x.ID], SubProducts: x.Groups}
		if len(in[x.ID]) == 0 {
			p.ProductType = TypeModifier
		}
		if len(x.Photos) > 0 {
			p.ImageURL = urls[x.Photos[0]]
		}
		all.Products = append(all.Products, p)
	}
	for _, g := range m.Groups {
		p := Product{PLU: g.ID, Name: g.Name, Description: g.Description, ProductType: TypeGroup, Min: g.Min, Max: g.Max, MultiMax: g.MaxOfOne}
		for _, id := range g.Items {
			p.SubProducts = append(p.SubProducts, plu[id])
		}
		all.Products = append(all.Products, p)
	}
	return all
}

// Publish brings all products of m; they replace those that stand there. There is no job to follow.
func (c *Client) Publish(ctx context.Context, m channel.Menu, _ channel.SyncOptions) (string, error) {
	return "", c.do(ctx, wire.Family("products"), false, rest.Call{Op: "bring the products", Method: http.MethodPost, Path: "/productAndCategories", In: c.FromMenu(&m)})
}
