// The menus, a tile each: the three counters of what is not linked, when it was synced, what it takes over.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { setting } from './form.js';
import { ask, follow, may, perform, say, sayFault } from './shell.js';

const KINDS = ['items', 'modifier_groups', 'modifiers'];
const LINK = { items: 'item', modifier_groups: 'modifier_group', modifiers: 'modifier' };
const FIELDS = ['name', 'price', 'description', 'photo', 'availability', 'hours', 'taxes', 'modifiers'];
const GRADE = { ok: 'ok', attention: 'warn', error: 'bad', never: 'warn' };

let place, drawn = '', open = ''; // the menu whose settings are open
const forms = new Map(); // source -> form

const mark = (grade, text) => h('span', { class: 'state', data: { grade } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), text);

// ---- the three counters (OTR-64): green at zero, and each leads to what it counts

const counter = (m, kind) => {
  const count = m.unlinked?.[kind] || 0;
  return h('a', { class: 'counter', href: `/menus/links?source=${encodeURIComponent(m.source)}&kind=${LINK[kind]}&unlinked=1`, data: { grade: count ? 'bad' : 'ok', kind } },
    h('span', { class: 'shape', 'aria-hidden': 'true' }), h('b', {}, number(count)), h('span', {}, t('menus.unlinked.' + kind)));
};

function tile(m) {
  const sum = KINDS.reduce((a, k) => a + (m.unlinked?.[k] || 0), 0);
  return h('article', { class: 'tile menu', data: { source: m.source, grade: m.state === 'error' ? 'bad' : undefined } },
    h('header', {}, h('h2', {}, m.name), mark(sum ? 'bad' : GRADE[m.state], sum ? n('menus.unlinked', sum) : word('menus.state.', m.state))),
    h('div', { class: 'counters', role: 'group', 'aria-label': t('menus.counters') }, KINDS.map(k => counter(m, k))),
    m.guard && guard(m),
    h('dl', { class: 'facts' },
      fact('menus.last', m.last ? [h('a', { href: '/menus/history/' + encodeURIComponent(m.last.id) }, when(m.last.at)), ' · ', word('menurun.state.', m.last.state), m.last.changes > 0 && ' · ' + n('menus.changes', m.last.changes)] : t('menus.never')),
      fact('menus.next', m.auto_update ? m.next_at ? when(m.next_at) : '–' : t('menus.by_hand')),
      fact('menus.takes', (m.fields || []).map(f => word('menus.field.', f)).join(', ')),
      fact('menus.publish', t(m.auto_publish ? 'menus.publish_self' : 'menus.publish_hand'))),
    may('manager') && h('footer', {},
      h('button', { class: 'button primary', id: 'sync-' + m.source, onclick: e => sync(m, e.currentTarget, false) }, t('menus.sync')),
      m.can_publish !== false && h('button', { class: 'button', id: 'publish-' + m.source, onclick: e => sync(m, e.currentTarget, true) }, t('menus.sync_publish')),
      h('button', { class: 'button', id: 'settings-' + m.source, 'aria-expanded': String(open === m.source), onclick: () => { open = open === m.source ? '' : m.source; drawn = ''; all.run(); } }, t('menus.settings'))),
    open === m.source && forms.get(m.source)?.form);
}

const fact = (key, value) => h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value));

// guard asks before a catalogue that lost much takes items off a menu (spec delivery.md 6.3).
const guard = m => h('section', { class: 'p-why', data: { grade: 'bad' }, role: 'alert' },
  h('b', {}, t('menus.guard')), h('p', {}, t('menus.guard_' + m.guard.reason, number(m.guard.deleted), number(m.guard.of))),
  may('manager') && h('button', { class: 'button small danger', id: 'guard-' + m.source, onclick: async e => {
    const button = e.currentTarget;
    if (!await ask(t('menus.guard_title', m.name), t('menus.guard_effect', number(m.guard.deleted)), t('menus.guard_yes'), true)) return;
    await perform(button, '/v1/menu/sync', { body: { source: m.source, confirm_guard: m.guard.run }, done: t('menus.syncing', m.name) });
    all.run();
  } }, t('menus.guard_button')));

