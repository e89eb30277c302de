// End of day: what of today's delivery orders is left for somebody to look after.

import { get, h, money, number, swap, t, when, word } from './base.js';
import { inPos } from './lamps.js';
import { follow, say, sayFault, table } from './shell.js';

const LISTS = ['to_void', 'not_in_pos', 'changed', 'unpaid', 'open', 'differences'];
let place, drawn = '';

const columns = [
  { head: t('orders.number'), cell: o => h('a', { href: '/orders/' + encodeURIComponent(o.id) }, t('order.number', o.number)) },
  { head: t('orders.from'), cell: o => [o.partner || o.aggregator, ' ', h('span', { class: 'mono' }, o.friendly_id)] },
  { head: t('orders.total'), num: true, cell: o => money(o.total, o.currency) },
  { head: t('orders.state'), cell: o => word('order.state.', o.state) },
  { head: t('orders.in_pos'), cell: o => [inPos(o.in_pos), o.cause && h('small', {}, word('injection.', o.cause))] },
];
const own = {
  differences: [...columns.slice(0, 3), { head: t('delivery.pos_total'), num: true, cell: o => money(o.pos_total, o.currency) }, { head: t('delivery.difference'), num: true, cell: o => h('b', {}, money(o.total - o.pos_total, o.currency)) }],
  unpaid: [...columns, { head: t('delivery.collect'), num: true, cell: o => o.collect ? money(o.collect, o.currency) : '' }],
};

const all = follow(['order', 'delivery'], async () => {
  if (!place) return;
  const v = await get('/v1/delivery/day-end');
  const sign = JSON.stringify(v);
  if (!place || sign === drawn) return;
  drawn = sign;
  const lists = LISTS.filter(k => v[k]?.length), none = h('div', { class: 'sheet say' });
  swap(place, h('p', { class: 'notice' }, t('delivery.day_since', when(v.since))),
    h('section', { class: 'sheet pad' }, h('div', { class: 'figures six' }, LISTS.map(k => h('div', { class: 'figure', data: { state: v[k]?.length && (k === 'to_void' || k === 'not_in_pos') ? 'over' : '' } }, h('span', { class: 'figure-word' }, t('delivery.day_' + k)), h('span', { class: 'figure-value' }, number(v[k]?.length || 0)))))),
    lists.length ? lists.map(k => h('section', { class: 'block', data: { list: k } }, h('h2', {}, t('delivery.day_' + k)), h('p', { class: 'soft' }, t(`delivery.day_${k}_text`)), h('div', { class: 'sheet' }, table(own[k] || columns, v[k], k)))) : h('div', { class: 'block' }, none));
  if (!lists.length) say(none, t('delivery.day_none'), t('delivery.day_none_text'));
});
all.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap(place, words);
  sayFault(words, fault, () => all.run());
};

export const day = {
  open(where) {
    place = where;
    drawn = '';
    swap(place, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i')));
    all.run();
  },
  close() { place = null; },
};
