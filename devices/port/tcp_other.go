//go:build !linux

package port

import "time"

// SetPatient implements Patient. Elsewhere the system's own patience is all there is.
func (p *tcpPort) SetPatient(bool) error { return nil }

// Unheard implements Patient; elsewhere nobody counts.
func (p *tcpPort) Unheard() time.Duration { return 0 }
