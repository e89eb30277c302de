package otter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// HoursUpdate is the payload of menus.upsert_hours.
type HoursUpdate struct {
	MenuHoursData map[string]wire.Maybe[HoursData] `json:"menuHoursData"` // by the menu's id
}

// HoursData is when a menu is open. A list of another kind is a fault of the whole: read leniently, it would close the store.
type HoursData struct {
	TimeZone     wire.Text      `json:"timeZone"` // IANA
	RegularHours []RegularHours `json:"regularHours"`
	SpecialHours []SpecialHours `json:"specialHours"`
}

// RegularHours are those of some days of the week.
type RegularHours struct {
	Days       []wire.Text `json:"days"` // MONDAY
	TimeRanges []TimeRange `json:"timeRanges"`
}

// SpecialHours are those of one day of the year.
type SpecialHours struct {
	Date       wire.Text   `json:"date"`       // 2021-12-31
	TimeRanges []TimeRange `json:"timeRanges"` // of no meaning when CLOSED
	Type       wire.Text   `json:"type"`       // OPEN or CLOSED
}

// TimeRange is from and to, as 08:00 and 22:00.
type TimeRange struct {
	Start wire.Text `json:"start"`
	End   wire.Text `json:"end"`
}

// Bounds of opening hours. Otter's specification has none.
const (
	maxMenus    = 100
	maxRegular  = 100 // entries of a menu
	maxSpecials = 400 // days of a menu: more than a year
	maxRanges   = 24  // of an entry
)

const (
	specialOpen   = "OPEN"
	specialClosed = "CLOSED"
)

// hours reads the payload of menus.upsert_hours. What cannot be read is told in the event: the aggregator hears of it by its id.
func (e *event) hours() {
	faults := wire.Faults{}
	var p HoursUpdate
	switch err := e.payload(&p).(type) {
	case nil:
	case *channel.Malformed:
		faults = err.Faults
	default:
		faults.Add(payloadAt, "%v", err)
	}
	at := payloadAt + "/menuHoursData"
	if len(faults) == 0 && p.MenuHoursData == nil {
		faults.Add(at, "is missing")
	}
	if n := len(p.MenuHoursData); n > maxMenus {
		faults.Add(at, "has %d menus; the limit is %d", n, maxMenus)
	}
	if len(faults) == 0 {
		e.Hours = make(map[string]channel.Opening, len(p.MenuHoursData))
		for _, id := range slices.Sorted(maps.Keys(p.MenuHoursData)) {
			d := p.MenuHoursData[id].V
			where := at + "/" + pointer(id)
			switch {
			case id == "" || len(id) > maxText:
				faults.Add(where, "has a menu without an id, or with one longer than %d bytes", maxText)
			case d == nil:
				faults.Add(where, "has no hours")
			default:
				e.Hours[id] = d.opening(where, &faults)
			}
		}
	}
	if len(faults) > 0 {
		e.Hours, e.Faults = nil, faults
	}
}

// pointer is a member's name in a JSON pointer.
func pointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(wire.Text(name)))
}

