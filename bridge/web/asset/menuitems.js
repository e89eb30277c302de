// Items: a menu as it would be published; sold out at once, and what a person changed on top of the POS.

import { $, amountOf, amountText, get, h, icon, money, number, swap, t, word } from './base.js';
import { field, mark } from './form.js';
import { ask, follow, may, perform, say, sayFault, table, toast } from './shell.js';

const PAGE = 100;
let place, menus = null, menu = '', term = '', edited = false, list = [], total = 0, drawn = '', loaded = false;

const current = () => menus?.find(m => m.menu === menu);

function layout() {
  swap(place,
    h('div', { class: 'bar' },
      h('div', { class: 'chips', id: 'item-menus', role: 'group', 'aria-label': t('menus.menu') }),
      h('label', { class: 'find wide-find' }, icon('search'), h('span', { class: 'hide' }, t('menus.find_item')), h('input', { id: 'find', type: 'search', placeholder: t('menus.find_item'), value: term, maxlength: 60, autocomplete: 'off', spellcheck: 'false', oninput: e => type(e.target.value) })),
      h('label', { class: 'tick inline' }, h('input', { id: 'only-edited', type: 'checkbox', checked: edited, onchange: e => { edited = e.target.checked; drawn = ''; all.run(); } }), h('span', {}, t('menus.only_edited'))),
      h('span', { class: 'soft counted', id: 'counted', role: 'status' })),
    h('section', { class: 'sheet', id: 'items', 'aria-busy': 'true', 'aria-label': t('menus.part.items') }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))));
}

function drawMenus() {
  swap($('item-menus'), menus.length > 1 && menus.map(m => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(m.menu === menu), onclick: () => { menu = m.menu; drawn = ''; drawMenus(); all.run(); } }, m.settings.name || m.title)));
}

let timer;
function type(value) {
  term = value.trim();
  clearTimeout(timer);
  timer = setTimeout(() => { drawn = ''; all.run(); }, 200);
}

const query = offset => '/v1/menu/items?' + new URLSearchParams({ menu, limit: PAGE, offset, ...(term && { q: term }), ...(edited && { edited: 'true' }) });

// ---- what a person changes on top of the POS (OTR-43, OTR-59, OTR-60)

const words = f => f.slug ? t('menus.price_at', f.slug) : f.field === 'hidden' ? t('menus.hidden_here') : word('menus.field_of.', f.field);
const shown = e => e.field === 'price' ? money(Number(e.value)) : e.field === 'hidden' ? '' : e.value;

async function edit(i, button) {
  const what = [{ field: 'price' }, ...(current()?.slugs || []).map(slug => ({ field: 'price', slug })), { field: 'name' }, { field: 'description' }, { field: 'photo' }, { field: 'hidden' }];
  const which = h('select', { id: 'e-what' }, what.map((f, at) => h('option', { value: String(at) }, words(f))));
  const value = h('input', { id: 'e-value', maxlength: 500, autocomplete: 'off' }), row = field(t('menus.value'), value, '/value');
  const locked = h('input', { id: 'e-locked', type: 'checkbox', checked: true });
  const chosen = () => what[Number(which.value)];
  const fill = () => {
    const f = chosen(), known = i.edits.find(e => e.field === f.field && (e.slug || '') === (f.slug || ''));
    row.hidden = f.field === 'hidden';
    value.inputMode = f.field === 'price' ? 'decimal' : 'text';
    value.value = f.field === 'price' ? amountText(known ? Number(known.value) : i.price) : known?.value ?? (f.field === 'name' ? i.name : '');
    mark(value, '');
  };
  which.addEventListener('change', fill);
  const ok = () => {
    const f = chosen(), text = value.value.trim();
    const fault = f.field === 'price' ? (Number.isNaN(amountOf(text)) ? t('menus.price_wrong') : '') : f.field === 'hidden' || text ? '' : t('menus.value_missing');
    mark(value, fault);
    if (fault) value.focus();
    return !fault;
  };
  const body = h('div', { class: 'overlay' }, h('div', { class: 'field-row' }, h('label', { for: 'e-what' }, t('menus.what')), which), row,
    h('label', { class: 'tick' }, locked, h('span', {}, h('b', {}, t('menus.locked')), h('span', { class: 'hint' }, t('menus.locked_hint')))));
  const title = current()?.settings.name || current()?.title || '';
  const answer = ask(t('menus.overlay_title', i.name, title), t('menus.overlay_effect', title), t('setup.save'), false, { check: ok, body });
  fill();
  if (!await answer) return;
  const f = chosen();
  const edited = { menu, kind: i.kind, id: i.id, ...(f.slug && { slug: f.slug }), field: f.field, value: f.field === 'price' ? String(amountOf(value.value.trim())) : f.field === 'hidden' ? 'true' : value.value.trim(), locked: locked.checked };
  if (await perform(button, '/v1/menu/edits', { method: 'PUT', body: edited, done: t('menus.overlay_saved', i.name) })) { drawn = ''; all.run(); }
}

