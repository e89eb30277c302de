package dinner

// An Order is what a guest, a courier's platform or a waiter sends, as the API takes it.
type Order struct {
	Source        string    `json:"source"`
	SourceOrderID string    `json:"source_order_id"`
	Version       int       `json:"version,omitempty"`
	PlacedAt      string    `json:"placed_at,omitempty"` // RFC 3339
	Service       string    `json:"service"`
	ReadyAt       string    `json:"ready_at,omitempty"`
	Partner       Partner   `json:"partner"`
	Table         string    `json:"table,omitempty"`
	Covers        int       `json:"covers,omitempty"`
	Staff         string    `json:"staff,omitempty"`
	Customer      *Customer `json:"customer,omitempty"`
	Notes         string    `json:"notes,omitempty"`
	AllergyNote   string    `json:"allergy_note,omitempty"`
	Currency      string    `json:"currency"`
	Lines         []Line    `json:"lines"`
	Payments      []Payment `json:"payments,omitempty"`
}

// Partner is the marketplace and its short id.
type Partner struct {
	Name    string `json:"name,omitempty"`
	OrderID string `json:"order_id,omitempty"`
}

// Customer is who gets it.
type Customer struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
}

// Line is one dish.
type Line struct {
	SKU       string     `json:"sku"`
	Name      string     `json:"name"`
	Category  string     `json:"category"`
	Course    int        `json:"course"`
	Quantity  int        `json:"quantity"`
	Price     int        `json:"price"` // cents
	Notes     string     `json:"notes,omitempty"`
	Allergens []string   `json:"allergens,omitempty"`
	Modifiers []Modifier `json:"modifiers,omitempty"`
}

// Modifier changes a dish, or another modifier.
type Modifier struct {
	SKU       string     `json:"sku"`
	Name      string     `json:"name"`
	Quantity  int        `json:"quantity"`
	Price     int        `json:"price"`
	Modifiers []Modifier `json:"modifiers,omitempty"`
}

// Payment is money taken already.
type Payment struct {
	Method string `json:"method"`
	Amount int    `json:"amount"`
}

// Categories are the kinds of dishes on the menus.
var Categories = []string{"Grill", "Mains", "Pizza", "Fry", "Starters", "Cold", "Desserts", "Drinks"}