// opening is d in the house's model; at is where it stands in its message.
func (d *HoursData) opening(at string, faults *wire.Faults) channel.Opening {
	var o channel.Opening
	o.Zone = strings.TrimSpace(string(d.TimeZone))
	if !zone(o.Zone) {
		faults.Add(at+"/timeZone", "%q is no time zone", clip(d.TimeZone))
	}
	if d.RegularHours == nil {
		faults.Add(at+"/regularHours", "are missing")
	}
	if len(d.RegularHours) > maxRegular {
		faults.Add(at+"/regularHours", "has %d entries; the limit is %d", len(d.RegularHours), maxRegular)
		d.RegularHours = nil
	}
	if len(d.SpecialHours) > maxSpecials {
		faults.Add(at+"/specialHours", "has %d days; the limit is %d", len(d.SpecialHours), maxSpecials)
		d.SpecialHours = nil
	}
	for i, r := range d.RegularHours {
		where := fmt.Sprintf("%s/regularHours/%d", at, i)
		if len(r.Days) == 0 || len(r.Days) > maxRegular {
			faults.Add(where+"/days", "are %d", len(r.Days))
			continue
		}
		if r.TimeRanges == nil {
			faults.Add(where+"/timeRanges", "are missing; a day that is closed has an empty list")
			continue
		}
		spans := spans(where, r.TimeRanges, faults)
		for j, name := range r.Days {
			day := slices.Index(dayNames[:], strings.ToUpper(strings.TrimSpace(string(name))))
			if day < 0 {
				faults.Add(fmt.Sprintf("%s/days/%d", where, j), "%q is no day of the week", clip(name))
				continue
			}
			for _, s := range spans {
				o.Weekly = append(o.Weekly, channel.Hours{Day: time.Weekday(day), From: s.From, To: s.To})
			}
		}
	}
	seen := make(map[string]int, len(d.SpecialHours))
	for i, s := range d.SpecialHours {
		where := fmt.Sprintf("%s/specialHours/%d", at, i)
		date := strings.TrimSpace(string(s.Date))
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			faults.Add(where+"/date", "%q is no date; it looks like 2026-12-31", clip(s.Date))
			continue
		}
		day := channel.Special{Date: date, Hours: []channel.Span{}}
		switch kind := strings.ToUpper(strings.TrimSpace(string(s.Type))); {
		case kind == specialClosed, kind == "" && len(s.TimeRanges) == 0:
		case kind != specialOpen && kind != "":
			faults.Add(where+"/type", "%q is neither %s nor %s", clip(s.Type), specialOpen, specialClosed)
		case len(s.TimeRanges) == 0:
			faults.Add(where+"/timeRanges", "are missing for a day that is open")
		default:
			day.Hours = spans(where, s.TimeRanges, faults)
		}
		if n, twice := seen[date]; twice { // a day may come in parts
			o.Special[n].Hours = append(o.Special[n].Hours, day.Hours...)
			continue
		}
		seen[date] = len(o.Special)
		o.Special = append(o.Special, day)
	}
	o.Sort()
	return o
}

