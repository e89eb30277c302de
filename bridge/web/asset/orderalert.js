// What of the orders waits for a person: to accept, not in the POS, to void there. A strip above the list, heard once
// for each order that is new to it.

import { $, get, h, icon, n, swap, t } from './base.js';
import { follow } from './shell.js';
import { Sound } from './sound.js';

const KINDS = [['waiting_accept', 'state=waiting_accept', 'orders.to_accept'], ['not_in_pos', 'in_pos=no', 'orders.alert'], ['to_void', 'void_pending=true', 'orders.void_tasks']];
const MOST = 50; // orders asked for of each kind
const GAP = 20e3; // ms until it is heard again while somebody has to accept

const known = new Set();
let sound, silent = false, first = true, again;

function ring(fresh, waiting) {
  clearTimeout(again);
  if (silent) return;
  if (fresh) { sound ??= new Sound(() => {}); sound.play('late'); }
  if (waiting) again = setTimeout(() => ring(true, true), GAP);
}

// alert follows the kinds and calls choose(kind) when a person wants to see one.
export function alert(choose) {
  const strip = $('alert');
  document.addEventListener('pointerdown', () => { sound ??= new Sound(() => {}); sound.wake(); }, { once: true });
  return follow(['order'], async () => {
    const lists = await Promise.all(KINDS.map(async ([kind, query, word]) => ({ kind, word, orders: (await get(`/v1/orders?${query}&limit=${MOST}`)).orders || [] })));
    const shown = lists.filter(l => l.orders.length);
    const ids = shown.flatMap(l => l.orders.map(o => l.kind + o.id)), fresh = ids.some(id => !known.has(id));
    known.clear();
    for (const id of ids) known.add(id);
    if (fresh && !first) silent = false;
    ring(fresh && !first, lists[0].orders.length > 0);
    first = false;
    strip.hidden = !shown.length;
    swap(strip, shown.map(l => h('button', { class: 'alert-part', type: 'button', data: { kind: l.kind, grade: l.kind === 'waiting_accept' ? 'warn' : 'bad' }, onclick: () => choose(l.kind) },
      h('span', { class: 'shape', 'aria-hidden': 'true' }), h('b', {}, n(l.word, l.orders.length)), h('span', {}, t('orders.show_them')))),
    shown.length > 0 && !silent && h('button', { class: 'quiet', type: 'button', id: 'silence', onclick: e => { silent = true; clearTimeout(again); e.currentTarget.remove(); } }, icon('bell'), h('span', {}, t('orders.silence'))));
  });
}
