// The settings of a platform: how checks are opened, what the courses mean, what stands on the till, what is kept. They are
// saved as a whole or not at all, and count from then on.

import { get, h, swap, t } from './base.js';
import { courses } from './courses.js';
import { field, setting } from './form.js';
import { may } from './shell.js';
import { tags } from './tags.js';

let form = null;

const number = (id, label, value, pointer, hint, lo, hi) => field(label, h('input', { id, type: 'number', inputmode: 'numeric', min: lo, max: hi, value }), pointer, hint);

// tick is a switch with a sentence below it that says what it does.
function tick(id, key, checked, pointer) {
  const input = h('input', { id, type: 'checkbox', checked, data: { pointer }, 'aria-describedby': `${id}-hint ${id}-fault` });
  return h('label', { class: 'tick' }, input, h('span', {}, h('b', {}, t('set.' + key)), h('span', { class: 'hint', id: id + '-hint' }, t('set.' + key + '_hint')), h('span', { class: 'fault', id: id + '-fault' })));
}

const group = (id, key, ...content) => h('fieldset', { class: 'sheet set group', id }, h('legend', { class: 'group-head' }, t('set.' + key)), h('p', { class: 'soft' }, t('set.' + key + '_lead')), h('div', { class: 'form-fields' }, content));

function draw(v, changed, p, groups) {
  const tills = tags({ id: 'tills', label: t('set.tills'), hint: t('set.tills_hint'), pointer: '/tills', values: v.tills, ordered: true, changed });
  const map = courses({ value: v.courses, groups, changed, stages: p.capabilities.stages });
  const button = (name, key) => {
    const list = tags({ id: name + '-placements', label: t('set.placements'), hint: t('set.placements_hint'), pointer: `/${name}/placements`, values: v[name].placements || [], changed });
    return { name, list, nodes: [tick(name, key, v[name].on, `/${name}/on`), tick(name + '-all', 'all_menus', v[name].all_menus, `/${name}/all_menus`), list.node] };
  };
  const pay = button('pay_by_deposit', 'pay_by_deposit'), manage = button('manage_reservations', 'manage_reservations');
  const aliases = pairs(v.aliases, changed);
  kept = { v, tills, map, pay, manage, aliases };
  return [
    group('checks', 'checks',
      tick('open_checks', 'open_checks', v.open_checks, '/open_checks'), tick('walk_ins', 'walk_ins', v.walk_ins, '/walk_ins'), tick('open_on_partially_seated', 'partially', v.open_on_partially_seated, '/open_on_partially_seated'),
      tick('multi_table', 'multi_table', v.multi_table, '/multi_table'), tick('default_profile', 'default_profile', v.default_profile, '/default_profile'),
      field(t('set.order_profile'), h('input', { id: 'order_profile', value: v.order_profile, maxlength: 100, autocomplete: 'off' }), '/order_profile', t('set.order_profile_hint')),
      field(t('set.staff'), h('input', { id: 'staff', value: v.staff, maxlength: 100, autocomplete: 'off' }), '/staff', t('set.staff_hint')),
      number('match_before', t('set.match_before'), v.match_before_minutes, '/match_before_minutes', t('set.match_hint'), 0, 240), number('match_after', t('set.match_after'), v.match_after_minutes, '/match_after_minutes', '', 0, 240), tills.node),
    group('courses', 'courses', map.node, h('p', { class: 'hint' }, t('set.groups_from'), ' ', h('a', { href: '/integration/departments' }, t('set.to_departments'))),
      tick('course_numbers', 'course_numbers', v.course_numbers, '/course_numbers'), tick('regress_after_bill', 'regress', v.regress_after_bill, '/regress_after_bill'), tick('relay_check_data', 'relay', v.relay_check_data, '/relay_check_data')),
    group('buttons', 'buttons', pay.nodes, manage.nodes),
    group('guests', 'guests', number('retention', t('set.retention'), v.guest_retention_days, '/guest_retention_days', t('set.retention_hint'), 1, 3650), aliases.node),
  ];
}

let kept;

