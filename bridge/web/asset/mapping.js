// Outlets and revenue: which number each outlet has at the hotel, and which subtotal each kind of revenue goes to. The
// first rule that fits holds, so their order counts.

import { $, h, icon, swap, t } from './base.js';
import { field, setting } from './form.js';

const ANY = 'any';
const PERIODS = [ANY, '04-11', '11-14', '14-18', '18-04'];
const PLACES = ['pos_config', 'floor_plan', 'group'];

const whole = text => /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0;
const words = { pos_config: 'revenue.pos_config', floor_plan: 'revenue.floor_plan', group: 'revenue.group' };

// outletsAndRules is the form of the mapping; begin(rule) starts a rule in it.
export function outletsAndRules(current, saved, reload) {
  let value, changed;

  const outlets = () => h('div', { class: 'entries', id: 'outlets' }, value.outlets.map((o, i) => h('div', { class: 'entry' },
    field(t('posting.outlet'), h('input', { class: 'o-name', value: o.name, maxlength: 60, autocomplete: 'off' }), `/outlets/${i}/name`),
    field(t('setup.outlet_code'), h('input', { class: 'o-code', value: o.code || '', inputmode: 'numeric', maxlength: 6, autocomplete: 'off' }), `/outlets/${i}/code`),
    h('button', { class: 'button small', type: 'button', 'aria-label': `${t('setup.remove')}: ${o.name || t('posting.outlet')}`, onclick: () => alter(v => v.outlets.splice(i, 1)) }, t('setup.remove')))));

  const choice = (options, chosen) => h('select', {}, [...new Set([...options, chosen])].map(o => h('option', { value: o, selected: o === chosen }, o === ANY ? t('revenue.any') : o)));
  const rules = () => h('ol', { class: 'entries', id: 'rules' }, value.rules.map((r, i) => h('li', { class: 'entry rule', 'aria-label': t('setup.rule', i + 1) },
    h('span', { class: 'rule-number', 'aria-hidden': 'true' }, String(i + 1)),
    field(t('posting.outlet'), named(choice([ANY, ...value.outlets.map(o => o.name).filter(Boolean)], r.outlet || ANY), 'r-outlet'), `/rules/${i}/outlet`),
    PLACES.map(p => field(t(words[p]), h('input', { class: 'r-' + p, value: r[p] === ANY ? '' : r[p], placeholder: t('revenue.any'), maxlength: 60, autocomplete: 'off' }), `/rules/${i}/${p}`)),
    field(t('setup.period'), named(choice(PERIODS, r.period || ANY), 'r-period'), `/rules/${i}/period`),
    field(t('setup.subtotal'), h('input', { class: 'r-subtotal', value: r.subtotal || '', inputmode: 'numeric', maxlength: 2, autocomplete: 'off' }), `/rules/${i}/subtotal`),
    h('div', { class: 'entry-acts' },
      h('button', { class: 'round', type: 'button', disabled: i === 0, title: t('setup.up'), 'aria-label': `${t('setup.rule', i + 1)}: ${t('setup.up')}`, onclick: () => alter(v => v.rules.splice(i - 1, 0, ...v.rules.splice(i, 1)), i - 1) }, icon('up')),
      h('button', { class: 'button small', type: 'button', 'aria-label': `${t('setup.remove')}: ${t('setup.rule', i + 1)}`, onclick: () => alter(v => v.rules.splice(i, 1)) }, t('setup.remove'))))));

  const named = (element, name) => { element.className = name; return element; };

  function body() {
    const last = value.rules.at(-1), total = last && ['outlet', ...PLACES, 'period'].every(k => !last[k] || last[k] === ANY);
    return [
      outlets(), h('button', { class: 'button', type: 'button', id: 'outlet-add', onclick: () => { alter(v => v.outlets.push({ name: '', code: 0 })); $('outlets').lastChild.querySelector('input').focus(); } }, t('setup.outlet_add')),
      h('h3', {}, t('setup.rules')), rules(),
      !total && h('p', { class: 'hint' }, t('setup.rule_default')),
      h('button', { class: 'button', type: 'button', id: 'rule-add', onclick: () => begin({}) }, t('setup.rule_add')),
      field(t('setup.paymasters'), h('input', { id: 'paymasters', value: (value.paymasters || []).join(', '), autocomplete: 'off' }), '/paymasters', t('setup.paymasters_hint')),
    ];
  }

  // read takes what the fields hold.
  function read(form) {
    const all = name => [...form.querySelectorAll('.' + name)].map(i => i.value.trim());
    const names = all('o-name'), codes = all('o-code');
    const of = Object.fromEntries(['outlet', ...PLACES, 'period', 'subtotal'].map(k => [k, all('r-' + k)]));
    return {
      outlets: names.map((name, i) => ({ name, code: whole(codes[i]) })),
      rules: of.outlet.map((outlet, i) => ({ outlet, pos_config: of.pos_config[i] || ANY, floor_plan: of.floor_plan[i] || ANY, group: of.group[i] || ANY, period: of.period[i], subtotal: whole(of.subtotal[i]) })),
      paymasters: $('paymasters').value.split(',').map(p => p.trim()).filter(Boolean),
    };
  }

  // alter changes the lists; what was typed meanwhile is kept.
  function alter(change, focus) {
    value = read(it.form);
    change(value);
    swap(it.form.querySelector('.form-fields'), body());
    changed();
    if (focus !== undefined) $('rules').children[focus]?.querySelector('button:not(:disabled)')?.focus();
  }

  function begin(rule) {
    alter(v => {
      // A rule that fits everything stands last, or what follows it would never be looked at.
      const last = v.rules.at(-1);
      const at = last && ['outlet', ...PLACES, 'period'].every(k => last[k] === ANY) ? v.rules.length - 1 : v.rules.length;
      v.rules.splice(at, 0, { outlet: ANY, pos_config: ANY, floor_plan: ANY, group: ANY, period: ANY, ...rule, subtotal: 0 });
      begun = at;
    });
    const row = $('rules').children[begun];
    row.scrollIntoView({ block: 'center' });
    row.querySelector(rule.group ? '.r-subtotal' : 'select, input').focus({ preventScroll: true });
  }
  let begun = 0;

  const it = setting({
    path: '/v1/pms/settings/mapping', current, saved, reload, read,
    draw: (v, onchange) => {
      value = { outlets: v.outlets || [], rules: v.rules || [], paymasters: v.paymasters || [] };
      changed = onchange;
      return body();
    },
    check: v => {
      const faults = [];
      v.outlets.forEach((o, i) => {
        if (!o.name) faults.push([`/outlets/${i}/name`, t('setup.missing')]);
        else if (v.outlets.findIndex(x => x.name === o.name) !== i) faults.push([`/outlets/${i}/name`, t('setup.twice')]);
        if (o.code < 1 || o.code > 99999) faults.push([`/outlets/${i}/code`, t('setup.outlet_code_wrong')]);
        else if (v.outlets.findIndex(x => x.code === o.code) !== i) faults.push([`/outlets/${i}/code`, t('setup.twice')]);
      });
      v.rules.forEach((r, i) => { if (r.subtotal < 1 || r.subtotal > 16) faults.push([`/rules/${i}/subtotal`, t('setup.subtotal_wrong')]); });
      return faults;
    },
  });
  return { ...it, begin };
}
