// form.js draws settings as forms: each field shows its own fault, a change names the revision it was made from, and
// nobody overwrites what he has not seen.

import { call, h, swap, t } from './base.js';
import { toast } from './shell.js';

let count = 0;

// field is a labelled input. pointer is where the API finds it in the value, as /outlets/0/code.
export function field(label, input, pointer, hint) {
  const id = input.id || 'f' + ++count;
  input.id = id;
  input.dataset.pointer = pointer;
  const note = hint && h('span', { class: 'hint', id: id + '-hint' }, hint), fault = h('span', { class: 'fault', id: id + '-fault' });
  input.setAttribute('aria-describedby', [hint && id + '-hint', id + '-fault'].filter(Boolean).join(' '));
  return h('div', { class: 'field-row' }, h('label', { for: id }, label), input, note, fault);
}

export function mark(input, text) {
  input.setAttribute('aria-invalid', String(!!text));
  const fault = document.getElementById(input.id + '-fault');
  if (fault) fault.textContent = text || '';
}

const inputs = form => [...form.querySelectorAll('[data-pointer]')];

// setting makes the form of one setting.
//   path     of its PUT
//   current  the setting as {value, revision}
//   draw     draws the fields of a value, given changed() to call when it changed by other means than typing
//   read     reads the value from the fields
//   check    gives faults seen here: [pointer, sentence]
//   saved    is told of the answer
//   reload   loads the settings anew
//   confirm  asks before it is saved
//   member   the setting's name in what is sent; current has it as value all the same. '': its members stand beside the revision
export function setting({ path, current, draw, read, check, saved, reload, confirm, member = 'value' }) {
  const state = h('span', { class: 'form-state soft', role: 'status' }), again = h('div', { class: 'form-again', role: 'alert', hidden: true });
  const fields = h('div', { class: 'form-fields' }), button = h('button', { class: 'button primary', disabled: true }, t('setup.save'));
  const form = h('form', { class: 'setting', novalidate: true, oninput: () => changed(), onchange: () => changed(), onsubmit: e => { e.preventDefault(); store(); } }, fields, again, h('div', { class: 'form-acts' }, button, state));
  let revision = current.revision, dirty = false;
  function changed() {
    dirty = true;
    button.disabled = false;
    state.textContent = t('setup.unsaved');
  }
  function show(setting) {
    revision = setting.revision;
    swap(fields, draw(setting.value, changed)); // a field that is taken away while somebody is in it says that it changed
    dirty = false;
    button.disabled = true;
    state.textContent = '';
    again.hidden = true;
  }
  function blame(faults) {
    const all = inputs(form);
    for (const i of all) mark(i, '');
    let first;
    const rest = [];
    for (const [pointer, text] of faults) {
      const input = all.find(i => i.dataset.pointer === pointer);
      if (input) { mark(input, text); first ??= input; } else rest.push(text);
    }
    again.hidden = !faults.length;
    swap(again, faults.length > 0 && h('p', { class: 'fault' }, t('setup.wrong'), rest.length > 0 && ' ' + rest.join(' ')));
    first?.focus();
    return !faults.length;
  }
  async function store() {
    const value = read(form);
    if (!blame(check ? check(value) : [])) return;
    if (confirm && !await confirm(value)) return;
    button.disabled = true;
    try {
      const answer = await call('PUT', path, { body: member ? { [member]: value, revision } : { ...value, revision } });
      toast(t('setup.saved'), 'good');
      dirty = false;
      saved(answer.body);
    } catch (fault) {
      button.disabled = false;
      if (fault.status === 422 && fault.problem.errors) blame(fault.problem.errors.map(f => [member && f.pointer.startsWith('/' + member) ? f.pointer.slice(member.length + 1) : f.pointer, f.detail]));
      else if (fault.status === 409) {
        again.hidden = false;
        swap(again, h('p', { class: 'fault' }, t('setup.conflict')), h('button', { class: 'button', type: 'button', onclick: () => { dirty = false; revision = undefined; reload(); } }, t('setup.reload')));
      } else toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    }
  }
  show(current);
  // update shows what the box has now, unless somebody is typing here.
  return { form, update: setting => { if (!dirty && setting.revision !== revision) show(setting); }, isDirty: () => dirty, blame, changed };
}
