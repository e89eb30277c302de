// The menus, a tile each: the three counters of what is not linked, when it was synced, what it takes over.

import { $, get, h, n, newKey, number, swap, t, when, word } from './base.js';
import { field, setting } from './form.js';
import { ask, follow, may, perform, say, sayFault } from './shell.js';

const KINDS = ['items', 'modifier_groups', 'modifiers'];
const LINK = { items: 'item', modifier_groups: 'group', modifiers: 'modifier' };
const FIELDS = ['name', 'price', 'description', 'photo', 'availability', 'hours', 'taxes', 'modifiers', 'new_items', 'removed_items', 'organisation'];

let place, drawn = '', open = ''; // the menu whose settings are open
const forms = new Map(); // menu -> form

const mark = (grade, text) => h('span', { class: 'state', data: { grade } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), text);
const nameOf = m => m.settings.name || m.title;

function standing(m) {
  const sum = KINDS.reduce((a, k) => a + (m.unlinked?.[k] || 0), 0);
  if (m.asking) return mark('bad', t('menurun.state.asking'));
  if (m.last_run?.state === 'failed') return mark('bad', t('menus.state.error'));
  if (sum) return mark('warn', n('menus.unlinked', sum));
  return m.last_run ? mark('ok', t('menus.state.ok')) : mark('warn', t('menus.state.never'));
}

// ---- the three counters (OTR-64): green at zero, and each leads to what it counts

const counter = (m, kind) => {
  const count = m.unlinked?.[kind] || 0;
  return h('a', { class: 'counter', href: `/menus/links?menu=${encodeURIComponent(m.menu)}&kind=${LINK[kind]}&unlinked=1`, data: { grade: count ? 'warn' : 'ok', kind } },
    h('span', { class: 'shape', 'aria-hidden': 'true' }), h('b', {}, number(count)), h('span', {}, t('menus.unlinked.' + kind)));
};

function lastRun(r) {
  if (!r) return t('menus.never');
  const changes = (r.added || 0) + (r.changed || 0) + (r.removed || 0);
  return [h('a', { href: '/menus/history/' + encodeURIComponent(r.id) }, when(r.ended_at || r.started_at || r.queued_at)), ' · ', word('menurun.state.', r.state), changes > 0 && ' · ' + n('menus.changes', changes)];
}

function tile(m) {
  const s = m.settings, busy = ['queued', 'running', 'publishing'].includes(m.last_run?.state);
  return h('article', { class: 'tile menu', data: { menu: m.menu, grade: m.asking || m.last_run?.state === 'failed' ? 'bad' : undefined } },
    h('header', {}, h('h2', {}, nameOf(m)), standing(m)),
    h('div', { class: 'counters', role: 'group', 'aria-label': t('menus.counters') }, KINDS.map(k => counter(m, k))),
    m.asking && guard(m),
    m.sold_out_there?.length > 0 && alone(m),
    m.last_run?.state === 'failed' && h('p', { class: 'p-why', data: { grade: 'bad' } }, [word('menu.cause.', m.last_run.cause), m.last_run.detail].filter(Boolean).join(' · ')),
    m.prerequisites.length > 0 && h('section', { class: 'p-why', data: { grade: 'warn' } }, h('b', {}, t('menus.prerequisites')), h('ul', {}, m.prerequisites.map(p => h('li', {}, p)))),
    h('dl', { class: 'facts' },
      fact('menus.last', lastRun(m.last_run)),
      fact('menus.next', s.auto_update ? m.next_at ? when(m.next_at) : '–' : t('menus.by_hand')),
      fact('menus.takes', (s.fields || []).map(f => word('menus.field.', f)).join(', ')),
      fact('menus.publish', m.publishable ? [t(s.auto_publish ? 'menus.publish_self' : 'menus.publish_hand'), m.unpublished > 0 && ' · ' + n('menus.unpublished', m.unpublished)] : t('menus.publish_not'))),
    may('manager') && h('footer', {},
      h('button', { class: 'button primary', id: 'sync-' + m.menu, disabled: busy, onclick: e => sync(m, e.currentTarget, false) }, t('menus.sync')),
      m.publishable && h('button', { class: 'button', id: 'publish-' + m.menu, disabled: busy || m.prerequisites.length > 0, onclick: e => sync(m, e.currentTarget, true) }, t('menus.sync_publish')),
      h('button', { class: 'button', id: 'settings-' + m.menu, 'aria-expanded': String(open === m.menu), onclick: () => { open = open === m.menu ? '' : m.menu; drawn = ''; all.run(); } }, t('menus.settings'))),
    open === m.menu && forms.get(m.menu)?.form);
}

const fact = (key, value) => h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value));

