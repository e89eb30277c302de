// The clouds that the box is linked to: reservation platforms, and with kind delivery the delivery partners.

import { get } from './base.js';

// integrations lists those of a kind; none on a box whose configuration names no cloud.
export async function integrations(kind = '') {
  try {
    return ((await get('/v1/integrations')).integrations || []).filter(l => (l.kind || '') === kind);
  } catch (fault) {
    if (fault.status === 404) return [];
    throw fault;
  }
}
