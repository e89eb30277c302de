package menu

import (
	"reflect"
	"slices"

	"aboyeur/protocol/channel"
)

// differences counts the entities in which two menus differ. What is sold out does not count: that is told at once.
func differences(a, b channel.Menu) int {
	return differ(a.Items, b.Items, func(x *channel.Item) string { return x.ID }, sameItem) +
		differ(a.Groups, b.Groups, func(x *channel.Group) string { return x.ID }, sameGroup) +
		differ(a.Categories, b.Categories, func(x *channel.Category) string { return x.ID }, sameCategory) +
		differ(a.Menus, b.Menus, func(x *channel.MenuPart) string { return x.ID }, samePart) +
		differ(a.Photos, b.Photos, func(x *channel.Photo) string { return x.ID }, func(x, y *channel.Photo) bool { return x.URL == y.URL })
}

func differ[T any](a, b []T, id func(*T) string, same func(x, y *T) bool) int {
	at := make(map[string]*T, len(a))
	for i := range a {
		at[id(&a[i])] = &a[i]
	}
	n := 0
	for i := range b {
		key := id(&b[i])
		if x := at[key]; x == nil || !same(x, &b[i]) {
			n++
		}
		delete(at, key)
	}
	return n + len(at)
}

func sameItem(x, y *channel.Item) bool {
	return x.Name == y.Name && x.Description == y.Description && x.SKU == y.SKU && x.Price == y.Price && x.Currency == y.Currency && x.Alcohol == y.Alcohol &&
		slices.Equal(x.Prices, y.Prices) && slices.Equal(x.Groups, y.Groups) && slices.Equal(x.Photos, y.Photos) && slices.Equal(x.Allergens, y.Allergens) &&
		slices.Equal(x.Dietary, y.Dietary) && slices.Equal(x.Barcodes, y.Barcodes)
}

func sameGroup(x, y *channel.Group) bool {
	return x.Name == y.Name && x.Description == y.Description && x.Min == y.Min && x.Max == y.Max && x.MaxOfOne == y.MaxOfOne && slices.Equal(x.Items, y.Items)
}

func sameCategory(x, y *channel.Category) bool {
	return x.Name == y.Name && x.Description == y.Description && slices.Equal(x.Items, y.Items) && slices.Equal(x.Photos, y.Photos)
}

func samePart(x, y *channel.MenuPart) bool {
	return x.Name == y.Name && x.Description == y.Description && slices.Equal(x.Categories, y.Categories) && slices.Equal(x.Services, y.Services) && reflect.DeepEqual(x.Opening, y.Opening)
}

// leftover is what an aggregator still shows beside a menu that was brought to it without taking anything away.
func leftover(remote, sent channel.Menu) channel.Menu {
	sent.Items = slices.Concat(sent.Items, missing(remote.Items, sent.Items, func(x *channel.Item) string { return x.ID }))
	sent.Groups = slices.Concat(sent.Groups, missing(remote.Groups, sent.Groups, func(x *channel.Group) string { return x.ID }))
	sent.Categories = slices.Concat(sent.Categories, missing(remote.Categories, sent.Categories, func(x *channel.Category) string { return x.ID }))
	sent.Menus = slices.Concat(sent.Menus, missing(remote.Menus, sent.Menus, func(x *channel.MenuPart) string { return x.ID }))
	sent.Photos = slices.Concat(sent.Photos, missing(remote.Photos, sent.Photos, func(x *channel.Photo) string { return x.ID }))
	return sent
}

// missing is what was there before and is not now.
func missing[T any](before, now []T, id func(*T) string) []T {
	there := make(map[string]bool, len(now))
	for i := range now {
		there[id(&now[i])] = true
	}
	var out []T
	for i := range before {
		if !there[id(&before[i])] {
			out = append(out, before[i])
		}
	}
	return out
}
