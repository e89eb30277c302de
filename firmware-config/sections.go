package firmwareconfig

import (
	"net/netip"
	"time"

	"aboyeur/protocol/escpos"
)

// Bounds of the lists, far above any kitchen: they keep a wrong file from becoming a large configuration.
const (
	maxPrinters = 64
	maxScreens  = 64
	maxStations = 64
	maxClaims   = 5000 // categories, SKUs of a station
	maxCourses  = 20
	maxAreas    = 100
	maxTables   = 1000 // of an area
	maxEntries  = 200  // of the small lists
)

// What a box can say on screens and paper.
func languages() []string { return []string{"en", "fr"} }

func configTable(c *Config) table {
	c.Site.Location = time.UTC
	return table{
		{key: "site", doc: "The venue.", required: true, example: "site: {id: hotel-bellevue-1, name: Brasserie Bellevue, timezone: Europe/Paris, currency: EUR}", value: siteTable(&c.Site)},
		{key: "data", doc: "Where the box keeps its journal.", value: dataTable(&c.Data)},
		{key: "http", doc: "The listener of pages and API.", value: httpTable(&c.HTTP)},
		{key: "printers", doc: "The ticket printers.", value: list[Printer]{dst: &c.Printers, hi: maxPrinters, item: func(p *Printer) value { return printerTable(p) }}},
		{key: "screens", doc: "The kitchen screens.", value: list[Screen]{dst: &c.Screens, hi: maxScreens, item: func(s *Screen) value { return screenTable(s) }}},
		{key: "stations", doc: "The places that cook. Exactly one has default: true.", required: true, example: "stations: [{name: kitchen, printers: [kitchen], default: true}]",
			value: list[Station]{dst: &c.Stations, lo: 1, hi: maxStations, item: func(s *Station) value { return stationTable(s) }}},
		{key: "courses", doc: "Names of course 0, 1, 2, …", value: list[string]{dst: &c.Courses, def: DefaultCourses, lo: 1, hi: maxCourses, unique: true,
			item: func(s *string) value { return text(s, "", "a name, as in starters") }}},
		{key: "pms", doc: "The hotel system that rooms are charged in.", value: pmsTable(&c.PMS)},
		{key: "reservations", doc: "The reservation platforms; one venue of each.", value: list[Reservations]{dst: &c.Reservations, hi: maxEntries,
			item: func(r *Reservations) value { return reservationsTable(r) }}},
		{key: "delivery", doc: "The delivery aggregators; one store of each.", value: list[Delivery]{dst: &c.Delivery, hi: maxEntries,
			item: func(x *Delivery) value { return deliveryTable(x) }}},
		{key: "pos", doc: "The till system that orders are handed to.", value: posTable(&c.POS)},
		{key: "floor", doc: "The tables of the house.", value: table{
			{key: "areas", doc: "Rooms and terraces.", value: list[Area]{dst: &c.Floor.Areas, hi: maxAreas, item: func(a *Area) value { return areaTable(a) }}},
		}},
		{key: "receipts", doc: "What stands on bills and receipts, and who prints them.", value: receiptsTable(&c.Receipts)},
		{key: "fleet", doc: "The hub this box reports to; without servers it is alone.", value: table{
			{key: "servers", doc: "Addresses of the hub, as in tls://hub.example.org:4222.", value: list[string]{dst: &c.Fleet.Servers, hi: 16, unique: true,
				item: func(s *string) value { return formatted(s, "", serverFormat) }}},
			{key: "credentials_file", doc: "The box's credentials at the hub.", value: secretFile{optional(file(&c.Fleet.CredentialsFile, "", "the name of the file")), holdsSecret}},
		}},
	}
}

func siteTable(s *Site) table {
	return table{
		{key: "id", doc: "The box's name in the fleet, bundles and logs.", required: true, example: "id: hotel-bellevue-1", value: formatted(&s.ID, "", siteFormat)},
		{key: "name", doc: "The venue's name as people read it.", required: true, example: "name: Brasserie Bellevue", value: text(&s.Name, "", "the name of the venue")},
		{key: "timezone", doc: "The venue's time zone, a name of the IANA database.", required: true, example: "timezone: Europe/Paris", value: zone(&s.Timezone, &s.Location)},
		{key: "currency", doc: "The venue's currency, ISO 4217.", required: true, example: "currency: EUR", value: currency(&s.Currency)},
		{key: "language", doc: "Language of console, screens and tickets.", value: choice(&s.Language, DefaultLanguage, languages()...)},
		{key: "business_day_close", doc: "Time of day, in the venue's time zone, at which the next business day begins.", value: clock(&s.BusinessDayClose, DefaultBusinessDayClose)},
	}
}

