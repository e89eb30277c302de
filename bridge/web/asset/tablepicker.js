// tablepicker.js picks tables of the floor: a press takes one, another press gives it back. One that is taken says by whom.

import { h, t } from './base.js';

export function tablePicker(floor, chosen, several) {
  const picked = new Set(chosen.filter(x => floor.some(f => f.name === x)));
  const areas = Map.groupBy(floor, f => f.area || '');
  const press = (name, button) => {
    const on = !picked.has(name);
    if (on && !several) {
      picked.clear();
      for (const b of node.querySelectorAll('[aria-pressed="true"]')) b.setAttribute('aria-pressed', 'false');
    }
    if (on) picked.add(name); else picked.delete(name);
    button.setAttribute('aria-pressed', String(on));
  };
  const button = f => h('button', { type: 'button', class: 'pick', 'aria-pressed': String(picked.has(f.name)), data: { name: f.name, taken: f.checks.length ? 'yes' : 'no' }, onclick: e => press(f.name, e.currentTarget) },
    h('b', {}, f.name), h('small', {}, f.checks.length ? f.checks[0].guest || t('check.number', f.checks[0].number) : t('tables.free')));
  const node = h('div', { class: 'picker' }, [...areas].map(([area, list]) => h('div', {}, area && h('h3', {}, area), h('div', { class: 'picks' }, list.map(button)))));
  return { node, read: () => [...picked] };
}
