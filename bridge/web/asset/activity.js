// Integration activity: the synced reservations, and the messages that were refused.

import { $, get, swap, t, when, word } from './base.js';
import { rows } from './rows.js';
import { follow } from './shell.js';

const table = rows({
  name: 'reservations', label: t('activity.part.synced'), id: r => r.id, empty: [t('synced.empty'), t('synced.empty_remedy')],
  columns: [
    { head: t('synced.scheduled'), text: r => when(r.scheduled_at), value: r => r.scheduled_at },
    { head: t('synced.guest'), text: r => r.guest },
    { head: t('synced.tables'), text: r => r.tables.join(', ') },
    { head: t('synced.state'), text: r => word('booking.', r.state) },
    { head: t('synced.order_state'), text: r => word('link.', r.order_state) },
    { head: t('synced.problem'), text: r => word('problem.', r.problem) },
  ],
});
swap($('body'), table.tools, table.place);

const list = follow(['reservation'], async () => { table.set((await get('/v1/reservations')).reservations); });
list.fault = fault => table.fault(fault, () => list.run());