// guard asks before a catalogue that lost much takes items off a menu (spec delivery.md 6.3).
function guard(m) {
  const r = m.last_run || {}, g = r.guard || {};
  const decide = async (button, verb, done) => {
    if (verb === 'confirm' && !await ask(t('menus.guard_title', nameOf(m)), t('menus.guard_effect', number(g.gone || 0)), t('menus.guard_yes'), true)) return;
    await perform(button, `/v1/menu/sync/${encodeURIComponent(r.id)}/${verb}`, { done: t(done, nameOf(m)) });
    all.run();
  };
  return h('section', { class: 'p-why', data: { grade: 'bad' }, role: 'alert' },
    h('b', {}, t('menus.guard')), h('p', {}, t('menus.guard_text', number(g.gone || 0), number(g.had || 0))),
    may('manager') && h('div', { class: 'row-acts' }, h('button', { class: 'button small', id: 'dismiss-' + m.menu, onclick: e => decide(e.currentTarget, 'dismiss', 'menus.dismissed') }, t('menus.dismiss')),
      h('button', { class: 'button small danger', id: 'guard-' + m.menu, onclick: e => decide(e.currentTarget, 'confirm', 'menus.syncing') }, t('menus.guard_button'))));
}

// alone lists what the partner has sold out by itself: a person decides which of the two is right.
function alone(m) {
  const acts = (e, i) => may('manager', 'staff') && h('span', { class: 'row-acts' },
    h('button', { class: 'button small', id: `resell-${m.menu}-${i}`, onclick: async b => { await perform(b.currentTarget, `/v1/menu/menus/${encodeURIComponent(m.menu)}/resell`, { body: { id: e.id }, done: t('menus.resold', e.name, nameOf(m)) }); all.run(); } }, t('menus.resell')),
    h('button', { class: 'button small', id: `out-${m.menu}-${i}`, onclick: async b => { await perform(b.currentTarget, `/v1/menu/items/${encodeURIComponent(e.sku)}/sold-out`, { body: { name: e.name }, done: t('menus.out_here_done', e.name) }); all.run(); } }, t('menus.out_here')));
  return h('section', { class: 'p-why alone', data: { grade: 'warn' } }, h('b', {}, t('menus.alone', nameOf(m), number(m.sold_out_there.length))),
    h('ul', {}, m.sold_out_there.slice(0, 20).map((e, i) => h('li', {}, h('span', {}, h('b', {}, e.name), e.until && ' ' + t('menus.alone_until', when(e.until))), acts(e, i)))));
}

async function sync(m, button, publish) {
  if (publish && !await ask(t('menus.publish_title', nameOf(m)), t('menus.publish_effect', nameOf(m)), t('menus.publish_yes'))) return;
  await perform(button, '/v1/menu/sync', { body: { menu: m.menu, update: true, publish }, done: t('menus.syncing', nameOf(m)) });
  all.run();
}

// ---- settings of one menu (OTR-38 to OTR-42)

const SERVICES = ['delivery', 'pickup', 'dine_in'];

// categories gives the POS's categories as far as the menu's items tell, by id.
async function categories(m) {
  const all = new Map((m.settings.parts || []).flatMap(p => p.categories || []).map(id => [id, id]));
  for (const i of (await get('/v1/menu/items?' + new URLSearchParams({ menu: m.menu, limit: 500 }))).items || []) if (i.kind === 'item' && i.category_id) all.set(i.category_id, i.category);
  return all;
}

// menuPart draws one of the menus that guests see (OTR-37): its name, what it takes, and how it is sold.
function menuPart(p, all, changed) {
  const tick = (name, value, on, text) => h('label', { class: 'tick' }, h('input', { type: 'checkbox', name, value, checked: on }), h('span', {}, text));
  const r = h('fieldset', { class: 'fields-of menu-part', data: { id: p.id } },
    h('legend', {}, h('input', { class: 'part-name', value: p.name, maxlength: 60, autocomplete: 'off', 'aria-label': t('menus.name'), placeholder: t('menus.name') })),
    SERVICES.map(s => tick('service', s, !p.services?.length || p.services.includes(s), t('service.' + s))), [...all].map(([id, name]) => tick('category', id, !p.categories?.length || p.categories.includes(id), name)),
    h('button', { class: 'button small', type: 'button', onclick: () => { r.remove(); changed(); } }, t('setup.remove')));
  return r;
}

// partsOf reads them; everything ticked is the same as nothing chosen.
const partsOf = form => [...form.querySelectorAll('.menu-part')].map(r => {
  const chosen = name => { const all = [...r.querySelectorAll(`[name=${name}]`)], on = all.filter(i => i.checked); return on.length === all.length ? [] : on.map(i => i.value); };
  return { id: r.dataset.id, name: r.querySelector('.part-name').value.trim(), categories: chosen('category'), services: chosen('service') };
});

