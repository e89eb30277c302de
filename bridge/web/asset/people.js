// People: who gives a PIN on a shared screen. Tokens are lines of a file at the box.

import { $, call, h, get, n, newKey, swap, t, when, word } from './base.js';
import { field, mark } from './form.js';
import { rows } from './rows.js';
import { ask, follow, perform, ready, may, sayFault, toast } from './shell.js';

const LEAST = { staff: 4, manager: 6 };

// weak tells what anybody would see in a PIN; the box looks again.
function weak(pin, role) {
  if (!/^\d*$/.test(pin) || pin.length < LEAST[role] || pin.length > 12) return t('people.pin_length', LEAST[role]);
  if (/^(\d)\1*$/.test(pin) || '01234567890123456789'.includes(pin) || '98765432109876543210'.includes(pin)) return t('people.pin_weak');
  return '';
}

const pinInput = id => h('input', { id, type: 'password', inputmode: 'numeric', autocomplete: 'new-password', maxlength: 12, spellcheck: 'false' });

// ---- a new person

function addForm() {
  const name = h('input', { id: 'name', maxlength: 40, autocomplete: 'off', spellcheck: 'false' }), pin = pinInput('pin');
  const role = h('select', { id: 'role' }, ['staff', 'manager'].map(r => h('option', { value: r }, t('role.' + r))));
  return h('form', { class: 'person-form', novalidate: true, onsubmit: async e => {
    e.preventDefault();
    const faults = [[name, name.value.trim() ? '' : t('people.name_missing')], [pin, weak(pin.value, role.value)]];
    for (const [input, text] of faults) mark(input, text);
    const wrong = faults.find(f => f[1]);
    if (wrong) { wrong[0].focus(); return; }
    const button = e.target.querySelector('button');
    button.disabled = true;
    try {
      await call('POST', '/v1/people', { key: newKey(), body: { name: name.value.trim(), role: role.value, pin: pin.value } });
      toast(t('people.added', name.value.trim()), 'good');
      name.value = pin.value = '';
      name.focus();
      list.run();
    } catch (fault) {
      if (fault.status === 409) mark(name, t('people.taken'));
      else if (fault.problem.errors) for (const f of fault.problem.errors) mark({ '/name': name, '/pin': pin }[f.pointer] || name, f.detail);
      else toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    }
    button.disabled = false;
  } }, field(t('people.name'), name, '/name'), field(t('people.role'), role, '/role'), field(t('people.pin'), pin, '/pin', t('people.pin_hint')), h('button', { class: 'button primary' }, t('people.add')));
}

// ---- what is done to one

async function newPIN(p, button) {
  const pin = pinInput('new-pin');
  const body = field(t('people.pin'), pin, '/pin', t('people.pin_hint'));
  if (!await ask(t('people.pin_title', p.name), t('people.pin_effect', p.name), t('people.pin_yes'), false, { body, check: () => { const text = weak(pin.value, p.role); mark(pin, text); if (text) pin.focus(); return !text; } })) return;
  if (await perform(button, '/v1/people/' + p.id, { method: 'PUT', body: { pin: pin.value }, done: t('people.pin_done', p.name) })) list.run();
}

async function unlock(p, button) {
  if (await perform(button, '/v1/people/' + p.id, { method: 'PUT', body: {}, done: t('people.unlocked', p.name) })) list.run();
}

async function remove(p, button) {
  if (!await ask(t('people.remove_title', p.name), t('people.remove_effect', p.name), t('people.remove_yes'), true)) return;
  if (await perform(button, '/v1/people/' + p.id, { method: 'DELETE', done: t('people.removed', p.name) })) list.run();
}

const act = (id, key, kind, p, does) => h('button', { class: 'button small ' + kind, id, onclick: e => does(p, e.currentTarget) }, t(key));

const people = rows({
  name: 'people', label: t('nav.people'), id: p => p.id, empty: [t('people.empty'), t('people.empty_remedy')],
  columns: [
    { head: t('people.name'), text: p => p.name, cell: p => h('b', {}, p.name) },
    { head: t('people.role'), text: p => t('role.' + p.role) },
    { head: t('people.last_seen'), text: p => p.last_seen ? when(p.last_seen) : t('people.never'), value: p => p.last_seen || '' },
    { head: t('people.pin_set'), text: p => when(p.pin_set_at), value: p => p.pin_set_at },
    { head: t('people.lock'), text: p => p.locked_until ? t('people.locked', when(p.locked_until)) : '', cell: p => p.locked_until ? h('span', { class: 'pos', data: { grade: 'bad' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('people.locked', when(p.locked_until))) : p.tries ? h('span', { class: 'soft' }, n('people.tries', p.tries)) : '' },
    { head: '', value: null, csv: false, text: () => '', narrow: true, cell: p => h('div', { class: 'row-acts' }, p.locked_until && act('unlock-' + p.id, 'people.unlock', '', p, unlock), act('pin-' + p.id, 'people.set_pin', '', p, newPIN), act('remove-' + p.id, 'people.remove', 'danger', p, remove)) },
  ],
});
let drawn = false;
const list = follow(['access'], async () => {
  const all = await get('/v1/people');
  await ready;
  people.set(all.people || []);
  if (drawn) return;
  drawn = true;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  swap(body,
    may('manager') && h('section', {}, h('h2', { class: 'part-head' }, t('people.add_title')), h('div', { class: 'sheet pad' }, addForm())),
    h('section', { class: 'block' }, h('div', { class: 'block-head' }, h('h2', {}, t('people.with_pin')), people.tools), people.place),
    h('section', { class: 'block sheet prose' }, h('h2', {}, t('people.tokens')), h('p', {}, t('people.tokens_text')),
      h('pre', { class: 'sample' }, 'aboyeur token list   --file /etc/aboyeur/tokens\naboyeur token add    --file /etc/aboyeur/tokens --role staff --name lea\naboyeur token remove --file /etc/aboyeur/tokens --name lea'),
      h('p', { class: 'soft' }, t('people.tokens_roles', ['admin', 'manager', 'staff', 'till', 'aggregator', 'screen', 'metrics'].map(r => word('role.', r)).join(', ')))));
});
list.fault = fault => {
  if (drawn && fault.status !== 403) return;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = 'sheet say';
  sayFault(body, fault, () => list.run());
};
