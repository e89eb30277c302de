package otter

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// sampleHours is the sample of Otter's API reference, and the same hours as its mirror has them: 22:00 read as YAML.
const sampleHours = `{"menuHoursData":{
	"da0e4e94-5670-4175-897a-3b7dde45bed5":{"timeZone":"America/Los_Angeles","regularHours":[{"days":["MONDAY","TUESDAY","WEDNESDAY","THURSDAY","FRIDAY"],"timeRanges":[{"start":"08:00","end":"22:00"}]}],
		"specialHours":[{"date":"2021-12-31","timeRanges":[{"start":"08:00","end":"22:00"}],"type":"CLOSED"}]},
	"mirror":{"timeZone":"America/Los_Angeles","regularHours":[{"days":["MONDAY","TUESDAY","WEDNESDAY","THURSDAY","FRIDAY"],"timeRanges":[{"start":"08:00","end":1320}]}],
		"specialHours":[{"date":"2021-12-31","timeRanges":[{"start":"08:00","end":1320}],"type":"CLOSED"}]}}}`

func decodeHours(t *testing.T, payload string) channel.Event {
	t.Helper()
	e, _, err := Decode(envelope(UpsertHours, payload))
	if err != nil {
		t.Fatalf("Decode(%s): %v", payload, err)
	}
	return e
}

// hoursHold checks what everybody relies on in hours that were read, and that they come back from the wire as they are.
func hoursHold(t *testing.T, id string, o channel.Opening) {
	t.Helper()
	span := func(s channel.Span) {
		if s.From < 0 || s.From >= channel.Midnight || s.To <= s.From || s.To-s.From > channel.Midnight {
			t.Fatalf("menu %q is open from %d to %d", id, s.From, s.To)
		}
	}
	for _, h := range o.Weekly {
		span(channel.Span{From: h.From, To: h.To})
	}
	for i, s := range o.Special {
		if i > 0 && s.Date <= o.Special[i-1].Date {
			t.Fatalf("menu %q has %s after %s", id, s.Date, o.Special[i-1].Date)
		}
		for _, h := range s.Hours {
			span(h)
		}
	}
	b, err := json.Marshal(FromOpening(&o))
	if err != nil {
		t.Fatal(err)
	}
	var d HoursData
	if err := wire.Read("", b, &d); err != nil {
		t.Fatal(err)
	}
	var faults wire.Faults
	if again := d.opening("", &faults); len(faults) > 0 || !reflect.DeepEqual(again, o) {
		t.Fatalf("menu %q: %+v came back as %+v, %v", id, o, again, faults)
	}
}

func TestDecodeHours(t *testing.T) {
	t.Parallel()
	var week []channel.Hours
	for d := time.Monday; d <= time.Friday; d++ {
		week = append(week, channel.Hours{Day: d, From: 8 * 60, To: 22 * 60})
	}
	sample := channel.Opening{Zone: "America/Los_Angeles", Weekly: week, Special: []channel.Special{{Date: "2021-12-31", Hours: []channel.Span{}}}}
	for id, o := range decodeHours(t, sampleHours).Hours {
		if !reflect.DeepEqual(o, sample) {
			t.Errorf("%s is %+v, want %+v", id, o, sample)
		}
		hoursHold(t, id, o)
	}
	for _, c := range []struct {
		name, hours string
		want        channel.Opening
	}{
		{"over midnight, and the week from Monday", `{"timeZone":" Europe/Paris ","regularHours":[{"days":["sunday","Monday"],"timeRanges":[{"start":"18:00","end":"02:00"},{"start":"8:30","end":"12:00:00"}]}],"specialHours":null}`,
			channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{{Day: time.Monday, From: 510, To: 720}, {Day: time.Monday, From: 1080, To: 1560}, {Day: time.Sunday, From: 510, To: 720}, {Day: time.Sunday, From: 1080, To: 1560}}, Special: []channel.Special{}}},
		{"the whole day in three ways, and what overlaps", `{"timeZone":"UTC","regularHours":[{"days":["MONDAY"],"timeRanges":[{"start":"00:00","end":"00:00"}]},{"days":["TUESDAY"],"timeRanges":[{"start":"00:00","end":"24:00"}]},
			{"days":["WEDNESDAY"],"timeRanges":[{"start":0,"end":720},{"start":700,"end":1440},{"start":"10:00","end":"11:00"}]}],"specialHours":[]}`,
			channel.Opening{Zone: "UTC", Weekly: []channel.Hours{{Day: time.Monday, To: 1440}, {Day: time.Tuesday, To: 1440}, {Day: time.Wednesday, To: 1440}}, Special: []channel.Special{}}},
		{"days that are open, closed, in parts and of no type", `{"timeZone":"Europe/Paris","regularHours":[{"days":["MONDAY"],"timeRanges":[]}],"later":true,"specialHours":[{"date":"2026-12-31","type":"open","timeRanges":[{"start":"19:00","end":"03:00"}]},
			{"date":"2026-12-25","type":"CLOSED"},{"date":"2026-12-26"},{"date":"2026-12-24","timeRanges":[{"start":"18:00","end":"20:00"}]},{"date":"2026-12-24","timeRanges":[{"start":"10:00","end":"12:00"}]}]}`,
			channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{}, Special: []channel.Special{{Date: "2026-12-24", Hours: []channel.Span{{From: 600, To: 720}, {From: 1080, To: 1200}}}, {Date: "2026-12-25", Hours: []channel.Span{}},
				{Date: "2026-12-26", Hours: []channel.Span{}}, {Date: "2026-12-31", Hours: []channel.Span{{From: 1140, To: 1620}}}}}},
		{"no zone", `{"regularHours":[],"specialHours":[]}`, channel.Opening{Weekly: []channel.Hours{}, Special: []channel.Special{}}},
	} {
		e := decodeHours(t, `{"menuHoursData":{"m":`+c.hours+`}}`)
		if got := e.Hours["m"]; len(e.Faults) > 0 || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", c.name, got, e.Faults, c.want)
		}
		hoursHold(t, "m", c.want)
	}
}