async function sync(m, button, publish) {
  if (publish && !await ask(t('menus.publish_title', m.name), t('menus.publish_effect', m.name), t('menus.publish_yes'))) return;
  await perform(button, '/v1/menu/sync', { body: { source: m.source, publish }, done: t('menus.syncing', m.name) });
  all.run();
}

// ---- settings of one menu (OTR-38 to OTR-42)

function settingsForm(source, current) {
  const id = name => `menu-${name}`;
  return setting({
    path: '/v1/menu/settings/' + encodeURIComponent(source), current, saved: () => { open = ''; drawn = ''; all.run(); }, reload: () => { forms.delete(source); drawn = ''; all.run(); },
    draw: (v, changed) => {
      const update = tick('update', v.auto_update, () => { publish.input.disabled = !update.input.checked; if (publish.input.disabled) publish.input.checked = false; changed(); });
      const publish = tick('publish', v.auto_publish, changed);
      publish.input.disabled = !v.auto_update;
      return [update.label, publish.label,
        h('div', { class: 'field-row' }, h('label', { for: id('every') }, t('menus.every')),
          h('select', { id: id('every'), data: { pointer: '/every_seconds' } }, [...new Set([3600, 10800, 21600, 43200, 86400, v.every_seconds])].filter(Boolean).sort((a, b) => a - b).map(s =>
            h('option', { value: String(s), selected: s === v.every_seconds }, s % 3600 ? n('menus.minutes', Math.round(s / 60)) : n('menus.hours', s / 3600)))), h('span', { class: 'fault', id: id('every') + '-fault' })),
        h('fieldset', { class: 'fields-of' }, h('legend', {}, t('menus.fields')), FIELDS.map(f => h('label', { class: 'tick' }, h('input', { type: 'checkbox', name: 'menu-field', value: f, checked: v.fields?.includes(f) }), h('span', {}, t('menus.field.' + f))))),
        tick('match', v.match_by_name, changed).label];
    },
    read: form => ({
      auto_update: $(id('update')).checked, auto_publish: $(id('publish')).checked, every_seconds: Number($(id('every')).value),
      fields: [...form.querySelectorAll('[name=menu-field]:checked')].map(i => i.value), match_by_name: $(id('match')).checked,
    }),
  });
  function tick(name, on, onchange) {
    const input = h('input', { id: id(name), type: 'checkbox', checked: on, onchange, data: { pointer: { update: '/auto_update', publish: '/auto_publish', match: '/match_by_name' }[name] }, 'aria-describedby': id(name) + '-hint' });
    return { input, label: h('label', { class: 'tick' }, input, h('span', {}, h('b', {}, t('menus.set_' + name)), h('span', { class: 'hint', id: id(name) + '-hint' }, t('menus.set_' + name + '_hint')), h('span', { class: 'fault', id: id(name) + '-fault' }))) };
  }
}

function catalogue(c) {
  if (!c?.at) return h('div', { class: 'sheet pad' }, h('b', {}, t('menus.no_catalogue')), h('p', { class: 'soft' }, t('menus.no_catalogue_remedy')));
  return h('p', { class: 'notice' }, t('menus.catalogue', number(c.items), word('menus.source.', c.source), when(c.at)),
    c.hidden > 0 && ' ' + n('menus.hidden', c.hidden), c.variations > 0 && ' ' + n('menus.variations', c.variations));
}

const all = follow(['menu', 'setting'], async () => {
  if (!place) return;
  const v = await get('/v1/menu');
  if (open && !forms.has(open)) forms.set(open, settingsForm(open, await get('/v1/menu/settings/' + encodeURIComponent(open))));
  const sign = JSON.stringify([v, open]);
  if (!place || sign === drawn || forms.get(open)?.isDirty()) return;
  drawn = sign;
  if (!open) forms.clear();
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  const menus = v.menus || [], lint = Object.entries(v.lint || {}).filter(([, count]) => count > 0);
  const none = h('div', { class: 'sheet say' });
  swap(place, catalogue(v.catalogue),
    menus.length ? h('div', { class: 'tiles menus' }, menus.map(tile)) : none,
    lint.length > 0 && h('p', { class: 'notice lint-note' }, h('a', { href: '/menus/check' }, t('menus.lint', number(lint.reduce((a, [, c]) => a + c, 0)))), ' ', lint.map(([k, c]) => `${t('lint.' + k)} ${number(c)}`).join(' · ')));
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
  show() {},
  close() { place = null; },
};