async function restore(i, e, button) {
  if (await perform(button, '/v1/menu/edits/remove', { body: { menu, kind: e.kind, id: e.id, ...(e.slug && { slug: e.slug }), field: e.field }, done: t('menus.overlay_cleared', i.name) })) { drawn = ''; all.run(); }
}

async function sell(i, button) {
  const done = t(i.sold_out ? 'menus.back_done' : 'menus.sold_out_done', i.name);
  if (await perform(button, `/v1/menu/items/${encodeURIComponent(i.sku)}/${i.sold_out ? 'back' : 'sold-out'}`, { body: i.sold_out ? undefined : { name: i.name }, done })) { drawn = ''; all.run(); }
}

// ---- the list

const edits = i => i.edits.length > 0 && h('div', { class: 'edits' }, i.edits.map(e => h('span', { class: 'edit' }, words(e), shown(e) && h('b', {}, shown(e)), e.locked && h('small', {}, t('menus.locked_short')),
  may('manager') && h('button', { class: 'button small', 'aria-label': `${t('menus.as_pos')}: ${i.name}, ${words(e)}`, onclick: x => restore(i, e, x.currentTarget) }, t('menus.as_pos')))));

const columns = () => [
  { head: t('menus.item'), cell: i => [h('b', {}, i.name), h('small', { class: 'mono' }, i.sku), i.kind === 'modifier' && h('small', {}, t('menus.a_modifier')), i.hidden && h('small', {}, t('menus.hidden_item'))] },
  { head: t('menus.category'), cell: i => i.category || '' },
  { head: t('menus.price'), num: true, cell: i => [money(i.price), (i.prices || []).map(p => h('small', {}, `${p.slug || word('service.', p.service)} ${money(p.price)}`))] },
  { head: t('menus.changed_here'), cell: edits },
  { head: '', cell: i => h('div', { class: 'row-acts' }, may('manager') && h('button', { class: 'button small', id: 'edit-' + i.id, 'aria-label': `${t('menus.edit')}: ${i.name}`, onclick: e => edit(i, e.currentTarget) }, t('menus.edit')),
    i.sku && h('button', { class: 'button small' + (i.sold_out ? '' : ' danger'), id: 'sell-' + i.sku, onclick: e => sell(i, e.currentTarget) }, t(i.sold_out ? 'menus.back' : 'menus.sold_out'))) },
];

function draw() {
  const box = $('items');
  box.setAttribute('aria-busy', 'false');
  $('counted').textContent = total ? number(total) : '';
  if (!list.length) {
    const nothing = h('div', { class: 'say' });
    swap(box, nothing);
    say(nothing, t(term || edited ? 'menus.items_none' : 'menus.items_empty'), t(term || edited ? 'menus.items_none_remedy' : 'menus.no_catalogue_remedy'));
    return;
  }
  const focused = box.contains(document.activeElement) ? document.activeElement.id : '';
  swap(box, table(columns(), list, 'items'), list.length < total && h('button', { class: 'quiet wide', id: 'more-items', onclick: more }, t('menus.more')));
  if (focused) $(focused)?.focus({ preventScroll: true });
}

async function more(e) {
  e.target.disabled = true;
  try {
    const v = await get(query(list.length));
    list = [...list, ...(v.items || [])];
    total = v.total || 0;
    draw();
  } catch (fault) {
    toast(fault.message, 'bad');
    e.target.disabled = false;
  }
}

const all = follow(['menu', 'setting'], async () => {
  if (!place) return;
  if (!menus) {
    menus = (await get('/v1/menu/menus')).menus || [];
    menu ||= menus[0]?.menu || '';
    if (!place) return;
    drawMenus();
  }
  if (!menu) { draw(); return; }
  const v = await get(query(0));
  const sign = JSON.stringify([v, term, menu]);
  if (!place || sign === drawn) return;
  drawn = sign;
  loaded = true;
  list = v.items || [];
  total = v.total || 0;
  draw();
});
all.fault = fault => {
  if (!place || (loaded && fault.status !== 403)) return;
  const nothing = h('div', { class: 'say' });
  swap($('items'), nothing);
  sayFault(nothing, fault, () => all.run());
};

export const items = {
  open(where) {
    place = where;
    drawn = '';
    loaded = false;
    menus = null;
    layout();
    all.run();
  },
  close() { place = null; },
};
