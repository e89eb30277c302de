// End of day: what is left open at the POS, order by order, and totals that differ.

import { $, get, h, money, number, site, swap, t, word } from './base.js';
import { inPos } from './lamps.js';
import { follow, say, sayFault, table } from './shell.js';

// today is the business day as a date field writes it, in the venue's time.
function today() {
  const [hours, minutes] = site.dayClose.split(':').map(Number);
  return new Intl.DateTimeFormat('en-CA', { timeZone: site.timezone, dateStyle: 'short' }).format(Date.now() - ((hours || 0) * 60 + (minutes || 0)) * 60e3);
}

let place, wanted = today(), drawn = '';

const order = o => h('a', { href: '/orders/' + encodeURIComponent(o.id) }, t('order.number', o.number));
const from = o => [o.partner?.name, o.partner?.order_id].filter(Boolean).join(' ') || o.source;
const orderColumns = [
  { head: t('orders.number'), cell: order }, { head: t('orders.from'), cell: from }, { head: t('orders.total'), num: true, cell: o => money(o.total, o.currency) },
  { head: t('orders.state'), cell: o => word('order.state.', o.state) }, { head: t('orders.in_pos'), cell: o => inPos(o.in_pos) },
];
const differences = [
  { head: t('orders.number'), cell: d => order(d.order) }, { head: t('orders.from'), cell: d => from(d.order) },
  { head: t('delivery.partner_total'), num: true, cell: d => money(d.partner_total, d.order.currency) }, { head: t('delivery.pos_total'), num: true, cell: d => money(d.pos_total, d.order.currency) },
  { head: t('delivery.difference'), num: true, cell: d => h('b', {}, money(d.difference, d.order.currency)) }, { head: t('delivery.cause'), cell: d => word('injection.', d.cause) },
];

const block = (key, list, columns) => list?.length > 0 && h('section', { class: 'block', data: { list: key } }, h('h2', {}, t('delivery.day_' + key)), h('div', { class: 'sheet' }, table(columns, list, key)));

const all = follow(['order', 'delivery'], async () => {
  if (!place) return;
  const v = await get('/v1/delivery/day?day=' + wanted);
  const sign = JSON.stringify(v);
  if (!place || sign === drawn) return;
  drawn = sign;
  const totals = v.totals || {}, none = h('div', { class: 'sheet say block' });
  const figure = (key, value) => h('div', { class: 'figure' }, h('span', { class: 'figure-word' }, t('delivery.day_' + key)), h('span', { class: 'figure-value' }, number(value || 0)));
  const lists = [block('cancelled', v.cancelled_open, orderColumns), block('unclosed', v.unclosed, orderColumns), block('failed', v.failed, orderColumns), block('differences', v.differences, differences)].filter(Boolean);
  swap($('day-body'),
    h('section', { class: 'sheet pad' }, h('div', { class: 'figures five' }, figure('orders', totals.orders), figure('injected', totals.injected), figure('manual', totals.manual), figure('failed_count', totals.failed), figure('cancelled_count', totals.cancelled))),
    lists.length ? lists : none);
  if (!lists.length) say(none, t('delivery.day_none'), t('delivery.day_none_text'));
});
all.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap($('day-body'), words);
  sayFault(words, fault, () => all.run());
};

export const day = {
  open(where) {
    place = where;
    drawn = '';
    swap(place, h('div', { class: 'bar' }, h('label', { class: 'field-row' }, h('span', { class: 'hide' }, t('delivery.day')), h('input', { id: 'day-of', type: 'date', value: wanted, onchange: e => { wanted = e.target.value || today(); drawn = ''; all.run(); } }))),
      h('div', { id: 'day-body' }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'))));
    all.run();
  },
  show() {},
  close() { place = null; },
};