// pairs lists the tables that bear another name at the platform on purpose.
function pairs(map, changed) {
  const list = h('div', { class: 'entries', id: 'aliases' });
  const row = (there, here) => {
    const e = h('div', { class: 'entry' }, field(t('set.alias_there'), h('input', { class: 'a-there', value: there, maxlength: 100, autocomplete: 'off' }), '/aliases'), field(t('set.alias_here'), h('input', { class: 'a-here', value: here, maxlength: 100, autocomplete: 'off' }), '/aliases'),
      h('button', { class: 'button small', type: 'button', onclick: () => { e.remove(); changed(); } }, t('setup.remove')));
    return e;
  };
  for (const [there, here] of Object.entries(map || {})) list.append(row(there, here));
  const add = h('button', { class: 'button small', type: 'button', onclick: () => { const e = row('', ''); list.append(e); e.querySelector('input').focus(); changed(); } }, t('set.alias_add'));
  return { node: h('div', { class: 'whole' }, h('h3', {}, t('set.aliases')), h('p', { class: 'hint' }, t('set.aliases_hint')), list, add),
    read: () => Object.fromEntries([...list.children].map(e => [e.querySelector('.a-there').value, e.querySelector('.a-here').value]).filter(([a, b]) => a || b)) };
}

// bind keeps what depends on another field in step with it: walk-ins need seated parties, the profile excludes the till's own
// (RES-15, RES-21).
function bind(f) {
  const of = id => f.querySelector('#' + id);
  const seated = of('open_checks').checked;
  for (const id of ['walk_ins', 'open_on_partially_seated']) {
    of(id).disabled = !seated;
    if (!seated) of(id).checked = false;
  }
  of('order_profile').disabled = of('default_profile').checked;
  for (const name of ['pay_by_deposit', 'manage_reservations']) f.querySelectorAll(`#${name}-all, #${name}-placements input, #${name}-placements button`).forEach(e => { e.disabled = !of(name).checked; });
}

function read(f) {
  const of = id => f.querySelector('#' + id), on = id => of(id).checked, whole = id => Number.isInteger(of(id).valueAsNumber) ? of(id).valueAsNumber : -1;
  const button = b => ({ on: on(b.name), all_menus: on(b.name + '-all'), placements: b.list.read() });
  return {
    ...kept.v, open_checks: on('open_checks'), walk_ins: on('walk_ins'), open_on_partially_seated: on('open_on_partially_seated'), multi_table: on('multi_table'), default_profile: on('default_profile'),
    order_profile: on('default_profile') ? '' : of('order_profile').value.trim(), staff: of('staff').value.trim(), tills: kept.tills.read(), courses: kept.map.read(), course_numbers: on('course_numbers'),
    regress_after_bill: on('regress_after_bill'), relay_check_data: on('relay_check_data'), match_before_minutes: whole('match_before'), match_after_minutes: whole('match_after'),
    pay_by_deposit: button(kept.pay), manage_reservations: button(kept.manage), guest_retention_days: whole('retention'), aliases: kept.aliases.read(),
  };
}

function check(v) {
  const faults = [kept.tills, kept.pay.list, kept.manage.list].map(l => [l.pointer, l.left()]).filter(([, why]) => why);
  const range = (pointer, n, lo, hi) => { if (n < lo || n > hi) faults.push([pointer, t('set.not_in_range', lo, hi)]); };
  if (!v.default_profile && !v.order_profile) faults.push(['/order_profile', t('set.no_profile')]);
  range('/match_before_minutes', v.match_before_minutes, 0, 240);
  range('/match_after_minutes', v.match_after_minutes, 0, 240);
  range('/guest_retention_days', v.guest_retention_days, 1, 3650);
  return faults;
}

// known gathers the statistic groups that the venue's departments have, to be picked from.
async function known() {
  try {
    return await get('/v1/departments');
  } catch {
    return null; // none are kept here: the values are typed
  }
}

export const linkSettings = {
  async open(place, p) {
    form = null;
    const groups = await known();
    if (!place.isConnected) return;
    const path = '/v1/integrations/' + encodeURIComponent(p.platform), manager = may('manager');
    const show = fresh => { form.update({ value: fresh.settings, revision: fresh.revision }); ready(); };
    const ready = () => {
      bind(form.form);
      if (!manager) form.form.querySelectorAll('input, select, button').forEach(e => { e.disabled = true; });
    };
    form = setting({ path, member: 'settings', current: { value: p.settings, revision: p.revision }, draw: (v, changed) => draw(v, changed, p, groups), read, check, saved: show, reload: async () => show(await get(path)) });
    form.form.classList.add('link-form');
    form.form.addEventListener('change', () => bind(form.form));
    swap(place, !manager && h('p', { class: 'notice' }, t('set.managers')), form.form);
    ready();
    this.show = show;
  },
  update(p) { if (form && !form.isDirty()) this.show(p); },
};
