// Messages of the delivery partners that were refused, and why.

import { get, h, swap, t, when, word } from './base.js';
import { rows } from './rows.js';
import { follow } from './shell.js';

let place, list = null;

function make() {
  return rows({
    name: 'rejected', label: t('delivery.part.rejected'), id: m => m.at + m.source, empty: [t('delivery.rejected_empty'), t('delivery.rejected_empty_text')],
    columns: [
      { head: t('delivery.at'), text: m => when(m.at), value: m => m.at }, { head: t('delivery.source'), text: m => m.source }, { head: t('delivery.cause'), text: m => word('delivery.cause.', m.cause) },
      { head: t('delivery.detail'), text: m => m.detail || '', cell: m => [m.detail, m.excerpt && h('small', { class: 'mono' }, m.excerpt)] },
    ],
  });
}

const all = follow(['delivery'], async () => {
  if (!place) return;
  const v = await get('/v1/delivery/rejected');
  if (place) list.set(v.messages || []);
});
all.fault = fault => { if (place) list.fault(fault, () => all.run()); };

export const rejected = {
  open(where) {
    place = where;
    list = make();
    swap(place, h('div', { class: 'list-tools' }, list.tools), list.place);
    all.run();
  },
  show() {},
  close() { place = null; },
};
