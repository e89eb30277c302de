// standing.js grades what stands between a reservation and its order: with a word, a colour and a shape each.

import { t } from './base.js';

export const ORDER = { pending: 'warn', open: 'ok', failed: 'bad', closed: '' };

// trouble tells whether somebody has to look at a reservation. That the settings want no check of it is no trouble.
export const trouble = r => r.flags?.length > 0 || (r.order_state === 'failed' && r.problem !== 'order_creation_disabled');

export const LINK = { active: 'ok', pending: 'warn', disabling: 'warn', error: 'bad', linked_elsewhere: 'bad' };
// named gives what has no name of its own one.
export const named = link => link.platform === 'generic' ? { ...link, title: t('links.generic') } : link;
export const ON = new Set(['active', 'pending', 'error']);