// Hours that cannot be read are refused by the place of what is wrong, all of them: none is taken by half.
func TestUnreadableHours(t *testing.T) {
	t.Parallel()
	at := "/metadata/payload/menuHoursData"
	good := `"regularHours":[],"specialHours":[],"timeZone":"UTC"`
	many := strings.Repeat(`{"days":["MONDAY"],"timeRanges":[]},`, maxRegular) + `{"days":["MONDAY"],"timeRanges":[]}`
	for payload, want := range map[string]string{
		`{"menuHoursData":7}`: at, `{"menuHoursData":[]}`: at, `7`: "/metadata/payload", `{"menuHoursData":{"m":null}}`: at + "/m",
		`{"menuHoursData":{"":{` + good + `}}}`:                                                                            at + "/",
		`{"menuHoursData":{"a/b":{"timeZone":"UTC"}}}`:                                                                     at + "/a~1b/regularHours",
		`{"menuHoursData":{"m":{"timeZone":"Mars/Olympus","regularHours":[]}}}`:                                            at + "/m/timeZone",
		`{"menuHoursData":{"m":{"timeZone":"Local","regularHours":[]}}}`:                                                   at + "/m/timeZone",
		`{"menuHoursData":{"m":{"regularHours":"never"}}}`:                                                                 at + "/m/regularHours",
		`{"menuHoursData":{"m":{"regularHours":[{"timeRanges":[]}]}}}`:                                                     at + "/m/regularHours/0/days",
		`{"menuHoursData":{"m":{"regularHours":[{"days":["FUNDAY"],"timeRanges":[]}]}}}`:                                   at + "/m/regularHours/0/days/0",
		`{"menuHoursData":{"m":{"regularHours":[{"days":["MONDAY"]}]}}}`:                                                   at + "/m/regularHours/0/timeRanges",
		hoursOf(`"25:00"`, `"26:00"`):                                                                                      at + "/m/regularHours/0/timeRanges/0/start",
		hoursOf(`"24:00"`, `"23:00"`):                                                                                      at + "/m/regularHours/0/timeRanges/0/start",
		hoursOf(`"08:00"`, `"8 pm"`):                                                                                       at + "/m/regularHours/0/timeRanges/0/end",
		hoursOf(`"08:00"`, `"22:60"`):                                                                                      at + "/m/regularHours/0/timeRanges/0/end",
		hoursOf(`"08:00"`, `"22:00:99"`):                                                                                   at + "/m/regularHours/0/timeRanges/0/end",
		hoursOf(`"08:00"`, `1441`):                                                                                         at + "/m/regularHours/0/timeRanges/0/end",
		hoursOf(`"08:00"`, `null`):                                                                                         at + "/m/regularHours/0/timeRanges/0/end",
		hoursOf(`"08:00"`, `"08:00"`):                                                                                      at + "/m/regularHours/0/timeRanges/0",
		`{"menuHoursData":{"m":{"regularHours":[],"specialHours":[{"date":"31.12.2026"}]}}}`:                               at + "/m/specialHours/0/date",
		`{"menuHoursData":{"m":{"regularHours":[],"specialHours":[{"date":"2026-12-31","type":"MAYBE"}]}}}`:                at + "/m/specialHours/0/type",
		`{"menuHoursData":{"m":{"regularHours":[],"specialHours":[{"date":"2026-12-31","type":"OPEN"}]}}}`:                 at + "/m/specialHours/0/timeRanges",
		`{"menuHoursData":{"m":{"regularHours":[` + many + `]}}}`:                                                          at + "/m/regularHours",
		`{"menuHoursData":{"m":{"regularHours":[],"specialHours":[` + strings.Repeat("{},", maxSpecials) + `{}]}}}`:        at + "/m/specialHours",
		`{"menuHoursData":{"ok":{` + good + `},"m":{"regularHours":[{"days":["MONDAY"],"timeRanges":[{"start":true}]}]}}}`: at + "/m/regularHours/0/timeRanges/0/start",
	} {
		e := decodeHours(t, payload)
		if e.Hours != nil || len(e.Faults) == 0 || e.Faults[0].Pointer != want {
			t.Errorf("Decode(%s) = %v, faults %v; want one at %s", payload, e.Hours, e.Faults, want)
		}
	}
	var menus []string
	for i := range maxMenus + 1 {
		menus = append(menus, fmt.Sprintf(`"m%d":{%s}`, i, good))
	}
	if e := decodeHours(t, `{"menuHoursData":{`+strings.Join(menus, ",")+`}}`); len(e.Faults) != 1 || e.Faults[0].Pointer != at {
		t.Errorf("%d menus: %v", len(menus), e.Faults)
	}
	// A whole menu is not refused for its hours.
	e, _, err := Decode(envelope(MenuPublish, `{"menuData":{"menus":{"a":{"id":"a","hoursData":{"regularHours":7}},"b":{"id":"b","hoursData":{"timeZone":"UTC","regularHours":[{"days":["MONDAY"],"timeRanges":[{"start":"8:00","end":"9:00"}]}]}}}}}`))
	if err != nil || e.Menu.Menus[0].Opening != nil || e.Menu.Menus[1].Opening == nil || e.Menu.Menus[1].Opening.Weekly[0].To != 540 {
		t.Errorf("published: %+v, %v", e.Menu, err)
	}
}

