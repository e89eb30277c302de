// courses.js edits which statistic groups bring a table to which stage: a card for each course with its groups. A group stands
// at one course only; adding it to another one moves it there, and says so.

import { h, swap, t } from './base.js';
import { toast } from './shell.js';

const COURSES = ['drinks', 'appetizer', 'entree', 'dessert'];
const nameOf = group => typeof group === 'string' ? group : group.value;

// groupsOf lists what can be picked, from GET /v1/departments: the till's groups and those that departments were given. null
// when nothing is known: then every value is taken as it is typed.
export function groupsOf(view) {
  const all = new Map();
  for (const g of view?.groups || []) if (!g.stale || !all.has(g.value)) all.set(g.value, { value: g.value, category: g.category, stale: !!g.stale, from: [] });
  for (const d of view?.value || []) {
    if (!d.value) continue;
    if (!all.has(d.value)) all.set(d.value, { value: d.value, category: d.category || '', stale: false, from: [] });
    all.get(d.value).from.push(d.name);
  }
  return all.size ? [...all.values()].toSorted((a, b) => a.value.localeCompare(b.value)) : null;
}

// courses makes the editor.
//   value    the settings' courses: [{status, groups: ["Starters", {category, value}]}]
//   groups   the answer of GET /v1/departments, or null
//   changed  is called when somebody changed something
//   stages   that the platform takes: a course it has no word for says so
export function courses({ value, groups, changed, stages }) {
  const known = groupsOf(groups);
  const at = new Map(); // group -> course, in the order in which they were added
  for (const c of value || []) for (const g of c.groups || []) at.set(nameOf(g), { course: c.status, group: g });
  const node = h('div', { class: 'courses', id: 'courses-map' });
  const lists = h('datalist', { id: 'course-groups' }, (known || []).filter(g => !g.stale).map(g => h('option', { value: g.value }, [g.category, g.from.join(', ')].filter(Boolean).join(' · '))));

  const doubt = name => {
    if (!known) return '';
    const g = known.find(x => x.value === name);
    return !g ? t('courses.unknown') : g.stale ? t('courses.stale') : '';
  };
  function chip(name, course) {
    const why = doubt(name), g = known?.find(x => x.value === name);
    return h('li', { class: 'group-chip', data: { grade: why ? 'warn' : '', value: name }, title: g?.from.join(', ') || g?.category || '' },
      why && h('span', { class: 'shape', 'aria-hidden': 'true' }), h('span', {}, name, why && h('small', {}, why)),
      h('button', { type: 'button', class: 'chip-off', 'aria-label': t('courses.take_out', name, t('courses.' + course)), onclick: () => { at.delete(name); draw(course); changed(); } }, '×'));
  }
  function add(input, course) {
    const name = input.value.normalize('NFC').trim();
    if (!name) return;
    const before = at.get(name);
    if (before?.course === course) { input.value = ''; toast(t('courses.twice', name, t('courses.' + course))); return; }
    if (before) toast(t('courses.moved', name, t('courses.' + before.course), t('courses.' + course)));
    at.delete(name);
    const g = known?.find(x => x.value === name);
    at.set(name, { course, group: g?.category ? { category: g.category, value: name } : name });
    input.value = '';
    draw(course);
    changed();
  }
  function card(course, i) {
    const mine = [...at].filter(([, v]) => v.course === course).map(([name]) => name);
    const input = h('input', { id: 'add-' + course, list: 'course-groups', maxlength: 100, autocomplete: 'off', spellcheck: 'false', placeholder: t('courses.search'), 'aria-label': t('courses.add_to', t('courses.' + course)), data: { pointer: `/courses/${i}/groups` },
      onkeydown: e => { if (e.key === 'Enter') { e.preventDefault(); add(input, course); } },
      oninput: e => { if (known?.some(g => g.value === input.value) && e.inputType !== 'insertText') add(input, course); e.stopPropagation(); }, onchange: e => e.stopPropagation() });
    return h('section', { class: 'course', data: { course } },
      h('header', {}, h('h3', {}, t('courses.' + course)), stages && !stages.includes(course) && h('small', {}, t('courses.no_word'))),
      mine.length ? h('ul', { class: 'group-chips' }, mine.map(name => chip(name, course))) : h('p', { class: 'soft' }, t('courses.none')),
      h('div', { class: 'course-add' }, input, h('button', { type: 'button', class: 'button small', id: 'put-' + course, onclick: () => { add(input, course); input.focus(); } }, t('courses.add'))));
  }
  function draw(focus) {
    const left = (known || []).filter(g => !g.stale && !at.has(g.value));
    swap(node, lists, COURSES.map(card), known && h('p', { class: 'hint', id: 'courses-left' }, left.length ? t('courses.left', left.map(g => g.value).join(', ')) : t('courses.all_mapped')));
    if (focus) node.querySelector('#add-' + focus)?.focus({ preventScroll: true });
  }
  draw();
  return {
    node,
    read: () => COURSES.map(course => ({ status: course, groups: [...at.values()].filter(v => v.course === course).map(v => v.group) })).filter(c => c.groups.length),
  };
}
