// Links: which of a partner's items, modifier groups and modifiers is which of the POS; by hand where nothing fits.

import { $, call, get, h, icon, money, newKey, number, swap, t, when, word } from './base.js';
import { ask, follow, may, perform, say, sayFault, table, toast } from './shell.js';

const KINDS = ['item', 'group', 'modifier'];
const COUNT = { item: 'items', group: 'modifier_groups', modifier: 'modifiers' };
const PAGE = 100;

let place, menu = '', kind = 'item', unlinked = true, term = '', list = [], total = 0, menus = [], counts = {}, drawn = '', loaded = false;

const query = offset => '/v1/menu/links?' + new URLSearchParams({ menu, kind, limit: PAGE, offset, ...(unlinked && { unlinked: 'true' }), ...(term && { q: term }) });
const tie = (l, target) => ({ menu: l.menu, kind: l.kind, id: l.id, ...(l.group && { group: l.group }), target });

function read() {
  const q = new URLSearchParams(location.search);
  menu = q.get('menu') || menu;
  kind = KINDS.includes(q.get('kind')) ? q.get('kind') : 'item';
  unlinked = q.get('unlinked') !== '0';
}

function write() {
  const q = new URLSearchParams({ ...(menu && { menu }), kind, unlinked: unlinked ? '1' : '0' });
  history.replaceState(null, '', '/menus/links?' + q);
  list = []; drawn = ''; loaded = false;
  tools();
  all.run();
}

function tools() {
  swap($('link-menus'), menus.length > 1 && menus.map(m => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(m.menu === menu), onclick: () => { menu = m.menu; write(); } }, m.settings.name || m.title)));
  swap($('link-kinds'), KINDS.map(k => h('button', { class: 'pill', type: 'button', data: { kind: k }, 'aria-pressed': String(k === kind), onclick: () => { kind = k; write(); } }, t('menus.kind.' + k), ' ', h('b', { class: counts[COUNT[k]] ? 'em' : 'soft' }, number(counts[COUNT[k]] || 0)))));
  $('only-unlinked').checked = unlinked;
}

function layout() {
  swap(place,
    h('div', { class: 'bar' },
      h('div', { class: 'chips', id: 'link-menus', role: 'group', 'aria-label': t('menus.menu') }), h('div', { class: 'chips', id: 'link-kinds', role: 'group', 'aria-label': t('menus.kinds') }),
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
    try {
      const v = await get('/v1/menu/targets?' + new URLSearchParams({ q: field.value.trim(), kind: l.kind, limit: 20 }));
      if (mine !== asked) return;
      picked = '';
      swap(found, (v.targets || []).length ? v.targets.map(x => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'pos-item', value: x.target, onchange: () => { picked = x.target; } }),
        h('span', {}, h('b', {}, x.name), ' ', h('small', { class: 'mono' }, x.sku), x.within && h('small', {}, x.within)), x.kind !== 'group' && h('span', { class: 'num' }, money(x.price)))) : h('p', { class: 'soft' }, t('menus.pos_none')));
    } catch (fault) { swap(found, h('p', { class: 'fault' }, fault.message)); }
  };
  let wait;
  field.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(look, 200); });
  look();
  const wrong = h('p', { class: 'fault', role: 'alert' });
  if (!await ask(t('menus.link_title', l.name), l.kind === 'group' ? t('menus.link_effect_group') : t('menus.link_effect', money(l.price)), t('menus.link_yes'), false, {
    body: h('div', { class: 'pick' }, h('label', { for: 'pos-find' }, t('menus.pos_find')), field, found, wrong), check: () => { wrong.textContent = picked ? '' : t('menus.pick'); return !!picked; },
  })) return;
  button.disabled = true;
  try {
    await call('PUT', '/v1/menu/links', { key: newKey(), body: tie(l, picked) });
    toast(t('menus.linked', l.name), 'good');
    drawn = '';
    all.run();
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    button.disabled = false;
  }
}

async function unlink(l, button) {
  if (await perform(button, '/v1/menu/links', { method: 'PUT', body: tie(l, ''), done: t('menus.unlinked_done', l.name) })) { drawn = ''; all.run(); }
}

const columns = () => [
  { head: t('menus.partner_name'), cell: l => [h('b', {}, l.name), l.within && h('small', {}, l.within)] },
  ...kind === 'group' ? [] : [{ head: t('menus.price'), num: true, cell: l => money(l.price) }],
  { head: t('menus.pos_name'), cell: l => l.linked ? [h('span', {}, l.target_name || l.target || t('menus.method.virtual')), l.target_name && l.target && h('small', { class: 'mono' }, l.target)] : h('span', { class: 'pos', data: { grade: 'bad' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t(l.lost ? 'menus.why.gone' : 'menus.why.not_linked')) },
  { head: t('menus.method'), cell: l => l.linked ? [word('menus.method.', l.method), l.by && h('small', {}, `${l.by} · ${when(l.at)}`)] : '' },
  ...may('manager') ? [{ head: '', cell: l => h('div', { class: 'row-acts' },
    h('button', { class: 'button small', data: { link: l.id }, onclick: e => choose(l, e.currentTarget) }, t(l.linked ? 'menus.change' : 'menus.link')),
    l.method === 'manual' && h('button', { class: 'button small', onclick: e => unlink(l, e.currentTarget) }, t('menus.unlink'))) }] : [],
];

const all = follow(['menu'], async () => {
  if (!place) return;
  if (!menus.length) {
    menus = (await get('/v1/menu/menus')).menus || [];
    menu ||= menus[0]?.menu || '';
    if (!place) return;
    tools();
  }
  if (!menu) { draw(); return; }
  const v = await get(query(0));
  const sign = JSON.stringify([v, menu, kind, unlinked]);
  if (!place || sign === drawn) return;
  drawn = sign;
  loaded = true;
  list = v.links || [];
  total = v.total || 0;
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
  swap(box, table(columns(), list, 'links'), list.length < total && h('button', { class: 'quiet wide', id: 'more-links', onclick: more }, t('menus.more')));
}

async function more(e) {
  e.target.disabled = true;
  try {
    const v = await get(query(list.length));
    list = [...list, ...(v.links || [])];
    total = v.total || 0;
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
