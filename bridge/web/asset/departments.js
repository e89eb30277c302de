// Departments: which statistic category and value each part of the card has. The table is saved as a whole or not at all.

import { $, call, get, h, newKey, n, swap, t, when } from './base.js';
import { mark, setting } from './form.js';
import { follow, may, ready, sayFault, toast } from './shell.js';

const MEMBERS = ['name', 'category', 'value'];
let form = null, known = null;

// origin says where a pair comes from: from the till as it was imported, or from here alone.
function origin(d) {
  if (!d.value) return ['', t('departments.says_nothing')];
  const g = known.groups.find(x => x.value === d.value && (!d.category || x.category === d.category));
  if (!g) return ['', t('departments.local')];
  return g.stale ? ['warn', t('departments.stale')] : ['ok', t('departments.from_till')];
}

function row(d, i, changed) {
  const e = h('tr', { class: 'department' });
  const state = h('td', { class: 'origin' });
  const cells = MEMBERS.map(m => {
    const input = h('input', { id: `d-${i}-${m}`, value: d[m] || '', maxlength: 100, autocomplete: 'off', spellcheck: 'false', 'aria-label': t('departments.' + m), list: 'known-' + m, disabled: !may('manager'), data: { pointer: `/${i}/${m}`, member: m }, 'aria-describedby': `d-${i}-${m}-fault`,
      oninput: () => {
        mark(input, '');
        if (m === 'value' && !inputs.category.value) { // the till's own pair has its category
          const g = known.groups.find(x => x.value === input.value);
          if (g) inputs.category.value = g.category;
        }
        tell();
      } });
    return h('td', { data: { label: t('departments.' + m) } }, input, h('span', { class: 'fault', id: `d-${i}-${m}-fault` }));
  });
  const inputs = Object.fromEntries(MEMBERS.map((m, k) => [m, cells[k].firstElementChild]));
  function tell() {
    const [grade, text] = origin(Object.fromEntries(MEMBERS.map(m => [m, inputs[m].value.trim()])));
    swap(state, h('span', { class: 'pos', data: { grade } }, grade && h('span', { class: 'shape', 'aria-hidden': 'true' }), text));
  }
  e.append(...cells, state, h('td', { class: 'num' }, may('manager') && h('button', { class: 'button small', type: 'button', onclick: () => { e.remove(); renumber(); changed(); } }, t('setup.remove'))));
  tell();
  return e;
}

// renumber gives each field the pointer of its row, after one was taken away.
function renumber() {
  document.querySelectorAll('.department').forEach((r, i) => r.querySelectorAll('input').forEach(x => { x.dataset.pointer = `/${i}/${x.dataset.member}`; }));
}

let count = 0;
function fields(value, changed) {
  count = value.length;
  const body = h('tbody', {}, value.map((d, i) => row(d, i, changed)));
  const missing = known.known.filter(x => !value.some(d => d.name === x));
  const put = d => {
    body.append(row(d, count++, changed));
    renumber();
    changed();
    return body.lastElementChild;
  };
  return [h('div', { class: 'whole' },
    h('table', { class: 'rows departments' }, h('thead', {}, h('tr', {}, [...MEMBERS.map(m => t('departments.' + m)), t('departments.origin'), ''].map(x => h('th', { scope: 'col' }, x)))), body),
    may('manager') && h('div', { class: 'department-acts' },
      h('button', { class: 'button', type: 'button', id: 'add-department', onclick: () => put({}).querySelector('input').focus() }, t('departments.add')),
      missing.length > 0 && h('button', { class: 'quiet', type: 'button', id: 'add-known', onclick: e => { for (const name of missing) put({ name }); e.currentTarget.hidden = true; } }, n('departments.add_known', missing.length)),
      h('button', { class: 'quiet', type: 'button', id: 'discard', onclick: () => { form = null; draw(); } }, t('departments.discard'))))];
}

const read = f => [...f.querySelectorAll('.department')].map(r => Object.fromEntries([...r.querySelectorAll('input')].map(e => [e.dataset.member, e.value.trim()]).filter(([m, v]) => v || m === 'name')));

async function load(button) {
  button.disabled = true;
  try {
    known = (await call('POST', '/v1/departments/import', { key: newKey(), timeout: 60e3 })).body;
    toast(n('departments.imported', known.groups.filter(g => !g.stale).length), 'good');
    if (!form.isDirty()) form = null; // its rows say where they are known from
    draw();
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  }
  button.disabled = false;
}

function groups() {
  const byCategory = Map.groupBy(known.groups, g => g.category || t('departments.no_category'));
  return h('section', { class: 'block', id: 'groups' }, h('div', { class: 'block-head' }, h('h2', {}, t('departments.groups')),
    known.imports && may('manager') && h('button', { class: 'button', id: 'import', onclick: e => load(e.currentTarget) }, t('departments.import'))),
    h('div', { class: 'sheet pad' }, h('p', { class: 'soft' }, !known.imports ? t('departments.no_import') : known.imported_at ? t('departments.imported_at', when(known.imported_at)) : t('departments.not_imported')),
      [...byCategory].map(([category, list]) => h('div', { class: 'group-row' }, h('h3', {}, category), h('ul', { class: 'group-chips' }, list.map(g => h('li', { class: 'group-chip plain-chip', data: { grade: g.stale ? 'warn' : '' } }, g.stale && h('span', { class: 'shape', 'aria-hidden': 'true' }), h('span', {}, g.value, g.stale && h('small', {}, t('departments.stale'))))))))));
}

function draw() {
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = '';
  if (!form) {
    form = setting({ path: '/v1/departments', current: known, draw: fields, read, saved: answer => { known = answer; form = null; draw(); }, reload: () => { form = null; known = null; list.run(); } });
    if (!may('manager')) form.form.querySelector('.form-acts').hidden = true;
  }
  const categories = [...new Set([...known.groups.map(g => g.category), ...known.value.map(d => d.category)].filter(Boolean))];
  const values = [...new Set([...known.groups.filter(g => !g.stale).map(g => g.value), ...known.value.map(d => d.value)].filter(Boolean))];
  swap(body,
    h('datalist', { id: 'known-name' }, known.known.map(x => h('option', { value: x }))), h('datalist', { id: 'known-category' }, categories.map(x => h('option', { value: x }))), h('datalist', { id: 'known-value' }, values.map(x => h('option', { value: x }))),
    h('div', { class: 'sheet pad' }, !known.value.length && h('p', { class: 'notice', id: 'none' }, t('departments.empty')), form.form),
    groups(), h('p', { class: 'soft below' }, t('departments.how'), ' ', h('a', { href: '/integration/reservations' }, t('departments.to_courses'))));
}

const list = follow(['setting'], async () => {
  const answer = await get('/v1/departments');
  await ready;
  if (known && form?.isDirty()) return; // somebody writes: what changed meanwhile is said when it is saved
  const fresh = JSON.stringify(answer) !== JSON.stringify(known);
  known = answer;
  if (fresh) { form = null; draw(); }
});
list.fault = fault => {
  if (known && fault.status !== 403) return;
  $('body').setAttribute('aria-busy', 'false');
  $('body').className = 'sheet say';
  sayFault($('body'), fault, () => list.run());
};
