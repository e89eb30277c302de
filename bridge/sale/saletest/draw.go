// Package saletest makes values for tests that hold JSON appended by hand to what package json writes.
package saletest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

// texts are of any kind, and often such as JSON writes in a way of its own. They are valid UTF-8.
var texts = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "x", "Crème brûlée", "a\"b\\c", "Fish & Chips <3>", "\u2028\u2029", "\ufffd",
	"\n\t\r\b\f\x00\x1f\x7f", "日本 👩‍🍳"}))

// Value makes a value of type T. All that T has, a member that it gets later too, is drawn: zero, empty and full.
func Value[T any](t *rapid.T) *T {
	v := new(T)
	fill(t, "value", reflect.ValueOf(v).Elem(), 0)
	return v
}

const (
	maxList  = 2
	maxLevel = 8 // of values within one another
)

func fill(t *rapid.T, name string, v reflect.Value, level int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if rapid.Bool().Draw(t, name+" is set") {
			at := time.Unix(rapid.Int64Range(0, 7e9).Draw(t, name), rapid.SampledFrom([]int64{0, 1, 120e6, 123456789}).Draw(t, "nanoseconds"))
			zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -9*3600-1800)}).Draw(t, "zone")
			v.Set(reflect.ValueOf(at.In(zone)))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts.Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.Just[int64](0), rapid.Int64Range(-9, 1200), rapid.Int64Range(-1<<31, 1<<31-1)).Draw(t, name))
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(rapid.OneOf(rapid.Just[uint64](0), rapid.Uint64Range(0, 1<<v.Type().Bits()-1)).Draw(t, name))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Type().Field(i).Name, v.Field(i), level+1)
		}
	case reflect.Array:
		if rapid.Bool().Draw(t, name+" is set") {
			for i := range v.Len() {
				fill(t, name, v.Index(i), level+1)
			}
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, maxList).Draw(t, name); n >= 0 && level < maxLevel {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, name, v.Index(i), level+1)
			}
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" is set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, name, v.Elem(), level+1)
		}
	default:
		panic(fmt.Sprintf("%s is of a kind that nothing here had: %s", name, v.Type()))
	}
}

// SameJSON fails unless got is what package json makes of v, to the byte.
func SameJSON(t rapid.TB, got []byte, v any) {
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Fatalf("appended:\n got %s\nwant %s", got, want)
	}
}
