// Check: why an item is missing at a partner, and what the menu has that partners dislike, under its five headings.

import { $, get, h, icon, number, swap, t, word } from './base.js';
import { follow, say, sayFault } from './shell.js';

const HEADINGS = ['items', 'categories', 'modifier_groups', 'modifiers', 'photos'];
let place, drawn = '', menus = [];

function layout() {
  swap(place,
    h('section', { class: 'sheet pad diagnose' }, h('h2', {}, t('menus.missing')), h('p', { class: 'soft' }, t('menus.missing_text')),
      h('form', { class: 'diagnose-form', onsubmit: e => { e.preventDefault(); diagnose(); } },
        h('label', { class: 'find wide-find' }, icon('search'), h('span', { class: 'hide' }, t('menus.item')), h('input', { id: 'missing', type: 'search', placeholder: t('menus.find_item'), maxlength: 60, autocomplete: 'off', spellcheck: 'false' })),
        h('select', { id: 'missing-at', 'aria-label': t('menus.menu') }), h('button', { class: 'button primary' }, t('menus.why_missing'))),
      h('div', { id: 'diagnosis', role: 'status' })),
    h('section', { class: 'block' }, h('h2', {}, t('menus.lint_title')), h('div', { id: 'lint' }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i')))));
}

async function diagnose() {
  const q = $('missing').value.trim();
  if (!q) { $('missing').focus(); return; }
  const box = $('diagnosis');
  try {
    const v = await get('/v1/menu/why?' + new URLSearchParams({ q, menu: $('missing-at').value }));
    const bad = (v.checks || []).find(c => !c.ok);
    swap(box, h('p', { class: 'p-why', data: { grade: bad ? 'bad' : 'ok' } }, h('b', {}, bad ? bad.text + '.' : t('menus.on_sale', v.found?.join(', ') || q)), bad?.remedy && ` ${bad.remedy}.`),
      v.found?.length > 1 && h('p', { class: 'soft' }, t('menus.found', v.found.join(', '))),
      h('ol', { class: 'steps-list' }, (v.checks || []).map(c => h('li', { class: 'step', data: { grade: c.ok ? 'ok' : 'bad', check: c.check } }, h('span', { class: 'shape', 'aria-hidden': 'true' }),
        h('div', {}, h('b', {}, word('menus.check.', c.check)), h('span', { class: 'soft' }, c.text)), h('span', { class: 'step-state' }, t(c.ok ? 'menus.check_ok' : 'menus.check_bad'))))));
  } catch (fault) {
    swap(box, h('p', { class: 'fault' }, fault.message));
  }
}

const lint = follow(['menu'], async () => {
  if (!place) return;
  if (!menus.length) {
    menus = (await get('/v1/menu/menus')).menus || [];
    if (!place) return;
    swap($('missing-at'), menus.map(m => h('option', { value: m.menu }, m.settings.name || m.title)));
    $('missing-at').hidden = menus.length < 2;
  }
  const v = await get('/v1/menu/lint');
  const sign = JSON.stringify(v);
  if (!place || sign === drawn) return;
  drawn = sign;
  const by = Map.groupBy(v.findings || [], f => f.heading), box = $('lint');
  if (!v.findings?.length) { const words = h('div', { class: 'sheet say' }); swap(box, words); say(words, t('menus.lint_none'), t('menus.lint_none_text')); return; }
  swap(box, HEADINGS.map(k => h('details', { class: 'sheet lint', data: { heading: k }, open: by.has(k) },
    h('summary', {}, h('b', {}, t('lint.' + k)), h('span', { class: 'chip' }, number(v.counts?.[k] || 0))),
    h('ul', {}, (by.get(k) || []).map(f => h('li', { class: 'pos', data: { grade: f.severity === 'warning' ? 'warn' : '' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), h('span', {}, h('b', {}, f.name || f.id), ' ', f.text)))))),
  v.more > 0 && h('p', { class: 'soft' }, t('menus.lint_more', number(v.more))));
});
lint.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap($('lint'), words);
  sayFault(words, fault, () => lint.run());
};

export const check = {
  open(where) {
    place = where;
    drawn = '';
    menus = [];
    layout();
    lint.run();
  },
  close() { place = null; },
};
