// Rejected messages: what a platform sent and the box refused, so that a reservation that is missing can be explained.

import { day, get, h, seconds, swap, t } from './base.js';
import { integrations } from './integrations.js';
import { rows } from './rows.js';
import { follow } from './shell.js';
import { named } from './standing.js';

let place = null, table, links = [], till = null;

const title = name => links.find(l => l.platform === name)?.title || (till?.till === name ? till.title : name);

const reasonOf = m => t('rejected.status.' + (m.status === 401 || m.status === 404 || m.status === 413 || m.status === 422 ? m.status : 'any'));

function layout() {
  table = rows({
    name: 'rejected', label: t('activity.part.rejected'), id: m => [m.platform, m.at, m.hash, m.reason].join(' '), empty: [t('rejected.empty'), t('rejected.empty_remedy')],
    columns: [
      { head: t('orders.time'), text: m => m.at, cell: m => { const at = Date.parse(m.at); return h('span', { class: 'time' }, h('small', {}, day(at)), seconds(at)); } },
      { head: t('synced.platform'), text: m => title(m.platform) },
      { head: t('rejected.answer'), text: m => `${m.status} ${reasonOf(m)}`, cell: m => h('span', { class: 'pos', data: { grade: 'warn' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), reasonOf(m), h('small', {}, String(m.status))) },
      { head: t('rejected.reservation'), text: m => m.reservation || '', cell: m => m.reservation && h('span', { class: 'mono' }, m.reservation) },
      { head: t('rejected.reason'), text: m => m.reason, cell: m => h('span', { class: 'told' }, m.reason) },
      { head: t('rejected.hash'), value: null, text: m => m.hash || '', cell: m => m.hash && h('span', { class: 'mono soft', title: m.hash }, m.hash.slice(0, 12) + '…') },
    ],
  });
  swap(place, h('p', { class: 'lead' }, t('rejected.lead')), h('ul', { class: 'shares', id: 'shares' }), h('div', { class: 'list-tools' }, table.tools), table.place);
}

const list = follow(['integration'], async () => {
  if (!place) return;
  links = (await integrations()).map(named);
  const each = await Promise.all(links.map(async l => (await get(`/v1/integrations/${encodeURIComponent(l.platform)}/rejected`)).rejected.map(m => ({ ...m, platform: l.platform }))));
  till = await get('/v1/pos/rejected');
  each.push(till.rejected.map(m => ({ ...m, platform: till.till, reservation: m.about })));
  if (!place) return;
  const shares = place.querySelector('#shares');
  swap(shares, links.map(l => h('li', {}, h('b', {}, l.title), ' ', t(l.capabilities.bookings ? 'rejected.shares_all' : l.capabilities.seated_opens ? 'rejected.shares_seated' : 'rejected.shares_none'))));
  table.set(each.flat().sort((a, b) => a.at < b.at ? 1 : -1));
});
list.fault = fault => { if (place) table.fault(fault, () => list.run()); };

export const rejected = {
  open(into) { place = into; layout(); list.run(); },
  close() { place = null; },
};