// zone tells whether a time zone of that name is known; none at all is one.
func zone(name string) bool {
	if len(name) > maxText || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func spans(at string, ranges []TimeRange, faults *wire.Faults) []channel.Span {
	if len(ranges) > maxRanges {
		faults.Add(at+"/timeRanges", "are %d; the limit is %d", len(ranges), maxRanges)
		return nil
	}
	list := []channel.Span{}
	for i, r := range ranges {
		from, fromOK := minutes(r.Start)
		to, toOK := minutes(r.End)
		where := fmt.Sprintf("%s/timeRanges/%d", at, i)
		switch {
		case !fromOK || from == channel.Midnight:
			faults.Add(where+"/start", "%q is no time of day", clip(r.Start))
		case !toOK:
			faults.Add(where+"/end", "%q is no time of day", clip(r.End))
		case to == from && from != 0:
			faults.Add(where, "starts and ends at %s", clip(r.Start))
		default:
			if to <= from { // it ends on the day after
				to += channel.Midnight
			}
			list = append(list, channel.Span{From: from, To: to})
		}
	}
	return list
}

// minutes is a time of day in minutes since midnight: 08:00, 8:00, 08:00:00, and the number of minutes itself, which is what a
// reader of YAML makes of 22:00 and what one published sample has.
func minutes(t wire.Text) (int, bool) {
	s := strings.TrimSpace(string(t))
	hour, rest, colon := strings.Cut(s, ":")
	if !colon {
		n, ok := digits(s, 4)
		return n, ok && n <= channel.Midnight
	}
	minute, second, _ := strings.Cut(rest, ":")
	h, okH := digits(hour, 2)
	m, okM := digits(minute, 2)
	if second != "" {
		if n, ok := digits(second, 2); !ok || n > 59 {
			return 0, false
		}
	}
	n := h*60 + m
	return n, okH && okM && len(minute) == 2 && m < 60 && n <= channel.Midnight
}

func digits(s string, most int) (int, bool) {
	if s == "" || len(s) > most {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// clock writes minutes since midnight as Otter does; the end of a day is 00:00.
func clock(minutes int) wire.Text {
	minutes %= channel.Midnight
	return wire.Text(fmt.Sprintf("%02d:%02d", minutes/60, minutes%60))
}

// FromOpening is o as Otter tells it: days with the same hours stand together.
func FromOpening(o *channel.Opening) HoursData {
	d := HoursData{TimeZone: wire.Text(o.Zone), RegularHours: []RegularHours{}, SpecialHours: []SpecialHours{}}
	for n := range 7 {
		day := time.Weekday((n + 1) % 7)
		ranges := []TimeRange{}
		for _, h := range o.Weekly {
			if h.Day == day {
				ranges = append(ranges, TimeRange{clock(h.From), clock(h.To)})
			}
		}
		if len(ranges) == 0 {
			continue
		}
		same := slices.IndexFunc(d.RegularHours, func(r RegularHours) bool { return slices.Equal(r.TimeRanges, ranges) })
		if same < 0 {
			same = len(d.RegularHours)
			d.RegularHours = append(d.RegularHours, RegularHours{TimeRanges: ranges})
		}
		d.RegularHours[same].Days = append(d.RegularHours[same].Days, wire.Text(dayNames[day]))
	}
	for _, s := range o.Special {
		x := SpecialHours{Date: wire.Text(s.Date), TimeRanges: []TimeRange{}, Type: specialClosed}
		for _, h := range s.Hours {
			x.TimeRanges, x.Type = append(x.TimeRanges, TimeRange{clock(h.From), clock(h.To)}), specialOpen
		}
		d.SpecialHours = append(d.SpecialHours, x)
	}
	return d
}

// StoreHoursResult answers storefront.get_store_hours. It spells hours otherwise than menus do.
type StoreHoursResult struct {
	StoreHoursConfiguration StoreHours `json:"storeHoursConfiguration"`
	StatusChangedAt         wire.Text  `json:"statusChangedAt,omitzero"`
	EventResultMetadata     Result     `json:"eventResultMetadata"`
}

// StoreHours is when a store delivers and hands out.
type StoreHours struct {
	DeliveryHours wire.Maybe[ServiceHours] `json:"deliveryHours,omitzero"`
	PickupHours   wire.Maybe[ServiceHours] `json:"pickupHours,omitzero"`
	Timezone      wire.Text                `json:"timezone"`
}

// ServiceHours are those of one way of serving.
type ServiceHours struct {
	RegularHours []StoreDay     `json:"regularHours"`
	SpecialHours []StoreSpecial `json:"specialHours"`
}

// StoreDay is a day of the week.
type StoreDay struct {
	DayOfWeek  wire.Text    `json:"dayOfWeek"`
	TimeRanges []StoreRange `json:"timeRanges"`
}

// StoreSpecial is a day of the year. A closed one names the whole day, for a range at least has to be there.
type StoreSpecial struct {
	Date            wire.Text    `json:"date"`
	TimeRanges      []StoreRange `json:"timeRanges"`
	SpecialHourType wire.Text    `json:"specialHourType"`
}

// StoreRange is from and to.
type StoreRange struct {
	StartTime wire.Text `json:"startTime"`
	EndTime   wire.Text `json:"endTime"`
}

// FromStoreHours is s as Otter wants to be told it.
func FromStoreHours(s *channel.StoreHours) StoreHours {
	return StoreHours{serviceHours(s.Delivery), serviceHours(s.Pickup), wire.Text(s.Zone)}
}

func serviceHours(o *channel.Opening) wire.Maybe[ServiceHours] {
	if o == nil {
		return wire.Maybe[ServiceHours]{}
	}
	x := ServiceHours{RegularHours: []StoreDay{}, SpecialHours: []StoreSpecial{}}
	for _, h := range o.Weekly {
		day := wire.Text(dayNames[h.Day])
		if n := len(x.RegularHours); n == 0 || x.RegularHours[n-1].DayOfWeek != day {
			x.RegularHours = append(x.RegularHours, StoreDay{DayOfWeek: day})
		}
		last := &x.RegularHours[len(x.RegularHours)-1]
		last.TimeRanges = append(last.TimeRanges, StoreRange{clock(h.From), clock(h.To)})
	}
	for _, s := range o.Special {
		y := StoreSpecial{Date: wire.Text(s.Date), SpecialHourType: specialOpen}
		for _, h := range s.Hours {
			y.TimeRanges = append(y.TimeRanges, StoreRange{clock(h.From), clock(h.To)})
		}
		if len(s.Hours) == 0 {
			y.TimeRanges, y.SpecialHourType = []StoreRange{{"00:00", "23:59"}}, specialClosed
		}
		x.SpecialHours = append(x.SpecialHours, y)
	}
	return wire.Some(x)
}
