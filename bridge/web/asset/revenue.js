// Revenue: what no rule assigns, what waits for the next batch, and the batches with what the hotel answered.

import { $, clock, day, get, h, money, swap, t, word } from './base.js';
import { standing } from './posting.js';
import { ask, follow, perform, sayFault, table } from './shell.js';

let place, drawn = '';

const any = value => !value || value === 'any' ? h('span', { class: 'soft' }, t('revenue.any')) : value;

function assign(w) {
  const q = new URLSearchParams({ outlet: w.outlet, pos_config: w.pos_config, floor_plan: w.floor_plan, group: w.group });
  return h('a', { class: 'button small', href: '/hotel/setup?' + q }, t('revenue.assign'));
}

const waitingColumns = [
  { head: t('posting.outlet'), cell: w => any(w.outlet) },
  { head: t('revenue.group'), cell: w => h('b', {}, w.group || '–') },
  { head: t('revenue.pos_config'), cell: w => any(w.pos_config) },
  { head: t('revenue.floor_plan'), cell: w => any(w.floor_plan) },
  { head: t('posting.period'), cell: w => w.period },
  { head: t('posting.amount'), num: true, cell: w => money(w.amount) },
];

function batches(list) {
  return table([
    { head: t('revenue.number'), cell: b => h('b', {}, String(b.number)) },
    { head: t('revenue.slot'), cell: b => { const at = Date.parse(b.slot_end); return h('span', { class: 'time' }, h('small', {}, day(at)), clock(at)); } },
    { head: t('posting.outlet'), cell: b => b.outlet },
    { head: t('posting.period'), cell: b => b.period },
    { head: t('posting.amount'), num: true, cell: b => money(b.total) },
    { head: t('posting.state'), cell: b => b.posting ? h('a', { href: '/hotel/postings/' + encodeURIComponent(b.posting) }, standing(b.state)) : h('span', { class: 'soft' }, t('revenue.nothing')) },
    { head: t('posting.answer'), cell: b => b.reason ? word('refusal.', b.reason) : b.state === 'unknown' ? t('refusal.unknown') : '' },
    { head: '', cell: b => b.state === 'refused' && h('button', { class: 'button small', onclick: async e => {
      const button = e.currentTarget;
      if (await ask(t('revenue.retry_title', b.number), t('revenue.retry_effect', money(b.total)), t('revenue.retry'))) {
        await perform(button, `/v1/pms/revenue/${encodeURIComponent(b.id)}/retry`, { done: t('revenue.retry_done', b.number) });
        books.run();
      }
    } }, t('revenue.retry')) },
  ], list, 'batches');
}

const books = follow(['posting', 'check', 'setting'], async () => {
  if (!place) return;
  const v = await get('/v1/pms/revenue?limit=100');
  const sign = JSON.stringify(v);
  if (!place || sign === drawn) return;
  drawn = sign;
  const waiting = v.waiting || [], unmapped = waiting.filter(w => !w.mapped), mapped = waiting.filter(w => w.mapped);
  swap(place,
    unmapped.length > 0 && h('section', { class: 'sheet unknowns', id: 'unmapped', data: { grade: 'warn' } },
      h('header', {}, h('span', { class: 'shape', 'aria-hidden': 'true' }), h('h2', {}, t('revenue.unmapped'))), h('p', {}, t('revenue.unmapped_remedy')),
      table([...waitingColumns, { head: '', cell: assign }], unmapped)),
    h('section', { class: 'block' }, h('h2', {}, t('revenue.waiting')), h('div', { class: 'sheet' }, mapped.length ? table(waitingColumns, mapped) : h('p', { class: 'pad-text soft' }, t('revenue.waiting_none')))),
    h('section', { class: 'block' }, h('h2', {}, t('revenue.batches')), h('div', { class: 'sheet' }, v.batches?.length ? batches(v.batches) : h('p', { class: 'pad-text soft' }, t('revenue.batches_none')))));
});
books.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const box = h('div', { class: 'sheet say' });
  swap(place, box);
  sayFault(box, fault, () => books.run());
};

export const revenue = {
  open(where) {
    place = where;
    drawn = '';
    swap(place, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
    books.run();
  },
  close() { place = undefined; },
};
