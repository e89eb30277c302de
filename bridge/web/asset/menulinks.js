// Links: which of a partner's items, modifier groups and modifiers is which of the POS; by hand where nothing fits.

import { $, call, get, h, icon, money, newKey, number, swap, t, when, word } from './base.js';
import { ask, follow, may, perform, say, sayFault, table, toast } from './shell.js';

const KINDS = ['item', 'modifier_group', 'modifier'];
const COUNT = { item: 'items', modifier_group: 'modifier_groups', modifier: 'modifiers' };
const PAGE = 100;

let place, source = '', kind = 'item', unlinked = true, term = '', list = [], next = '', sources = [], counts = {}, drawn = '', loaded = false;

const path = l => `/v1/menu/links/${encodeURIComponent(l.source)}/${l.kind}/${encodeURIComponent(l.id)}`;

function read() {
  const q = new URLSearchParams(location.search);
  source = q.get('source') || '';
  kind = KINDS.includes(q.get('kind')) ? q.get('kind') : 'item';
  unlinked = q.get('unlinked') !== '0';
}

function write() {
  const q = new URLSearchParams({ ...(source && { source }), kind, unlinked: unlinked ? '1' : '0' });
  history.replaceState(null, '', '/menus/links?' + q);
  list = []; drawn = ''; loaded = false;
  tools();
  all.run();
}

function tools() {
  swap($('link-sources'), sources.length > 1 && [...sources].map(m => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(m.source === source), onclick: () => { source = m.source; write(); } }, m.name)));
  swap($('link-kinds'), KINDS.map(k => h('button', { class: 'pill', type: 'button', data: { kind: k }, 'aria-pressed': String(k === kind), onclick: () => { kind = k; write(); } }, t('menus.kind.' + k), ' ', h('b', { class: counts[COUNT[k]] ? 'em' : 'soft' }, number(counts[COUNT[k]] || 0)))));
  $('only-unlinked').checked = unlinked;
}

function layout() {
  swap(place,
    h('div', { class: 'bar' },
      h('div', { class: 'chips', id: 'link-sources', role: 'group', 'aria-label': t('menus.menu') }), h('div', { class: 'chips', id: 'link-kinds', role: 'group', 'aria-label': t('menus.kinds') }),
      h('label', { class: 'find' }, icon('search'), h('span', { class: 'hide' }, t('menus.find')), h('input', { id: 'find', type: 'search', placeholder: t('menus.find'), value: term, maxlength: 60, autocomplete: 'off', spellcheck: 'false', oninput: e => type(e.target.value) })),
      h('label', { class: 'tick inline' }, h('input', { id: 'only-unlinked', type: 'checkbox', checked: unlinked, onchange: e => { unlinked = e.target.checked; write(); } }), h('span', {}, t('menus.only_unlinked')))),
    h('section', { class: 'sheet', id: 'links', 'aria-busy': 'true', 'aria-label': t('menus.part.links') }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))));
  tools();
}

let timer;
function type(value) {
  term = value.trim();
  clearTimeout(timer);
  timer = setTimeout(() => { list = []; drawn = ''; all.run(); }, 200);
}

// ---- choosing by hand

async function choose(l, button) {
  const found = h('div', { class: 'choices', role: 'radiogroup', 'aria-label': t('menus.pos_items') }), field = h('input', { id: 'pos-find', type: 'search', value: l.name, maxlength: 60, autocomplete: 'off', spellcheck: 'false' });
  let picked = '', asked = 0;
  const look = async () => {
    const mine = ++asked;
    const q = new URLSearchParams({ q: field.value.trim(), kind: l.kind, limit: 20 });
    try {
      const v = await get('/v1/menu/items?' + q);
      if (mine !== asked) return;
      picked = '';
      swap(found, (v.items || []).length ? v.items.map(i => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'pos-item', value: i.sku, onchange: () => { picked = i.sku; } }),
        h('span', {}, h('b', {}, i.name), ' ', h('small', { class: 'mono' }, i.sku), i.category && h('small', {}, i.category)), h('span', { class: 'num' }, money(i.price)))) : h('p', { class: 'soft' }, t('menus.pos_none')));
    } catch (fault) { swap(found, h('p', { class: 'fault' }, fault.message)); }
  };
  let wait;
  field.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(look, 200); });
  look();
  const wrong = h('p', { class: 'fault', role: 'alert' });
  if (!await ask(t('menus.link_title', l.name), l.price !== undefined && t('menus.link_effect', money(l.price)), t('menus.link_yes'), false, {
    body: h('div', { class: 'pick' }, h('label', { for: 'pos-find' }, t('menus.pos_find')), field, found, wrong), check: () => { wrong.textContent = picked ? '' : t('menus.pick'); return !!picked; },
  })) return;
  button.disabled = true;
  try {
    await call('PUT', path(l), { key: newKey(), body: { pos_id: picked } });
    toast(t('menus.linked', l.name), 'good');
    drawn = '';
    all.run();
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    button.disabled = false;
  }
}

