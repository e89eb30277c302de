// Items: the POS's catalogue as partners see it; sold out at once, and what a channel has different (the overlay).

import { $, amountOf, amountText, call, get, h, icon, money, newKey, number, swap, t } from './base.js';
import { field, mark } from './form.js';
import { ask, follow, may, perform, say, sayFault, table, toast } from './shell.js';

const PAGE = 100;
let place, term = '', list = [], next = '', menus = null, drawn = '', loaded = false;

function layout() {
  swap(place,
    h('div', { class: 'bar' },
      h('label', { class: 'find wide-find' }, icon('search'), h('span', { class: 'hide' }, t('menus.find_item')), h('input', { id: 'find', type: 'search', placeholder: t('menus.find_item'), value: term, maxlength: 60, autocomplete: 'off', spellcheck: 'false', oninput: e => type(e.target.value) })),
      h('span', { class: 'soft counted', id: 'counted', role: 'status' })),
    h('section', { class: 'sheet', id: 'items', 'aria-busy': 'true', 'aria-label': t('menus.part.items') }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))));
}

let timer;
function type(value) {
  term = value.trim();
  clearTimeout(timer);
  timer = setTimeout(() => { drawn = ''; all.run(); }, 200);
}

const query = cursor => '/v1/menu/items?' + new URLSearchParams({ limit: PAGE, ...(term && { q: term }), ...(cursor && { cursor }) });

// ---- what a channel has different (OTR-43, OTR-59, OTR-60)

async function edit(i, m, button) {
  const c = i.channels?.[m.source] || {};
  const price = h('input', { id: 'o-price', inputmode: 'decimal', value: c.price === undefined ? '' : amountText(c.price), placeholder: amountText(i.price), maxlength: 12, autocomplete: 'off' });
  const name = h('input', { id: 'o-name', value: c.name || '', placeholder: i.name, maxlength: 120, autocomplete: 'off' });
  const text = h('input', { id: 'o-text', value: c.description || '', maxlength: 500, autocomplete: 'off' });
  const locked = h('input', { id: 'o-locked', type: 'checkbox', checked: c.locked ?? true });
  const ok = () => {
    const bad = price.value.trim() && Number.isNaN(amountOf(price.value.trim()));
    mark(price, bad ? t('menus.price_wrong') : '');
    if (bad) price.focus();
    return !bad;
  };
  if (!await ask(t('menus.overlay_title', i.name, m.name), t('menus.overlay_effect', m.name), t('setup.save'), false, { check: ok, body: h('div', { class: 'overlay' },
    field(t('menus.price'), price, '/price', t('menus.price_pos', money(i.price))), field(t('menus.name'), name, '/name'), field(t('menus.description'), text, '/description'),
    h('label', { class: 'tick' }, locked, h('span', {}, h('b', {}, t('menus.locked')), h('span', { class: 'hint' }, t('menus.locked_hint'))))) })) return;
  const value = { locked: locked.checked, ...(price.value.trim() && { price: amountOf(price.value.trim()) }), ...(name.value.trim() && { name: name.value.trim() }), ...(text.value.trim() && { description: text.value.trim() }) };
  button.disabled = true;
  try {
    await call('PUT', overlayPath(i, m), { key: newKey(), body: value });
    toast(t('menus.overlay_saved', i.name), 'good');
    drawn = '';
    all.run();
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.problem.errors?.[0]?.detail || fault.message, 'bad');
    button.disabled = false;
  }
}

const overlayPath = (i, m) => `/v1/menu/items/${encodeURIComponent(i.sku)}/channels/${encodeURIComponent(m.source)}`;

async function clear(i, m, button) {
  if (await perform(button, overlayPath(i, m), { method: 'DELETE', done: t('menus.overlay_cleared', i.name) })) { drawn = ''; all.run(); }
}

async function sell(i, button) {
  const done = t(i.sold_out ? 'menus.back_done' : 'menus.sold_out_done', i.name);
  if (await perform(button, `/v1/menu/items/${encodeURIComponent(i.sku)}/${i.sold_out ? 'back' : 'sold-out'}`, { done })) { drawn = ''; all.run(); }
}

// ---- the list

function channel(i, m) {
  const c = i.channels?.[m.source];
  if (i.hidden) return h('span', { class: 'soft' }, '–');
  const what = c && (c.price !== undefined || c.name || c.description);
  return h('div', { class: 'channel' },
    h('span', {}, money(c?.price ?? i.price), c?.price !== undefined && h('small', {}, t('menus.own_price'))), c?.delivery_only && h('small', {}, t('menus.delivery_only')), c?.locked && what && h('small', {}, t('menus.locked_short')),
    may('manager') && h('button', { class: 'button small', id: `edit-${i.sku}-${m.source}`, 'aria-label': t('menus.edit') + ': ' + t('menus.overlay_title', i.name, m.name), onclick: e => edit(i, m, e.currentTarget) }, t('menus.edit')),
    may('manager') && what && h('button', { class: 'button small', 'aria-label': t('menus.overlay_clear', i.name, m.name), onclick: e => clear(i, m, e.currentTarget) }, t('menus.as_pos')));
}

const columns = () => [
  { head: t('menus.item'), cell: i => [h('b', {}, i.name), h('small', { class: 'mono' }, i.sku), i.hidden && h('small', {}, t('menus.hidden_item')), i.variation_of && h('small', {}, t('menus.variation_of', i.variation_of))] },
  { head: t('menus.category'), cell: i => i.category || '' },
  { head: t('menus.pos_price'), num: true, cell: i => money(i.price) },
  ...(menus || []).map(m => ({ head: m.name, cell: i => channel(i, m) })),
  { head: t('menus.sale'), num: true, cell: i => h('button', { class: 'button small' + (i.sold_out ? '' : ' danger'), id: 'sell-' + i.sku, onclick: e => sell(i, e.currentTarget) }, t(i.sold_out ? 'menus.back' : 'menus.sold_out')) },
];

function draw() {
  const box = $('items');
  box.setAttribute('aria-busy', 'false');
  $('counted').textContent = next ? '' : number(list.length);
  if (!list.length) {
    const words = h('div', { class: 'say' });
    swap(box, words);
    say(words, t(term ? 'menus.items_none' : 'menus.items_empty'), t(term ? 'menus.items_none_remedy' : 'menus.no_catalogue_remedy'));
    return;
  }
  const focused = box.contains(document.activeElement) ? document.activeElement.id : '';
  swap(box, table(columns(), list, 'items'), next && h('button', { class: 'quiet wide', id: 'more-items', onclick: more }, t('menus.more')));
  if (focused) $(focused)?.focus({ preventScroll: true });
}

async function more(e) {
  e.target.disabled = true;
  try {
    const v = await get(query(next));
    list = [...list, ...(v.items || [])];
    next = v.next || '';
    draw();
  } catch (fault) {
    toast(fault.message, 'bad');
    e.target.disabled = false;
  }
}

const all = follow(['menu', 'setting'], async () => {
  if (!place) return;
  menus ??= (await get('/v1/menu')).menus || [];
  const v = await get(query());
  const sign = JSON.stringify([v, term]);
  if (!place || sign === drawn) return;
  drawn = sign;
  loaded = true;
  list = v.items || [];
  next = v.next || '';
  draw();
});
all.fault = fault => {
  if (!place || (loaded && fault.status !== 403)) return;
  const words = h('div', { class: 'say' });
  swap($('items'), words);
  sayFault(words, fault, () => all.run());
};

export const items = {
  open(where) {
    place = where;
    drawn = '';
    loaded = false;
    layout();
    all.run();
  },
  show() {},
  close() { place = null; },
};
