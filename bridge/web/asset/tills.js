// Tills: which kind is linked and what its set-up needs, the tills that speak to the box with their queues, and who may do what
// with them.

import { $, age, call, get, h, lang, n, number, swap, t, when } from './base.js';
import { setting } from './form.js';
import { rows } from './rows.js';
import { follow, may, ready, sayFault, toast } from './shell.js';

const RIGHTS = ['operate_tills', 'access_stores_tills', 'maintain_stores_tills', 'maintain_function_maps'];
let drawn = false, setup = null, form = null, verifying = false;

// optional reads what a box without such tills does not have: undefined then, null for who may not see it.
async function optional(path) {
  try {
    return await get(path);
  } catch (fault) {
    if (fault.status === 404) return undefined;
    if (fault.status === 403) return null;
    throw fault;
  }
}

// ---- the kind of till, and what it needs

const proof = p => p && h('div', { class: 'p-why', id: 'proof', data: { grade: p.code === 'proved' ? '' : p.code === 'away' ? 'warn' : 'bad' } }, h('b', {}, t('tills.proof.' + p.code)), ' ', p.detail, h('small', { class: 'soft' }, ' ', when(p.at)));

function drawSetup() {
  const place = $('setup');
  if (!place) return;
  swap(place,
    h('div', { class: 'block-head' }, h('h2', {}, t('tills.setup')),
      h('div', { class: 'head-acts' }, may('manager') && setup.proves && h('button', { class: 'button', id: 'verify', disabled: verifying, onclick: verify }, t(verifying ? 'tills.verifying' : 'tills.verify')), h('a', { class: 'button', id: 'form', href: '/v1/pos/form.txt?language=' + lang, download: true }, t('tills.form')))),
    h('div', { class: 'sheet pad' },
      h('p', { class: 'till-kind' }, h('b', {}, setup.title), setup.location && h('span', { class: 'soft' }, ' ' + t('tills.location', setup.location)), setup.address && h('span', { class: 'soft' }, ' ' + setup.address)),
      proof(setup.proof),
      h('ol', { class: 'needs' }, setup.needs.map(x => h('li', { data: { key: x.key, grade: x.given ? 'ok' : x.asked ? 'warn' : '' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), h('div', {}, h('b', {}, x.what), h('small', {}, x.where)), h('span', { class: 'soft need-state' }, t(x.given ? 'tills.given' : x.asked ? 'tills.missing' : 'tills.at_till')))))));
}

async function verify() {
  verifying = true;
  drawSetup();
  try {
    setup = (await call('POST', '/v1/pos/verify?language=' + lang, { timeout: 30e3 })).body;
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  }
  verifying = false;
  drawSetup();
}

// ---- the tills

const tills = rows({
  name: 'tills', label: t('nav.tills'), id: x => x.till, empty: [t('tills.none'), t('tills.none_remedy')],
  columns: [
    { head: t('tills.till'), text: x => x.till, cell: x => h('b', {}, x.till) },
    { head: t('tills.state'), text: x => x.error || t('tills.well'), cell: x => h('span', { class: 'pos', data: { grade: x.error ? 'bad' : x.waiting ? 'warn' : 'ok' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), x.error || (x.waiting ? n('tills.waiting', x.waiting) : t('tills.well'))) },
    { head: t('tills.last'), num: true, text: x => number(x.last || 0), value: x => x.last || 0 },
    { head: t('tills.waits'), num: true, text: x => number(x.waiting || 0), value: x => x.waiting || 0 },
    { head: t('tills.oldest'), num: true, text: x => x.oldest ? age(Date.now() - Date.parse(x.oldest)) : '', value: x => x.oldest || '' },
    { head: t('tills.refused'), num: true, text: x => number(x.refused || 0), value: x => x.refused || 0 },
    { head: t('tills.version'), text: x => x.version || '' },
    { head: t('tills.seen'), text: x => x.seen_at ? when(x.seen_at) : '', value: x => x.seen_at || '' },
  ],
});

// ---- rights

const box = (id, has, right, label) => h('input', { type: 'checkbox', id, checked: has.includes(right), 'aria-label': label + ': ' + t('tills.right.' + right), data: { right } });

function person(o, i, changed) {
  const name = h('input', { id: 'right-name-' + i, value: o.name || '', maxlength: 100, autocomplete: 'off', spellcheck: 'false', 'aria-label': t('people.name'), data: { pointer: `/people/${i}/name` } });
  const e = h('tr', { class: 'right-person' }, h('td', {}, name, h('span', { class: 'fault', id: `right-name-${i}-fault` })), RIGHTS.map(r => h('td', { data: { label: t('tills.right.' + r) } }, box(`right-${i}-${r}`, o.rights || [], r, o.name || ''))), h('td', { class: 'num' }, h('button', { class: 'button small', type: 'button', onclick: () => { e.remove(); changed(); } }, t('setup.remove'))));
  return e;
}

function rightsForm(current) {
  const roles = ['manager', 'staff', 'till'];
  return setting({
    path: '/v1/tills/rights', current,
    draw: (v, changed) => {
      const body = h('tbody', {}, roles.map(role => h('tr', { class: 'right-role', data: { role } }, h('th', { scope: 'row' }, t('role.' + role)), RIGHTS.map(r => h('td', { data: { label: t('tills.right.' + r) } }, box(`right-${role}-${r}`, v[role], r, t('role.' + role)))), h('td'))), v.people.map((o, i) => person(o, i, changed)));
      return [h('div', { class: 'whole' }, h('table', { class: 'rows rights' }, h('thead', {}, h('tr', {}, h('th', {}), RIGHTS.map(r => h('th', { scope: 'col' }, t('tills.right.' + r), h('small', {}, t('tills.bepoz.' + r)))), h('th', {}))), body),
        h('button', { class: 'button', type: 'button', id: 'add-person', onclick: () => { body.append(person({}, body.querySelectorAll('.right-person').length, changed)); body.lastElementChild.querySelector('input').focus(); changed(); } }, t('tills.add_person')))];
    },
    read: f => ({ ...Object.fromEntries(roles.map(role => [role, rightsIn(f.querySelector(`[data-role="${role}"]`))])), people: [...f.querySelectorAll('.right-person')].map(e => ({ name: e.querySelector('input').value.trim(), rights: rightsIn(e) })) }),
    saved: answer => { form = null; drawRights(answer); },
    reload: () => { form = null; list.run(); },
  });
}

const rightsIn = e => [...e.querySelectorAll('[data-right]')].filter(x => x.checked).map(x => x.dataset.right);

function drawRights(rights) {
  const place = $('rights');
  if (!place || form?.isDirty()) return;
  if (rights === undefined) { place.hidden = true; return; }
  place.hidden = false;
  if (rights === null) { swap(place, h('h2', {}, t('tills.rights')), h('p', { class: 'sheet pad' }, t('tills.no_right'))); return; }
  const mayChange = may('manager') && rights.mine.includes('maintain_stores_tills');
  form = rightsForm(rights);
  swap(place, h('h2', {}, t('tills.rights')), h('div', { class: 'sheet pad' }, h('p', { class: 'soft' }, t('tills.rights_lead')), form.form));
  if (!mayChange) {
    for (const e of form.form.querySelectorAll('input, button')) e.disabled = true;
    form.form.querySelector('.form-acts').hidden = true;
  }
}

const list = follow(['setting', 'till', 'check'], async () => {
  const [pos, queue, rights] = await Promise.all([get('/v1/pos?language=' + lang), optional('/v1/tills'), optional('/v1/tills/rights')]);
  await ready;
  setup = pos;
  if (!drawn) {
    drawn = true;
    const body = $('body');
    body.setAttribute('aria-busy', 'false');
    swap(body, h('section', { id: 'setup' }),
      h('section', { class: 'block', id: 'tills' }, h('div', { class: 'block-head' }, h('h2', {}, t('tills.queues')), tills.tools), tills.place, h('p', { class: 'soft below' }, t('tills.list_only'), ' ', h('a', { href: '/integration/bookings' }, t('nav.bookings')))),
      h('section', { class: 'block', id: 'rights' }));
  }
  drawSetup();
  $('tills').hidden = queue === undefined;
  if (queue) tills.set(queue.tills || []);
  else if (queue === null) tills.fault({ status: 403, problem: {} });
  drawRights(rights);
});
list.fault = fault => {
  if (drawn && fault.status !== 403) return;
  $('body').setAttribute('aria-busy', 'false');
  $('body').className = 'sheet say';
  sayFault($('body'), fault, () => list.run());
};