func dataTable(x *Data) table {
	return table{
		{key: "dir", doc: "Folder of the journal. A relative name here and in other keys begins at the folder of this file.", value: file(&x.Dir, DefaultDataDir, "the name of a folder")},
	}
}

func httpTable(h *HTTP) table {
	return table{
		{key: "listen", doc: "Address and port to listen on. Without tls only loopback, private networks or all networks (\":8080\").", value: listen(&h.Listen, DefaultListen)},
		{key: "public_url", doc: "Where clouds reach the box, if they do: a tunnel or reverse proxy.", value: web(&h.PublicURL)},
		{key: "trusted_proxies", doc: "Proxies whose X-Forwarded-For is believed, as addresses or networks.", value: list[netip.Prefix]{dst: &h.TrustedProxies, hi: maxEntries, unique: true,
			item: func(p *netip.Prefix) value { return network(p) }}},
		{key: "tls", doc: "The certificate; both empty: plain HTTP.", value: table{
			{key: "cert_file", doc: "Certificate chain, PEM.", value: secretFile{optional(file(&h.TLS.CertFile, "", "the name of a PEM file")), holdsPublic}},
			{key: "key_file", doc: "Private key, PEM.", value: secretFile{optional(file(&h.TLS.KeyFile, "", "the name of a PEM file")), holdsSecret}},
		}},
		{key: "tokens_file", doc: "Hashes of the bearer tokens, made by `aboyeur token add`.", value: secretFile{file(&h.TokensFile, DefaultTokensFile, "the name of a file"), holdsTokens}},
	}
}

func printerTable(p *Printer) table {
	return table{
		{key: "name", doc: "Unique; a part of addresses and metrics.", required: true, example: "name: grill", value: name(&p.Name)},
		{key: "connect", doc: "Where it is: tcp:HOST:PORT, usb:VENDOR:PRODUCT[:SERIAL], usb:port=PLACE, serial:DEVICE?baud=…&parity=…&flow=…, file:PATH.",
			required: true, example: `connect: "tcp:192.168.1.50:9100"`, value: address(&p.Connect)},
		{key: "model", doc: "What it can do.", value: model(&p.Model, DefaultModel)},
		{key: "columns", doc: "Characters in a line; without it as the model has.", value: integer(&p.Columns, 0, escpos.MinColumns, escpos.MaxColumns)},
		{key: "language", doc: "Language of the words on its paper; without it as the site.", value: choice(&p.Language, "", languages()...)},
		{key: "fallback", doc: "The printer that takes its jobs when they were held for fallback_after.", value: optional(name(&p.Fallback))},
		{key: "fallback_after", doc: "How long a job is held before the fallback prints it.", value: duration(&p.FallbackAfter, DefaultFallbackAfter, time.Second, time.Hour)},
		{key: "type", doc: "What kind it is, for its diagnosis; without it as connect says. A Bluetooth printer is one on a serial port.", value: choice(&p.Type, "", TypeWired, TypeUSB, TypeSerial, TypeBluetooth, TypeFile, TypeCloud)},
		{key: "queue_warn", doc: "How many jobs may wait before a warning is shown.", value: integer(&p.QueueWarn, DefaultQueueWarn, 1, 1000)},
		{key: "drawer", doc: "Pin of the cash drawer on it, 2 or 5; 0: none. It opens after a receipt that was paid in cash.", value: integer(&p.Drawer, 0, 0, 5)},
		{key: "buzzer", doc: "How often it buzzes at each kitchen ticket.", value: integer(&p.Buzzer, 0, 0, 9)},
	}
}

