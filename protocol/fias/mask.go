package fias

// AppendMasked appends a record with what tells a person replaced by stars, for a trace that somebody reads who has no
// right to guests' names: names, titles and message texts, an inquiry by name, all after its first character; tracks of
// cards and the cryptogram wholly. Fields, rooms, numbers and amounts stay as they are.
func AppendMasked(dst, raw []byte) []byte {
	var r Record
	if Parse(raw, &r) != nil {
		return append(dst, "***"...)
	}
	if len(raw) < 3 {
		return append(dst, raw...)
	}
	dst = append(dst, raw[:3]...)
	for t, v := range r.Fields() {
		dst = t.AppendTo(dst)
		switch t {
		case GN, GF, GT, MT:
			dst = mask(dst, v, 1)
		case PI:
			if len(v) > 0 && (v[0] < '0' || v[0] > '9') {
				dst = mask(dst, v, 1)
				break
			}
			dst = append(dst, v...)
		case Track1, Track2, Track3, CG, GP:
			dst = mask(dst, v, 0)
		default:
			dst = append(dst, v...)
		}
		dst = append(dst, '|')
	}
	return dst
}

// mask keeps the first characters of v, if they are ASCII, and says nothing of its length.
func mask(dst, v []byte, keep int) []byte {
	if len(v) == 0 {
		return dst
	}
	for i := 0; i < keep && i < len(v) && v[i] < 0x80; i++ {
		dst = append(dst, v[i])
	}
	return append(dst, "***"...)
}
