package box

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/onboard"
	"aboyeur/bridge/privilege"
	"aboyeur/bridge/reservation"
	"aboyeur/protocol/bepoz"
)

// buildRights makes what says who may do what with the tills, and what their set-up needs.
func (b *Box) buildRights(ctx context.Context) (err error) {
	b.onboard = onboard.New(b.tillSetup())
	if b.c.POS.Kind != firmwareconfig.KindBepoz {
		return nil
	}
	if b.rights, err = privilege.New(ctx, b.journal); err != nil {
		return fmt.Errorf("read the rights of the tills: %w", err)
	}
	return nil
}

// guarded lets only those at the till's functions who have the right to them. What a till's queue sends is no function of an
// operator.
func (b *Box) guarded(routes []api.Route) []api.Route {
	for i, r := range routes {
		switch {
		case strings.HasPrefix(r.Path, "/v1/till/bookings"):
			routes[i] = b.rights.Guard(bepoz.OperateTills, r)
		case r.Path == "/v1/tills":
			routes[i] = b.rights.Guard(bepoz.AccessStores, r)
		}
	}
	return routes
}

// mayChange holds a change of a platform's settings against the rights that Bepoz wants for it.
func (b *Box) mayChange(by access.Principal, was, now *reservation.Settings) error {
	if !slices.Equal(was.Tills, now.Tills) {
		if err := b.rights.Check(by, bepoz.MaintainTills); err != nil {
			return err
		}
	}
	if !reflect.DeepEqual(was.PayByDeposit, now.PayByDeposit) || !reflect.DeepEqual(was.ManageReservations, now.ManageReservations) {
		return b.rights.Check(by, bepoz.MaintainMaps)
	}
	return nil
}

// tillSetup is the till of the configuration, for whoever sets it up.
func (b *Box) tillSetup() onboard.Config {
	p := &b.c.POS
	c := onboard.Config{Kind: p.Kind, Location: p.Location, BaseURL: p.BaseURL, Site: b.c.Site.Name, Language: b.c.Site.Language, Now: b.now, Log: b.log, Given: map[string]bool{
		"location": p.Location != "", "site": p.Location != "", "credentials": p.CredentialsFile != "", "webhook_secret": p.WebhookSecretFile != "", "public_url": b.c.HTTP.PublicURL != "",
		"listen": p.Listen != "", "tables": len(b.c.Floor.Areas) > 0, "tokens": b.c.HTTP.TokensFile != "",
	}}
	for i := range b.c.Reservations {
		if r := &b.c.Reservations[i]; r.Venue != "" && r.CredentialsFile != "" {
			c.Given["restaurant"] = true
		}
	}
	if b.pos != nil {
		c.Probe = func(ctx context.Context) (onboard.Info, error) {
			i, err := b.pos.adapter.Info(ctx)
			return onboard.Info{Online: i.Open, Devices: i.Devices}, err
		}
	}
	return c
}