async function unlink(l, button) {
  if (await perform(button, path(l), { method: 'DELETE', done: t('menus.unlinked_done', l.name) })) { drawn = ''; all.run(); }
}

const columns = () => [
  { head: t('menus.partner_name'), cell: l => [h('b', {}, l.name), l.path && h('small', {}, l.path)] },
  { head: t('menus.price'), num: true, cell: l => l.price === undefined ? '' : money(l.price) },
  { head: t('menus.pos_name'), cell: l => l.pos ? [h('span', {}, l.pos.name), h('small', { class: 'mono' }, l.pos.id)] : h('span', { class: 'pos', data: { grade: 'bad' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('menus.why.', l.why || 'not_linked')) },
  { head: t('menus.pos_price'), num: true, cell: l => l.pos?.price === undefined ? '' : money(l.pos.price) },
  { head: t('menus.method'), cell: l => l.method ? [word('menus.method.', l.method), l.method === 'manual' && l.by && h('small', {}, `${l.by} · ${when(l.at)}`)] : '' },
  ...may('manager') ? [{ head: '', cell: l => h('div', { class: 'row-acts' },
    h('button', { class: 'button small', data: { link: l.id }, onclick: e => choose(l, e.currentTarget) }, t(l.pos ? 'menus.change' : 'menus.link')),
    l.method === 'manual' && h('button', { class: 'button small', onclick: e => unlink(l, e.currentTarget) }, t('menus.unlink'))) }] : [],
];

const all = follow(['menu'], async () => {
  if (!place) return;
  if (!sources.length) {
    sources = (await get('/v1/menu')).menus || [];
    source ||= sources[0]?.source || '';
    if (!place) return;
    tools();
  }
  const q = new URLSearchParams({ source, kind, limit: PAGE, ...(unlinked && { unlinked: '1' }), ...(term && { q: term }) });
  const v = await get('/v1/menu/links?' + q);
  const sign = JSON.stringify([v, source, kind, unlinked]);
  if (!place || sign === drawn) return;
  drawn = sign;
  loaded = true;
  list = v.links || [];
  next = v.next || '';
  counts = v.unlinked || {};
  tools();
  draw();
});
all.fault = fault => {
  if (!place || (loaded && fault.status !== 403)) return;
  const words = h('div', { class: 'say' });
  swap($('links'), words);
  sayFault(words, fault, () => all.run());
};

function draw() {
  const box = $('links');
  box.setAttribute('aria-busy', 'false');
  if (!list.length) {
    const words = h('div', { class: 'say' });
    swap(box, words);
    say(words, t(unlinked && !term ? 'menus.all_linked' : 'menus.links_none'), t(unlinked && !term ? 'menus.all_linked_text' : 'menus.links_none_remedy'));
    return;
  }
  swap(box, table(columns(), list, 'links'), next && h('button', { class: 'quiet wide', id: 'more-links', onclick: more }, t('menus.more')));
}

async function more(e) {
  e.target.disabled = true;
  try {
    const q = new URLSearchParams({ source, kind, limit: PAGE, cursor: next, ...(unlinked && { unlinked: '1' }), ...(term && { q: term }) });
    const v = await get('/v1/menu/links?' + q);
    list = [...list, ...(v.links || [])];
    next = v.next || '';
    draw();
  } catch (fault) {
    toast(fault.message, 'bad');
    e.target.disabled = false;
  }
}

export const links = {
  open(where) {
    place = where;
    drawn = '';
    loaded = false;
    read();
    layout();
    all.run();
  },
  show() { read(); list = []; drawn = ''; tools(); all.run(); },
  close() { place = null; },
};
