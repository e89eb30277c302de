package fias

import (
	"errors"
	"testing"
)

// TestHost is the hotel's half of the state machine of fias.md 3.9, a script a case: what comes, and what to do about it.
func TestHost(t *testing.T) {
	key, err := ParseKey(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	type step struct {
		in   string
		want Step
	}
	ld := step{"LD|DA160728|TI143059|V#1.01|IFWW|", Step{}}
	lr := step{"LR|RIPR|FLDATIP#|", Step{}}
	la := step{"LA|DA160728|TI143059|", Step{Reply: LA, Up: true}}
	for _, c := range []struct {
		name  string
		key   *Key
		sent  string
		steps []step
		alive bool
	}{
		{name: "normal start", steps: []step{ld, lr, la, {"PR|PI1|P#1|", Step{Process: true}}}, alive: true},
		{name: "vendor starts", steps: []step{{"LS|DA160728|", Step{Reply: LS}}, ld, lr, la}, alive: true},
		{name: "LS while alive", steps: []step{ld, la, {"LS|", Step{Reply: LA}}, {"PS|RN1|TA1|", Step{Process: true}}}, alive: true},
		{name: "no description", steps: []step{{"PR|PI1|P#1|", Step{Reply: LS}}, {"LA|", Step{Reply: LS}}, {"LR|RIPR|FLDA|", Step{Reply: LS}}}},
		{name: "data before LA", steps: []step{ld, {"PR|PI1|P#1|", Step{}}, {"DR|", Step{}}}},
		{name: "LS while describing", steps: []step{ld, {"LS|", Step{Reply: LS}}, {"LA|", Step{Reply: LS}}}},
		{name: "described anew", steps: []step{ld, la, ld, {"PS|RN1|TA1|", Step{}}, la}, alive: true},
		{name: "LA answered once", steps: []step{ld, la, {"LA|", Step{}}, {"LR|RIPR|FLDA|", Step{}}}, alive: true},
		{name: "end", steps: []step{ld, la, {"LE|", Step{Reply: LE, Close: true}}}},
		{name: "asked for LC", steps: []step{{"LD|IFPO|V#1|RT5|", Step{}}, {"LA|", Step{Reply: LA, Up: true, Config: true}}}, alive: true},
		{name: "unknown record", steps: []step{ld, la, {"ZZ|Q?1|", Step{Process: true}}}, alive: true},
		{name: "right key", key: key, sent: "170831102201",
			steps: []step{{"LD|IFPO|V#1|RT1|CG" + vectorGood + "|", Step{}}, {"LA|", Step{Reply: LA, Up: true, Config: true}}}, alive: true},
		{name: "no cryptogram", key: key, sent: "170831102201", steps: []step{ld, la}, alive: true},
		{name: "key without RT", key: key, sent: "170831102201",
			steps: []step{{"LD|IFPO|V#1|CG" + vectorGood + "|", Step{Close: true, Fault: ErrCryptogram}}}},
		{name: "wrong key", key: key, sent: "170719134041",
			steps: []step{{"LD|IFPO|V#1|RT1|CG" + vectorOther + "|", Step{Close: true, Barred: true, Fault: ErrCryptogram}}}},
		{name: "odd FL", steps: []step{ld, {"LR|RIPR|FLDAT|", Step{Fault: ErrDescription}}, la}, alive: true},
	} {
		h := Host{Key: c.key, Sent: c.sent}
		for i, s := range c.steps {
			got := h.Take(parsed(t, s.in), Codec{})
			fault, want := got.Fault, s.want.Fault
			got.Fault, s.want.Fault = nil, nil
			if got != s.want || !errors.Is(fault, want) {
				t.Errorf("%s, step %d: Take(%s) = %+v %v, want %+v %v", c.name, i+1, s.in, got, fault, s.want, want)
			}
		}
		if h.Alive() != c.alive {
			t.Errorf("%s: alive %v", c.name, h.Alive())
		}
	}
}

func TestHostKnowsWhatTheVendorWants(t *testing.T) {
	var h Host
	for _, in := range []string{"LD|IFPO|V#1.0|RT5|", "LR|RIPL|FLP#RN|", "LR|RIGI|FLRN|", "LR|RIPL|FLP#RNG#GN|", "LA|"} {
		h.Take(parsed(t, in), Codec{})
	}
	if l, ok := h.Described(PL); !ok || len(l.Fields) != 4 || len(h.Records()) != 2 {
		t.Errorf("Described(PL) = %v, %v of %v", l, ok, h.Records())
	}
	if d := h.Description(); d.Interface != "PO" || d.Request != 5 {
		t.Errorf("Description = %+v", d)
	}
	b, ok := h.AppendListed(nil, parsed(t, "PL|P#1|RN10|G#5|GNDoe|CL100|NPY|RN11|G#6|"))
	if string(b) != "PL|P#1|RN10|G#5|GNDoe|RN11|G#6|" || !ok {
		t.Errorf("AppendListed = %s, %v", b, ok)
	}
	if b, ok := h.AppendListed(nil, parsed(t, "PA|ASOK|")); ok || len(b) != 0 {
		t.Errorf("AppendListed of an undescribed record = %s, %v", b, ok)
	}
	h.Take(parsed(t, "LD|IFPO|V#2|"), Codec{})
	if _, ok := h.Described(PL); ok {
		t.Error("a description outlived the next LD")
	}
	for i := range 3 * maxDescribed {
		h.Take(parsed(t, "LR|RI"+string([]byte{byte('!' + i%90), byte('!' + i/90)})+"|FLDA|"), Codec{})
	}
	if n := len(h.Records()); n > maxDescribed {
		t.Errorf("%d records described", n)
	}
}
