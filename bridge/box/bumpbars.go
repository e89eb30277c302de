package box

import (
	"fmt"

	"aboyeur/bridge/warning"
	"aboyeur/devices/bumpbar"
	"aboyeur/devices/port"
)

// addBumpBars makes a service of each serial bump bar. What a hand strikes goes to the page of its screen.
func (b *Box) addBumpBars() error {
	for _, s := range b.c.Screens {
		if s.BumpBar == (port.Address{}) {
			continue
		}
		bar, err := bumpbar.New(bumpbar.Config{
			Connect: s.BumpBar, Log: b.log.With("screen", s.Name),
			OnKey:   func(key byte) { b.kitchen.Board().Key(s.Name, key) },
			OnState: func(up bool) { b.health.raise(!up, "bump_bar_gone", warning.Warn, s.Name, s.Name) },
		})
		if err != nil {
			return fmt.Errorf("bump bar of screen %s: %w", s.Name, err)
		}
		b.floor.Add("bump bar "+s.Name, bar.Run)
	}
	return nil
}