// Menus gives sixteen orders in French and English, without source and id: one to nine lines, for a table, a courier or
// a guest who comes by.
func Menus() []Order {
	l := func(sku, name, category string, course, quantity, price int, more ...func(*Line)) Line {
		x := Line{SKU: sku, Name: name, Category: category, Course: course, Quantity: quantity, Price: price}
		for _, f := range more {
			f(&x)
		}
		return x
	}
	note := func(s string) func(*Line) { return func(x *Line) { x.Notes = s } }
	allergen := func(s ...string) func(*Line) { return func(x *Line) { x.Allergens = s } }
	mod := func(name string, price int, under ...Modifier) func(*Line) {
		return func(x *Line) {
			x.Modifiers = append(x.Modifiers, Modifier{SKU: "X-" + name[:2], Name: name, Quantity: 1, Price: price, Modifiers: under})
		}
	}
	sub := func(name string) Modifier { return Modifier{SKU: "Y-" + name[:2], Name: name, Quantity: 1} }

	delivery := func(by, guest, notes string, lines ...Line) Order {
		return Order{Service: "delivery", Partner: Partner{Name: by}, Customer: &Customer{guest, "+33100000000"}, Notes: notes, Lines: lines}
	}
	pickup := func(by, guest string, lines ...Line) Order {
		return Order{Service: "pickup", Partner: Partner{Name: by}, Customer: &Customer{Name: guest}, Lines: lines}
	}
	table := func(table string, covers int, staff, allergy string, lines ...Line) Order {
		return Order{Service: "dine_in", Partner: Partner{Name: "Carte QR"}, Table: table, Covers: covers, Staff: staff, AllergyNote: allergy, Lines: lines}
	}

	all := []Order{
		delivery("Uber Eats", "Zoé L.", "Sonner au 2e",
			l("PIZ-01", "Margherita", "Pizza", 2, 2, 1250, note("sans basilic"), allergen("lait", "gluten"), mod("Extra mozzarella", 150)),
			l("BOI-03", "Limonade artisanale", "Drinks", 0, 2, 450)),
		delivery("Deliveroo", "Hugo B.", "",
			l("BUR-02", "Burger charolais", "Grill", 2, 1, 1690, mod("À point", 0), mod("Frites maison", 0, sub("Sauce béarnaise")))),
		delivery("Uber Eats", "Emma W.", "Leave at the door, please",
			l("SAL-01", "Caesar salad", "Cold", 1, 1, 1190, allergen("egg", "fish"), mod("No anchovies", 0)),
			l("PIZ-04", "Quattro formaggi", "Pizza", 2, 1, 1450, allergen("milk")),
			l("DES-02", "Cheesecake", "Desserts", 3, 1, 690)),
		delivery("Just Eat", "Noah P.", "",
			l("FRI-01", "Fish and chips", "Fry", 2, 3, 1490, note("extra crispy"), mod("Tartare sauce", 0), mod("Mushy peas", 250)),
			l("BOI-07", "Ginger beer", "Drinks", 0, 3, 390)),
		pickup("Otter", "Inès M.",
			l("PIZ-02", "Regina", "Pizza", 2, 1, 1350, mod("Pâte fine", 0)),
			l("PIZ-05", "Calzone", "Pizza", 2, 1, 1390, note("bien cuite")),
			l("DES-01", "Tiramisù", "Desserts", 3, 2, 650, allergen("lait", "œuf"))),
		pickup("Otter", "James K.",
			l("BUR-01", "Cheeseburger", "Grill", 2, 2, 1390, mod("Medium", 0), mod("Extra bacon", 200), mod("No onion", 0)),
			l("FRI-02", "Sweet potato fries", "Fry", 2, 2, 490)),
		pickup("Click & Collect", "Chloé R.",
			l("PLA-09", "Bœuf bourguignon", "Mains", 2, 1, 1890)),
		pickup("Click & Collect", "Olivia T.",
			l("SOU-01", "Leek and potato soup", "Starters", 1, 1, 790, note("no cream"), allergen("celery")),
			l("PLA-04", "Mushroom risotto", "Mains", 2, 1, 1590)),
		table("12", 2, "Léa", "",
			l("ENT-03", "Œuf parfait, crème de cèpes", "Starters", 1, 1, 990, allergen("œuf", "lait")),
			l("ENT-05", "Saumon gravlax", "Cold", 1, 1, 1150),
			l("PLA-01", "Entrecôte 300 g", "Grill", 2, 1, 2790, mod("Saignant", 0), mod("Sauce poivre", 0)),
			l("PLA-02", "Dos de cabillaud", "Mains", 2, 1, 2390, allergen("poisson"))),
		table("7", 4, "Karim", "ALLERGIE: NOIX",
			l("ENT-01", "Soupe à l'oignon", "Starters", 1, 2, 850),
			l("ENT-02", "Salade de chèvre chaud", "Cold", 1, 2, 1090, note("sans noix")),
			l("PLA-01", "Entrecôte 300 g", "Grill", 2, 2, 2790, mod("Bien cuit", 0), mod("Haricots verts", 0)),
			l("PLA-06", "Magret de canard", "Grill", 2, 1, 2490, mod("Rosé", 0)),
			l("PLA-08", "Risotto aux asperges", "Mains", 2, 1, 1990, allergen("lait")),
			l("BOI-11", "Pichet de Côtes-du-Rhône 50 cl", "Drinks", 0, 1, 1450),
			l("BOI-12", "Eau gazeuse", "Drinks", 0, 2, 490)),
		table("3", 6, "Sofia", "",
			l("ENT-04", "Foie gras, chutney de figues", "Cold", 1, 2, 1690),
			l("ENT-06", "Escargots de Bourgogne", "Starters", 1, 2, 1190),
			l("ENT-01", "Soupe à l'oignon", "Starters", 1, 2, 850),
			l("PLA-03", "Côte de bœuf à partager", "Grill", 2, 1, 6900, mod("Saignant", 0), mod("Gratin dauphinois", 0, sub("Sans ail"))),
			l("PLA-05", "Sole meunière", "Mains", 2, 2, 3290, allergen("poisson", "lait")),
			l("PLA-07", "Tartare de bœuf", "Cold", 2, 2, 1990, note("bien relevé")),
			l("FRI-03", "Frites maison", "Fry", 2, 3, 450),
			l("DES-03", "Crème brûlée", "Desserts", 3, 4, 790),
			l("BOI-13", "Bouteille de Chablis", "Drinks", 0, 1, 3900)),
		table("21", 2, "Tom", "",
			l("BAR-01", "Negroni", "Drinks", 0, 2, 1100),
			l("BAR-02", "Olives & almonds", "Cold", 0, 1, 590, allergen("nuts"))),
		table("T01", 3, "Anna", "NO GLUTEN for seat 2",
			l("STA-01", "Burrata, heirloom tomatoes", "Cold", 1, 1, 1290, allergen("milk")),
			l("MAI-02", "Roast chicken", "Mains", 2, 2, 1890, mod("Mashed potatoes", 0)),
			l("MAI-05", "Lamb shank", "Mains", 2, 1, 2290),
			l("DES-04", "Sticky toffee pudding", "Desserts", 3, 2, 790, mod("Vanilla ice cream", 150)),
			l("BOI-12", "Sparkling water", "Drinks", 0, 1, 490)),
		table("5", 1, "Léa", "",
			l("BOI-01", "Café allongé", "Drinks", 0, 1, 280)),
		table("18", 5, "Karim", "",
			l("GRI-07", "Brochettes d'agneau", "Grill", 2, 2, 1990, mod("À point", 0), mod("Semoule", 0)),
			l("PIZ-03", "Napoletana", "Pizza", 2, 1, 1290),
			l("FRI-04", "Calamars frits", "Fry", 1, 2, 1190, allergen("mollusques")),
			l("SAL-04", "Salade niçoise", "Cold", 1, 1, 1390, note("thon à part")),
			l("DES-05", "Profiteroles", "Desserts", 3, 3, 850),
			l("BOI-08", "Diabolo menthe", "Drinks", 0, 2, 350)),
		delivery("Deliveroo", "Groupe Martin", "Code 45B1, 3e étage gauche",
			l("PIZ-01", "Margherita", "Pizza", 2, 4, 1250),
			l("PIZ-06", "Diavola", "Pizza", 2, 3, 1450, mod("Piment en plus", 50), note("très piquant")),
			l("ENT-07", "Arancini", "Fry", 1, 6, 290),
			l("SAL-02", "Salade verte", "Cold", 1, 3, 490, mod("Vinaigrette à part", 0)),
			l("DES-01", "Tiramisù", "Desserts", 3, 5, 650, allergen("lait", "œuf")),
			l("BOI-02", "Coca-Cola 1,25 l", "Drinks", 0, 2, 490),
			l("BOI-12", "Eau gazeuse", "Drinks", 0, 3, 490),
			l("PLA-10", "Lasagnes bolognaise", "Mains", 2, 2, 1490)),
	}
	for i := range all {
		all[i].Currency = "EUR"
		total := 0
		for _, x := range all[i].Lines {
			each := x.Price
			for _, m := range x.Modifiers {
				each += m.Price
			}
			total += each * x.Quantity
		}
		if all[i].Service != "dine_in" {
			all[i].Payments = []Payment{{"prepaid", total}}
		}
	}
	return all
}
