// tags.js is a list of names that is added to by typing and taken from by a press; in order where the order counts.

import { h, icon, swap, t } from './base.js';
import { mark } from './form.js';

// tags makes one.
//   id, label, hint  of its field
//   pointer          where the API finds the list in the value
//   values           what is in it
//   text(v), make(s) how a value is written, and read from what was typed; the same without
//   list             id of a datalist to pick from
//   ordered          the first counts first: each can be moved up
//   refuse(v)        a sentence when v cannot be added here
//   changed          is told of each change
// It gives {node, values(), read(), left()}: read takes in what was typed and not added yet, left says why it could not be.
export function tags({ id, label, hint, pointer, values, text = v => v, make = s => s, list, ordered, refuse, changed }) {
  const all = [...values];
  const items = h(ordered ? 'ol' : 'ul', { class: 'tags', 'aria-label': label });
  const input = h('input', { id: id + '-add', maxlength: 100, autocomplete: 'off', spellcheck: 'false', list, data: { pointer }, 'aria-describedby': [hint && id + '-hint', id + '-add-fault'].filter(Boolean).join(' '),
    oninput: e => e.stopPropagation(), onchange: e => e.stopPropagation(), // what is typed here counts when it is added
    onkeydown: e => { if (e.key === 'Enter') { e.preventDefault(); add(); } } });
  const press = (name, word, v, act, off) => h('button', { class: 'tag-act', type: 'button', disabled: off, 'aria-label': `${word}: ${text(v)}`, title: word, onclick: act }, icon(name));
  const same = (a, b) => text(a) === text(b);
  function alter(change, focus) {
    change();
    draw();
    changed();
    (focus === undefined ? input : items.children[focus]?.querySelector('button:not(:disabled)') || input).focus();
  }
  function draw() {
    swap(items, all.map((v, i) => h('li', { class: 'tag-item' }, h('span', {}, text(v)),
      ordered && press('up', t('set.up'), v, () => alter(() => all.splice(i - 1, 0, ...all.splice(i, 1)), i - 1), i === 0),
      press('close', t('setup.remove'), v, () => alter(() => all.splice(i, 1))))));
  }
  function add() {
    const typed = input.value.trim();
    if (!typed) return;
    const v = make(typed), why = refuse?.(v);
    mark(input, why || '');
    if (why) return;
    input.value = '';
    if (all.some(x => same(x, v))) { mark(input, t('set.already', text(v))); return; } // once is enough (RES-10)
    alter(() => all.push(v));
  }
  draw();
  const node = h('div', { class: 'field-row tag-field', id }, h('label', { for: id + '-add' }, label), items,
    h('div', { class: 'tag-add' }, input, h('button', { class: 'button small', type: 'button', onclick: add, 'aria-label': `${t('set.add')}: ${label}` }, t('set.add'))),
    hint && h('span', { class: 'hint', id: id + '-hint' }, hint), h('span', { class: 'fault', id: id + '-add-fault', role: 'alert' }));
  const left = () => input.value.trim() ? refuse?.(make(input.value.trim())) || t('set.already', input.value.trim()) : '';
  return { node, pointer, values: () => [...all], read: () => { if (input.value.trim()) add(); return [...all]; }, left };
}
