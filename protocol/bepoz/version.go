package bepoz

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is one of SmartPOS: four numbers, compared one by one.
type Version [4]int

// Minimum is the version that links with a reservation platform need.
func Minimum() Version { return Version{4, 6, 1, 20} }

// ParseVersion reads "4.6.1.20". Numbers that are left out at the end are 0.
func ParseVersion(s string) (Version, error) {
	var v Version
	parts := strings.Split(s, ".")
	if s == "" || len(parts) > len(v) {
		return v, fmt.Errorf("version %.40q; write as in 4.6.1.20", s)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("version %.40q; write as in 4.6.1.20", s)
		}
		v[i] = int(n)
	}
	return v, nil
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]) }

// Before tells whether v is older than w.
func (v Version) Before(w Version) bool { return slices.Compare(v[:], w[:]) < 0 }

// Right is what an operator may do in BackOffice.
type Right string

// The rights that a set-up needs.
const (
	OperateTills  Right = "operate_tills"
	AccessStores  Right = "access_stores_tills"
	MaintainTills Right = "maintain_stores_tills"
	MaintainMaps  Right = "maintain_function_maps"
)

// Rights lists them.
func Rights() []Right { return []Right{OperateTills, AccessStores, MaintainTills, MaintainMaps} }

// Missing are the rights among needed that have has not.
func Missing(have []Right, needed ...Right) []Right {
	var lack []Right
	for _, r := range needed {
		if !slices.Contains(have, r) {
			lack = append(lack, r)
		}
	}
	return lack
}
