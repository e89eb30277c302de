// The buttons that the settings of the platforms place on the screens of this till: its floor is the screen "tables", one
// check the screen "check". A till of another maker has screens and names of its own.

import { get } from './base.js';

const on = (button, screen) => !!button?.on && (button.all_menus || !!button.placements?.includes(screen));

// placed gives the platforms whose button, pay_by_deposit or manage_reservations, stands on a screen; none where that cannot be
// read.
export async function placed(name, screen) {
  const { integrations = [] } = await get('/v1/integrations').catch(() => ({}));
  return integrations.filter(l => l.kind !== 'delivery' && on(l.settings?.[name], screen)).map(l => l.platform);
}