func hoursOf(start, end string) string {
	return `{"menuHoursData":{"m":{"regularHours":[{"days":["MONDAY"],"timeRanges":[{"start":` + start + `,"end":` + end + `}]}]}}}`
}

// What is reported of a store is the hours of all menus that serve in a way, in the spelling of the storefront.
func TestStoreHours(t *testing.T) {
	t.Parallel()
	lunch := channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{{Day: time.Monday, From: 690, To: 870}}, Special: []channel.Special{{Date: "2026-12-28", Hours: []channel.Span{}}}}
	dinner := channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{{Day: time.Monday, From: 840, To: 1560}, {Day: time.Sunday, From: 1080, To: 1440}}, Special: []channel.Special{{Date: "2026-12-27", Hours: []channel.Span{}}}}
	both := channel.Together([]channel.Opening{lunch, dinner})
	b, err := json.Marshal(FromStoreHours(&channel.StoreHours{Zone: "Europe/Paris", Delivery: &both}), json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"deliveryHours":{"regularHours":[{"dayOfWeek":"MONDAY","timeRanges":[{"startTime":"11:30","endTime":"02:00"}]},{"dayOfWeek":"SUNDAY","timeRanges":[{"startTime":"18:00","endTime":"00:00"}]}],` +
		`"specialHours":[{"date":"2026-12-27","timeRanges":[{"startTime":"00:00","endTime":"23:59"}],"specialHourType":"CLOSED"},` + // the only menu of a Sunday is closed
		`{"date":"2026-12-28","timeRanges":[{"startTime":"14:00","endTime":"02:00"}],"specialHourType":"OPEN"}]},"timezone":"Europe/Paris"}` // lunch is closed on that Monday, dinner is not
	if string(b) != want {
		t.Errorf("told  %s\nwant %s", b, want)
	}
}