func screenTable(s *Screen) table {
	return table{
		{key: "name", doc: "Unique; the page is /screens/NAME.", required: true, example: "name: grill", value: name(&s.Name)},
		{key: "diagonal_inches", doc: "Size of the screen; with distance_m it gives the size of type.", value: number(&s.DiagonalInches, DefaultDiagonalInches, 3, 120, "inches")},
		{key: "distance_m", doc: "From the cook's eye to the screen.", value: number(&s.DistanceMetres, DefaultDistanceMetres, 0.2, 20, "metres")},
		{key: "theme", doc: "Light letters on dark or dark on light.", value: choice(&s.Theme, DefaultTheme, ThemeNight, ThemeDay)},
		{key: "backup", doc: "The screen that shows its tickets when it is gone.", value: optional(name(&s.Backup))},
		{key: "bump_bar", doc: "A bump bar on a serial line of the box, one byte a key, 1200 baud unless baud= says otherwise. Bars that are keyboards need no line here.", value: bumpBar(&s.BumpBar)},
		{key: "direction", doc: "How tickets follow one another: in rows from the left (right) or from the right (left), or in columns (down).", value: choice(&s.Direction, DirectionRight, DirectionRight, DirectionLeft, DirectionDown)},
		{key: "columns", doc: "Columns of tickets; without it as many as can be read from distance_m.", value: integer(&s.Columns, 0, 1, 5)},
	}
}

func limitTable(l *Limit) table {
	return table{
		{key: "late_after", doc: "Age at which it is late; without it as the station has.", value: unset(duration(&l.LateAfter, 0, time.Minute, 24*time.Hour))},
		{key: "warn_after", doc: "Age at which it is soon late; below late_after.", value: unset(duration(&l.WarnAfter, 0, time.Second, 24*time.Hour))},
	}
}

func stationTable(s *Station) table {
	return table{
		{key: "name", doc: "Unique; stands at the head of its tickets.", required: true, example: "name: grill", value: name(&s.Name)},
		{key: "printers", doc: "Where its tickets are printed.", value: names(&s.Printers, maxPrinters)},
		{key: "screens", doc: "Where its tickets are shown.", value: names(&s.Screens, maxScreens)},
		{key: "categories", doc: "Categories of lines that come here, spelled as the sources send them.", value: texts(&s.Categories, maxClaims, "a category")},
		{key: "skus", doc: "Articles that come here whatever their category.", value: texts(&s.SKUs, maxClaims, "an SKU")},
		{key: "courses", doc: "Courses that come here unless category or SKU say otherwise: names from courses, or numbers from 0.", value: list[int]{dst: &s.Courses, hi: maxCourses, unique: true,
			item: func(i *int) value { return course{i} }}},
		{key: "copies", doc: "Copies of a ticket on each printer.", value: integer(&s.Copies, DefaultCopies, 1, 5)},
		{key: "buzzer", doc: "How often its printers buzz at each of its tickets; 0: as the printers say.", value: integer(&s.Buzzer, 0, 0, 9)},
		{key: "output", doc: "Who prints kitchen tickets: the box, or the POS (then the box only when the POS did not take the order).", value: choice(&s.Output, OutputBox, OutputBox, OutputPOS)},
		{key: "pace", doc: "The ages that hold where none are written: table 10 and 15 minutes, quick 5 and 8, bar 3 and 6; without it quick for pickup, table for the rest.", value: optional(choice(&s.Pace, "", PaceTable, PaceQuick, PaceBar))},
		{key: "late_after", doc: "Age at which a ticket is late; without it as pace says.", value: duration(&s.LateAfter, DefaultLateAfter, time.Minute, 24*time.Hour)},
		{key: "warn_after", doc: "Age at which a ticket is soon late; below late_after.", value: duration(&s.WarnAfter, DefaultWarnAfter, time.Second, 24*time.Hour)},
		{key: "limits", doc: "Ages that differ by service.", value: table{
			{key: "dine_in", doc: "Of guests at a table.", value: limitTable(&s.Limits.DineIn)},
			{key: "delivery", doc: "Of deliveries without a time; with one, the age runs towards it.", value: limitTable(&s.Limits.Delivery)},
			{key: "pickup", doc: "Of what guests come for.", value: limitTable(&s.Limits.Pickup)},
		}},
		{key: "fire", doc: "When courses after the first are cooked: at_once; when the waiter says so (waiter); when everything of the course before is bumped (previous); fire_after apart (after). A waiter can fire any of them before.", value: choice(&s.Fire, FireAtOnce, FireAtOnce, FireWaiter, FirePrevious, FireAfter)},
		{key: "fire_after", doc: "Between two courses; with fire: after.", value: duration(&s.FireAfter, DefaultFireAfter, time.Minute, 4*time.Hour)},
		{key: "prep_minutes", doc: "What its dishes take. Stations of an order that say so begin so that all is ready together; without it at once.", value: integer(&s.PrepMinutes, 0, 1, 240)},
		{key: "default", doc: "Takes what no other station claims.", value: boolean(&s.Default, false)},
	}
}

