package wire

import "strings"

// Partner is what people call a marketplace.
func Partner(slug string) string {
	switch strings.TrimSuffix(slug, "-api") {
	case "ubereats", "uber-eats", "uber":
		return "Uber Eats"
	case "doordash":
		return "DoorDash"
	case "deliveroo":
		return "Deliveroo"
	case "justeat", "just-eat":
		return "Just Eat"
	case "glovo":
		return "Glovo"
	case "rappi":
		return "Rappi"
	case "grubhub":
		return "Grubhub"
	case "menulog":
		return "Menulog"
	case "postmates":
		return "Postmates"
	case "foodpanda":
		return "foodpanda"
	case "wolt":
		return "Wolt"
	case "otter":
		return "Otter"
	case "deliverect":
		return "Deliverect"
	}
	words := strings.FieldsFunc(slug, func(c rune) bool { return c == '-' || c == '_' || c == ' ' })
	for i, w := range words {
		first := []rune(w)
		words[i] = strings.ToUpper(string(first[:1])) + string(first[1:])
	}
	return strings.Join(words, " ")
}