function settingsForm(m, groups) {
  const id = name => `menu-${name}`;
  const fresh = () => { forms.delete(m.menu); drawn = ''; all.run(); };
  return setting({
    path: '/v1/menu/menus/' + encodeURIComponent(m.menu), member: '', current: { value: m.settings, revision: m.revision }, saved: () => { open = ''; fresh(); }, reload: fresh,
    draw: (v, changed) => {
      const update = tick('update', v.auto_update, () => { publish.input.disabled = !update.input.checked; if (publish.input.disabled) publish.input.checked = false; changed(); });
      const publish = tick('publish', v.auto_publish, changed);
      publish.input.disabled = !v.auto_update;
      const every = h('select', { id: id('every') }, [...new Set([60, 180, 360, 720, 1440, v.every_minutes])].filter(Boolean).sort((a, b) => a - b).map(x =>
        h('option', { value: String(x), selected: x === v.every_minutes }, x % 60 ? n('menus.minutes', x) : n('menus.hours', x / 60))));
      const parts = h('div', { class: 'menu-parts' }, (v.parts || []).map(p => menuPart(p, groups, changed)));
      return [field(t('menus.name'), h('input', { id: id('name'), value: v.name, maxlength: 60, autocomplete: 'off' }), '/name'), field(t('menus.every'), every, '/every_minutes'), update.label, publish.label,
        h('fieldset', { class: 'fields-of' }, h('legend', {}, t('menus.fields')), FIELDS.map(f => h('label', { class: 'tick' }, h('input', { type: 'checkbox', name: 'menu-field', value: f, checked: v.fields?.includes(f) }), h('span', {}, t('menus.field.' + f))))),
        tick('match', v.match_by_name, changed).label,
        h('h3', {}, t('menus.parts_title')), h('p', { class: 'hint' }, t('menus.parts_hint')), parts,
        h('button', { class: 'button small', type: 'button', id: 'add-part', onclick: () => { parts.append(menuPart({ id: newKey().slice(0, 8), name: '' }, groups, changed)); parts.lastElementChild.querySelector('.part-name').focus(); changed(); } }, t('menus.parts_add'))];
    },
    read: form => ({
      name: $(id('name')).value.trim(), auto_update: $(id('update')).checked, auto_publish: $(id('publish')).checked, every_minutes: Number($(id('every')).value),
      fields: [...form.querySelectorAll('[name=menu-field]:checked')].map(i => i.value), match_by_name: $(id('match')).checked, parts: partsOf(form),
    }),
  });
  function tick(name, on, onchange) {
    const input = h('input', { id: id(name), type: 'checkbox', checked: on, onchange, data: { pointer: { update: '/auto_update', publish: '/auto_publish', match: '/match_by_name' }[name] }, 'aria-describedby': id(name) + '-hint' });
    return { input, label: h('label', { class: 'tick' }, input, h('span', {}, h('b', {}, t('menus.set_' + name)), h('span', { class: 'hint', id: id(name) + '-hint' }, t('menus.set_' + name + '_hint')), h('span', { class: 'fault', id: id(name) + '-fault' }))) };
  }
}

function catalogue(pos, menus) {
  if (!pos?.known) return h('div', { class: 'sheet pad' }, h('b', {}, t('menus.no_catalogue')), h('p', { class: 'soft' }, pos?.error || t('menus.no_catalogue_remedy')));
  const count = menus.map(m => m.last_run?.count).find(Boolean);
  return h('p', { class: 'notice' }, t('menus.catalogue', word('menus.source.', pos.kind), when(pos.read_at)), count && ' ' + n('menus.count', count.items || 0), count?.hidden > 0 && ' ' + n('menus.hidden', count.hidden), count?.variations > 0 && ' ' + n('menus.variations', count.variations),
    pos.error && h('b', {}, ' ' + pos.error));
}

const all = follow(['menu', 'setting'], async () => {
  if (!place) return;
  const [v, lint] = await Promise.all([get('/v1/menu/menus'), get('/v1/menu/lint')]);
  const menus = v.menus || [];
  const opened = open && !forms.has(open) && menus.find(m => m.menu === open);
  if (opened) forms.set(open, settingsForm(opened, await categories(opened)));
  const sign = JSON.stringify([v, open, lint.counts]);
  if (!place || sign === drawn || forms.get(open)?.isDirty()) return;
  drawn = sign;
  if (!open) forms.clear();
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  const found = Object.entries(lint.counts || {}).filter(([, count]) => count > 0);
  const none = h('div', { class: 'sheet say' });
  swap(place, catalogue(v.pos, menus),
    menus.length ? h('div', { class: 'tiles menus' }, menus.map(tile)) : none,
    found.length > 0 && h('p', { class: 'notice lint-note' }, h('a', { href: '/menus/check' }, t('menus.lint', number(found.reduce((a, [, c]) => a + c, 0)))), ' ', found.map(([k, c]) => `${t('lint.' + k)} ${number(c)}`).join(' · ')));
  if (!menus.length) say(none, t('menus.none'), t('menus.none_remedy'));
  if (focused) $(focused)?.focus({ preventScroll: true });
});
all.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap(place, words);
  sayFault(words, fault, () => all.run());
};

export const overview = {
  open(where) {
    place = where;
    drawn = '';
    swap(place, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
    all.run();
  },
  close() { place = null; },
};