// encodings are the character sets of hotel links (spec/fias.md 2).
func encodings() []string {
	return []string{"utf-8", "windows-1252", "windows-1250", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp437", "cp850", "cp852", "cp858"}
}

func pmsTable(p *PMS) table {
	return table{
		{key: "kind", doc: "opera, or none.", required: true, example: "kind: none", value: choice(&p.Kind, KindNone, KindOpera, KindNone)},
		{key: "dialect", doc: "fias and xmlpos: OPERA's interface on site; ohip: OPERA Cloud.", value: choice(&p.Dialect, DialectFIAS, DialectFIAS, DialectXMLPOS, DialectOHIP)},
		{key: "connect", doc: "tcp:HOST:PORT or serial:DEVICE?baud=…; with dialect ohip https://HOST.", value: hotel(&p.Connect, &p.URL)},
		{key: "tls", doc: "The link speaks TLS.", value: boolean(&p.TLS, false)},
		{key: "auth_key_file", doc: "The link's IfcAuthKey.", value: secretFile{optional(file(&p.AuthKeyFile, "", "the name of the file")), holdsSecret}},
		{key: "encoding", doc: "Character set of the link.", value: choice(&p.Encoding, DefaultEncoding, encodings()...)},
		{key: "version", doc: "Version of OPERA, as its about page says.", value: optional(formatted(&p.Version, "", versionFormat))},
		{key: "branch", doc: "Patch branch of OPERA 5.", value: optional(choice(&p.Branch, "", "E10", "E17", "E24", "E43"))},
		{key: "answer_timeout", doc: "How long the answer to a posting may take.", value: duration(&p.AnswerTimeout, DefaultAnswerTimeout, time.Second, 10*time.Minute)},
		{key: "night_audit_limit", doc: "A night audit whose end the hotel never told is over after so long; with dialect fias.", value: duration(&p.NightAuditLimit, DefaultNightLimit, 10*time.Minute, 24*time.Hour)},
		{key: "payment_method", doc: "The room payment as tills know it.", value: table{
			{key: "type", doc: "Charge to a room.", value: choice(&p.PaymentMethod.Type, "room", "room")},
			{key: "code", doc: "The code of the method.", value: choice(&p.PaymentMethod.Code, RoomPaymentCode, RoomPaymentCode)},
			{key: "name", doc: "The name of the method.", value: text(&p.PaymentMethod.Name, DefaultPaymentName, "a name")},
		}},
		{key: "transmit_all_tickets", doc: "Mirror every closed check to the hotel system, whatever it was paid with.", value: boolean(&p.TransmitAllTickets, false)},
		{key: "outlets", doc: "Sales outlets and their numbers in the hotel system.", value: list[Outlet]{dst: &p.Outlets, hi: maxEntries, item: func(o *Outlet) value {
			return table{
				{key: "name", doc: "Name of the outlet.", required: true, example: "name: restaurant", value: name(&o.Name)},
				{key: "code", doc: "Its number.", required: true, example: "code: 1", value: integer(&o.Code, 0, 1, 99999)},
			}
		}}},
		{key: "revenue", doc: "The regular batch of what was not charged to rooms; none without account.", value: table{
			{key: "every", doc: "How often.", value: duration(&p.Revenue.Every, DefaultRevenueEvery, 5*time.Minute, 24*time.Hour)},
			{key: "account", doc: "The account (Paymaster room) it is posted to.", value: optional(text(&p.Revenue.Account, "", "an account"))},
			{key: "mapping", doc: "Rules from sale to subtotal; the first that fits holds.", value: list[RevenueRule]{dst: &p.Revenue.Mapping, hi: maxEntries, item: func(r *RevenueRule) value {
				return table{
					{key: "outlet", doc: "Name of an outlet, or any.", value: text(&r.Outlet, Any, "the name of an outlet, or any")},
					{key: "pos_config", doc: "Configuration of the POS, or any.", value: text(&r.POSConfig, Any, "a name, or any")},
					{key: "floor_plan", doc: "Area of the floor, or any.", value: text(&r.FloorPlan, Any, "a name, or any")},
					{key: "group", doc: "Accounting group, or any.", value: text(&r.Group, Any, "a name, or any")},
					{key: "period", doc: "Service period by hours of the venue, or any.", value: choice(&r.Period, Any, Any, "04-11", "11-14", "14-18", "18-04")},
					{key: "subtotal", doc: "Number of the subtotal: 1 to 9 in FIAS, 1 to 16 in XML_POS.", required: true, example: "subtotal: 1", value: integer(&r.Subtotal, 0, 1, 16)},
				}
			}}},
		}},
		{key: "cloud", doc: "What OPERA Cloud asks for; with dialect ohip.", value: table{
			{key: "hotel", doc: "Code of the property.", value: optional(text(&p.Cloud.Hotel, "", "the code of the property"))},
			{key: "credentials_file", doc: "YAML with app_key, client_id and client_secret of the integration.", value: secretFile{optional(file(&p.Cloud.CredentialsFile, "", "the name of the file")), holdsSecret}},
			{key: "enterprise", doc: "Identifier of the enterprise, where the property has one.", value: optional(text(&p.Cloud.Enterprise, "", "an identifier"))},
			{key: "cashier", doc: "Cashier number of the integration's user.", value: optional(text(&p.Cloud.Cashier, "", "a number"))},
			{key: "charges", doc: "Transaction codes that postings are booked on, by outlet.", value: list[CloudCharges]{dst: &p.Cloud.Charges, hi: maxEntries, item: func(c *CloudCharges) value {
				const code = "a transaction code"
				codes := func(dst *[]string) value {
					return list[string]{dst: dst, hi: 16, item: func(s *string) value { return text(s, "", code) }}
				}
				return table{
					{key: "outlet", doc: "Name of an outlet, or any.", value: text(&c.Outlet, Any, "the name of an outlet, or any")},
					{key: "total", doc: "Books a whole check on one code.", value: optional(text(&c.Total, "", code))},
					{key: "subtotals", doc: "Codes of subtotals 1, 2, …", value: codes(&c.Subtotals)},
					{key: "taxes", doc: "Codes of taxes 1, 2, …", value: codes(&c.Taxes)},
					{key: "discounts", doc: "Codes of discounts 1, 2, …; absent: those of the subtotals.", value: codes(&c.Discounts)},
					{key: "service_charge", doc: "Code of the service charge.", value: optional(text(&c.ServiceCharge, "", code))},
					{key: "tip", doc: "Code of the tip.", value: optional(text(&c.Tip, "", code))},
				}
			}}},
		}},
	}
}

func reservationsTable(r *Reservations) table {
	words := func(m *map[string]string, f func(*string) value) value {
		return keyed[string]{dst: m, keys: wordFormat, hi: maxEntries, item: f}
	}
	return table{
		{key: "platform", doc: "Which platform.", required: true, example: "platform: opentable", value: choice(&r.Platform, "", "opentable", "sevenrooms", "resy", "thefork", "aleno", "generic")},
		{key: "venue", doc: "The venue's id at the platform.", required: true, example: `venue: "12345"`, value: text(&r.Venue, "", `the id in quotes, as in "12345"`)},
		{key: "enabled", doc: "false keeps the settings and stops the link.", value: boolean(&r.Enabled, true)},
		{key: "base_url", doc: "Address of the platform's API; without it the platform's own.", value: web(&r.BaseURL)},
		{key: "credentials_file", doc: "YAML file with client_id, client_secret, scope, username, password, token as the platform needs.", value: secretFile{optional(file(&r.CredentialsFile, "", "the name of the file")), holdsCredentials}},
		{key: "webhook_secret_file", doc: "File with the secret of the platform's webhooks alone.", value: secretFile{optional(file(&r.WebhookSecretFile, "", "the name of the file")), holdsSecret}},
		{key: "vocabulary", doc: "Our word for a status or stage to the word on the wire, where it differs from the default.", value: words(&r.Vocabulary, func(s *string) value { return text(s, "", "a word") })},
		{key: "paths", doc: "Operation to path below base_url, where it differs from the default.", value: words(&r.Paths, func(s *string) value { return formatted(s, "", pathFormat) })},
		{key: "open_checks", doc: "A seated party opens a check.", value: boolean(&r.OpenChecks, true)},
		{key: "walk_ins", doc: "So does a walk-in; needs open_checks.", value: boolean(&r.WalkIns, false)},
		{key: "multi_table", doc: "A check stands on all tables of the reservation.", value: boolean(&r.MultiTable, true)},
		{key: "order_profile", doc: "Order profile of the checks; excludes default_profile: true.", value: optional(text(&r.OrderProfile, "", "a profile"))},
		{key: "default_profile", doc: "Use the till's own profile. true unless order_profile is given.", value: boolean(&r.DefaultProfile, true)},
		{key: "staff", doc: "The till's user who opens the checks.", value: optional(text(&r.Staff, "", "a user"))},
		{key: "tills", doc: "Tills that open checks, the first that is online; empty: any.", value: texts(&r.Tills, maxEntries, "a till")},
		{key: "courses", doc: "Which statistic groups bring a table to which status.", value: list[CourseMap]{dst: &r.Courses, hi: 4, item: func(c *CourseMap) value {
			return table{
				{key: "status", doc: "The status.", required: true, example: "status: entree", value: choice(&c.Status, "", "drinks", "appetizer", "entree", "dessert")},
				{key: "groups", doc: "The groups.", required: true, example: "groups: [Mains]", value: texts(&c.Groups, maxClaims, "a group")},
			}
		}}},
	}
}

func deliveryTable(x *Delivery) table {
	return table{
		{key: "aggregator", doc: "Which aggregator.", required: true, example: "aggregator: otter", value: choice(&x.Aggregator, "", "otter", "deliverect", "ubereats")},
		{key: "store", doc: "The store's id at the aggregator.", required: true, example: `store: "12345"`, value: text(&x.Store, "", `the id in quotes, as in "12345"`)},
		{key: "base_url", doc: "Address of the aggregator's API; without it the aggregator's own.", value: web(&x.BaseURL)},
		{key: "webhook_secret_file", doc: "File with the secret of the aggregator's webhooks alone.", value: secretFile{optional(file(&x.WebhookSecretFile, "", "the name of the file")), holdsSecret}},
		{key: "credentials_file", doc: "YAML file with client_id, client_secret, scope, application, username, password, token as the aggregator needs.", value: secretFile{optional(file(&x.CredentialsFile, "", "the name of the file")), holdsCredentials}},
		{key: "auto_accept", doc: "Accept orders without a person.", value: boolean(&x.AutoAccept, true)},
		{key: "inject", doc: "strict: a line the POS does not know keeps the order out of it; open_item: it goes in as an open item.", value: choice(&x.Inject, InjectStrict, InjectStrict, InjectOpenItem)},
		{key: "release_before", doc: "How long before its time a scheduled order goes to kitchen and POS.", value: duration(&x.ReleaseBefore, DefaultReleaseBefore, 0, 24*time.Hour)},
		{key: "show_before", doc: "How long before its time a scheduled order is shown; at least release_before.", value: duration(&x.ShowBefore, DefaultShowBefore, 0, 48*time.Hour)},
		{key: "channels", doc: "What single marketplaces have different, by their name.", value: keyed[Channel]{dst: &x.Channels, keys: channelFormat, hi: maxEntries, item: func(c *Channel) value {
			return table{
				{key: "auto_accept", doc: "As above, for this channel.", value: boolean(&c.AutoAccept, true)},
				{key: "inject", doc: "As above, for this channel.", value: choice(&c.Inject, "", InjectStrict, InjectOpenItem)},
				{key: "number", doc: "deliverect: the number by which it calls this channel, in quotes.", value: optional(text(&c.Number, "", "the number in quotes"))},
			}
		}}},
		{key: "menu_sync", doc: "The regular menu update.", value: table{
			{key: "every", doc: "How often.", value: duration(&x.MenuSync.Every, DefaultMenuEvery, 15*time.Minute, 7*24*time.Hour)},
			{key: "auto_update", doc: "Take changes from the POS by itself.", value: boolean(&x.MenuSync.AutoUpdate, true)},
			{key: "auto_publish", doc: "Publish them by itself; needs auto_update.", value: boolean(&x.MenuSync.AutoPublish, false)},
			{key: "fields", doc: "What is taken over.", value: list[string]{dst: &x.MenuSync.Fields, def: DefaultMenuFields(), hi: 16, unique: true,
				item: func(s *string) value { return choice(s, "", MenuFields()...) }}},
		}},
	}
}

func posTable(p *POS) table {
	return table{
		{key: "kind", doc: "builtin: the box's own checks. bepoz: the box's own checks follow what Bepoz tills tell.", value: choice(&p.Kind, KindBuiltin, KindBuiltin, KindLightspeedK, KindLightspeedO, KindBepoz)},
		{key: "location", doc: "The business location at the POS; a box serves one. lightspeed-k: its number; lightspeed-o: company/site.", value: optional(text(&p.Location, "", "the id of one location, in quotes"))},
		{key: "base_url", doc: "Address of the POS's API; without it the vendor's own.", value: web(&p.BaseURL)},
		{key: "credentials_file", doc: "YAML file with client_id, client_secret, scope, username, password, token as the POS needs.", value: secretFile{optional(file(&p.CredentialsFile, "", "the name of the file")), holdsCredentials}},
		{key: "webhook_secret_file", doc: "File with the secret of the POS's webhooks alone.", value: secretFile{optional(file(&p.WebhookSecretFile, "", "the name of the file")), holdsSecret}},
		{key: "listen", doc: "bepoz: address and port where the extensions of tills connect; they say the secret of webhook_secret_file. Empty: they call the HTTP API.", value: optional(listen(&p.Listen, ""))},
		{key: "menu_file", doc: "builtin and bepoz: YAML file beside this one with what is sold, for delivery menus and their links.", value: secretFile{optional(file(&p.MenuFile, "", "the name of the file, as in menu.yaml")), holdsMenu}},
		{key: "inject", doc: "strict or open_item, for orders of sources that do not say.", value: choice(&p.Inject, InjectStrict, InjectStrict, InjectOpenItem)},
		{key: "endpoint", doc: "lightspeed-k: name of the endpoint of its notifications; upper and lower case count.", value: text(&p.Endpoint, "aboyeur", "a name")},
		{key: "user", doc: "lightspeed-k: the user that its notifications say; the password is that of webhook_secret_file.", value: text(&p.User, "aboyeur", "a name")},
		{key: "status", doc: "lightspeed-o: accepted: the till takes an order without a person; submitted: it rings, and staff accept.", value: choice(&p.Status, "accepted", "accepted", "submitted", "pending", "on_hold")},
		{key: "open_item", doc: "The POS's item that stands for what it does not know; with inject: open_item.", value: optional(text(&p.OpenItem, "", "the id of an item, in quotes"))},
		{key: "profile", doc: "Order profile of what is handed over.", value: optional(text(&p.Profile, "", "the code of a profile"))},
		{key: "staff", doc: "Who hands over, as the POS knows it.", value: optional(text(&p.Staff, "", "an id"))},
		{key: "checks", doc: "lightspeed-k: pos opens the check of a party that sits at the POS; box at the box's own floor.", value: choice(&p.Checks, ChecksBox, ChecksBox, ChecksPOS)},
		{key: "payments", doc: "The POS's payment method by the slug of a partner or an order's word for a payment; default for all others; deposit for deposits of parties, which have no default.", value: keyed[string]{dst: &p.Payments, keys: wordFormat, hi: maxEntries,
			item: func(s *string) value { return text(s, "", "a method of the POS, in quotes") }}},
	}
}

func areaTable(a *Area) table {
	return table{
		{key: "name", doc: "Name of the area.", required: true, example: "name: Salle", value: text(&a.Name, "", "a name")},
		{key: "tables", doc: `Table numbers in quotes, exactly as in the POS and at the platforms: "1" is not "01".`, required: true, example: `tables: ["1", "2"]`,
			value: texts(&a.Tables, maxTables, "a table number in quotes")},
	}
}
