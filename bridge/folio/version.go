package folio

import "aboyeur/protocol/opera"

// gated tells why the hotel system's version forbids charging; nil when it does not.
func (s *Service) gated(st Status) error {
	version := st.Version
	if version == "" {
		version = s.c.Version
	}
	return opera.CheckVersion(s.c.Dialect, s.c.Branch, version)
}
