// Messages of the delivery partners that were refused, and why.

import { get, h, swap, t, when } from './base.js';
import { integrations } from './integrations.js';
import { rows } from './rows.js';
import { follow } from './shell.js';

let place, list = null;

function make() {
  return rows({
    name: 'rejected', label: t('delivery.part.rejected'), id: m => m.at + m.title, empty: [t('delivery.rejected_empty'), t('delivery.rejected_empty_text')],
    columns: [
      { head: t('delivery.at'), text: m => when(m.at), value: m => m.at }, { head: t('delivery.source'), text: m => m.title }, { head: t('delivery.answer'), num: true, text: m => String(m.status), value: m => m.status },
      { head: t('delivery.cause'), text: m => m.reason }, { head: t('delivery.order'), text: m => m.order || '' },
    ],
  });
}

const all = follow(['delivery'], async () => {
  if (!place) return;
  const messages = await Promise.all((await integrations('delivery')).map(async l => ((await get(`/v1/integrations/${encodeURIComponent(l.platform)}/rejected`)).rejected || []).map(m => ({ ...m, title: l.title }))));
  if (place) list.set(messages.flat().sort((a, b) => b.at.localeCompare(a.at)));
});
all.fault = fault => { if (place) list.fault(fault, () => all.run()); };

export const rejected = {
  open(where) {
    place = where;
    list = make();
    swap(place, h('div', { class: 'list-tools' }, list.tools), list.place);
    all.run();
  },
  close() { place = null; },
};
