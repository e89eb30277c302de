// Set-up of the hotel link, in the order in which it is done: how far it is, payment method, gateway, outlets and
// revenue, the hotel's payments, closing time.

import { $, call, get, h, n, span, swap, t, when, word } from './base.js';
import { field, mark, setting } from './form.js';
import { outletsAndRules } from './mapping.js';
import { ask, follow, me, perform, sayFault } from './shell.js';

let place, forms = null, hotel = '';

// ---- checklist

const COUNTS = new Set(['outlets', 'mapping']);

function item(i) {
  const detail = i.by ? [t('setup.ticked', i.by.by, when(i.by.at)), i.by.note] : [COUNTS.has(i.item) && /^\d+$/.test(i.detail || '') ? n('setup.entries', Number(i.detail)) : i.detail];
  return h('li', { class: 'step', data: { item: i.item, grade: i.done ? 'ok' : 'open' } },
    h('span', { class: 'shape', 'aria-hidden': 'true' }),
    h('div', {}, h('b', {}, word('hotel_setup.', i.item)), h('span', { class: 'soft' }, detail.filter(Boolean).join(' · '))),
    h('span', { class: 'step-state' }, t(i.done ? 'setup.done' : 'setup.open')),
    i.manual && h('button', { class: 'button small', onclick: e => tick(i, e.currentTarget) }, t(i.done ? 'setup.untick' : 'setup.tick')));
}

async function tick(i, button) {
  const note = h('input', { id: 'tick-note', maxlength: 200, autocomplete: 'off' });
  if (!i.done && !await ask(t('setup.tick_title'), word('hotel_setup.', i.item), t('setup.tick'), false, { body: h('label', {}, h('span', {}, t('setup.tick_note')), note) })) return;
  await perform(button, '/v1/pms/checklist/' + i.item, { body: { done: !i.done, note: note.value.trim() || undefined } });
  all.run();
}

function drawChecklist(v) {
  const sign = JSON.stringify([v.checklist, v.ready, v.profile]);
  if (sign === hotel) return;
  hotel = sign;
  swap($('checklist'), h('header', {}, h('h2', {}, t('setup.checklist')), h('span', { class: 'state', data: { grade: v.ready ? 'ok' : 'warn' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t(v.ready ? 'setup.ready' : 'setup.incomplete'))),
    h('ol', { class: 'steps-list' }, (v.checklist || []).map(item)),
    h('p', { class: 'soft' }, t(v.profile === 'cloud' ? 'hotel_setup.cloud' : 'hotel_setup.on_site'), ' ', t('hotel_setup.support')));
}

// ---- payment method (OPR-04 to OPR-10)

const CODE = 'IKPMS';
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$|^[0-9a-fA-F:.]+$/;
const plausible = text => ADDRESS.test(text) && (!/^[\d.]+(:\d+)?$/.test(text) || /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}(:\d+)?$/.test(text));

function methodForm(current) {
  return setting({
    path: '/v1/pms/settings/payment-method', current, saved: show, reload,
    draw: v => {
      const address = h('input', { id: 'address', value: v.server_address || '', maxlength: 260, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
      const result = h('p', { class: 'tried', id: 'tried', role: 'status' });
      return [
        field(t('setup.type'), h('select', { id: 'type' }, h('option', { value: 'room' }, t('setup.type_room'))), '/type'),
        field(t('setup.code'), h('input', { id: 'code', class: 'mono', value: v.code, maxlength: 20, autocomplete: 'off', spellcheck: 'false' }), '/code', t('setup.code_hint')),
        field(t('setup.name'), h('input', { id: 'name', value: v.name, maxlength: 60, autocomplete: 'off' }), '/name'),
        h('label', { class: 'tick' }, h('input', { id: 'transmit', type: 'checkbox', checked: v.transmit_all_tickets, 'aria-describedby': 'transmit-hint' }), h('span', {}, h('b', {}, t('setup.transmit')), h('span', { class: 'hint', id: 'transmit-hint' }, t('setup.transmit_hint')))),
        h('div', { class: 'address' }, field(t('setup.address'), address, '/server_address', t('setup.address_hint')), h('button', { class: 'button', type: 'button', id: 'try', onclick: e => tryAddress(address, result, e.currentTarget) }, t('setup.try'))),
        result,
      ];
    },
    read: () => ({ type: $('type').value, code: $('code').value.trim(), name: $('name').value.trim(), transmit_all_tickets: $('transmit').checked, server_address: $('address').value.trim() }),
    check: v => [
      v.code !== CODE && ['/code', t('setup.code_wrong')],
      (!v.name || [...v.name].length > 40) && ['/name', t('setup.name_wrong')],
      v.server_address && !plausible(v.server_address) && ['/server_address', t('setup.address_wrong')],
    ].filter(Boolean),
  });
}

async function tryAddress(input, result, button) {
  const address = input.value.trim();
  swap(result);
  delete result.dataset.grade;
  mark(input, !address ? t('setup.address_missing') : !plausible(address) ? t('setup.address_wrong') : '');
  if (!address || !plausible(address)) { input.focus(); return; }
  button.disabled = true;
  try {
    const { body: r } = await call('POST', '/v1/pms/try-address', { body: { address } });
    const took = span(r.took_ms);
    result.dataset.grade = r.reached ? 'ok' : 'bad';
    const text = !r.reached ? t('setup.not_reached', r.address, r.reason) : r.reason ? t('setup.reached_port', r.address, took) : t('setup.reached', r.address, took);
    swap(result, h('span', { class: 'shape', 'aria-hidden': 'true' }), text);
  } catch (fault) {
    mark(input, fault.problem.errors?.[0]?.detail || fault.message);
  } finally {
    button.disabled = false;
  }
}

// ---- gateway (OPR-11)

function gatewayForm(current) {
  return setting({
    path: '/v1/pms/settings/gateway', current, saved: show, reload,
    draw: v => [
      field(t('setup.gateway_name'), h('input', { id: 'gateway', value: v.name || '', maxlength: 60, autocomplete: 'off' }), '/name'),
      field(t('setup.gateway_product'), h('input', { id: 'product', value: v.product || '', maxlength: 60, autocomplete: 'off' }), '/product'),
      field(t('setup.gateway_case'), h('input', { id: 'case', value: v.case || '', maxlength: 60, autocomplete: 'off' }), '/case'),
    ],
    read: () => ({ name: $('gateway').value.trim(), product: $('product').value.trim(), case: $('case').value.trim() }),
    check: v => !v.name || [...v.name].length > 40 ? [['/name', t('setup.name_wrong')]] : [],
  });
}

// ---- the hotel's payments

function tendersForm(current) {
  let rows;
  const pointer = name => '/' + name.replaceAll('~', '~0').replaceAll('/', '~1');
  const row = (name, code, changed) => {
    const r = h('div', { class: 'entry' },
      field(t('setup.tender'), h('input', { class: 't-name', value: name, maxlength: 40, autocomplete: 'off' }), 'name ' + name),
      field(t('setup.tender_code'), h('input', { class: 't-code mono', value: code, maxlength: 10, autocomplete: 'off', autocapitalize: 'characters' }), pointer(name)),
      h('button', { class: 'button small', type: 'button', 'aria-label': `${t('setup.remove')}: ${name || t('setup.tender')}`, onclick: () => { r.remove(); changed(); } }, t('setup.remove')));
    return r;
  };
  return setting({
    path: '/v1/pms/settings/tenders', current, saved: show, reload,
    draw: (v, changed) => {
      rows = h('div', { class: 'entries' }, Object.entries(v || {}).map(([name, code]) => row(name, code, changed)));
      return [rows, h('button', { class: 'button', type: 'button', id: 'tender-add', onclick: () => { rows.append(row('', '', changed)); changed(); rows.lastChild.querySelector('input').focus(); } }, t('setup.tender_add'))];
    },
    read: form => Object.fromEntries([...form.querySelectorAll('.entry')].map(r => {
      const name = r.querySelector('.t-name').value.trim(), code = r.querySelector('.t-code');
      r.querySelector('.t-name').dataset.pointer = 'name ' + name;
      code.dataset.pointer = pointer(name);
      return [name, code.value.trim()];
    })),
    check: v => [
      ...Object.entries(v).filter(([, code]) => !code || [...code].length > 5 || /[\s|]/.test(code)).map(([name]) => [pointer(name), t('setup.tender_wrong')]),
      ...('' in v ? [['name ', t('setup.missing')]] : []),
      ...twice([...rows.querySelectorAll('.t-name')].map(i => i.value.trim())).map(name => ['name ' + name, t('setup.twice')]),
    ],
  });
}

const twice = list => [...new Set(list.filter((v, i) => v && list.indexOf(v) !== i))];

// ---- closing time (OPR-27, OPR-28)

function closingForm(current) {
  if (me.role !== 'admin') {
    const shown = h('p', {}), show = v => swap(shown, h('b', { class: 'closing' }, v.value.business_day_close), ' ', h('span', { class: 'soft' }, t('setup.closing_admin')));
    show(current);
    return { form: shown, update: show, isDirty: () => false };
  }
  return setting({
    path: '/v1/pms/settings/closing', current, saved: show, reload,
    draw: v => field(t('setup.closing'), h('input', { id: 'closing', type: 'time', required: true, value: v.business_day_close }), '/business_day_close'),
    read: () => ({ business_day_close: $('closing').value }),
    check: v => v.business_day_close ? [] : [['/business_day_close', t('setup.missing')]],
    confirm: v => ask(t('setup.closing_title', v.business_day_close), t('setup.closing_effect', v.business_day_close), t('setup.closing_yes'), true),
  });
}

// ---- the page

const SECTIONS = [
  ['payment_method', 'setup.method', 'setup.method_purpose', methodForm],
  ['gateway', 'setup.gateway', 'setup.gateway_purpose', gatewayForm],
  ['mapping', 'setup.outlets', 'setup.outlets_purpose', current => outletsAndRules(current, show, reload)],
  ['tenders', 'setup.tenders', 'setup.tenders_purpose', tendersForm],
  ['closing', 'setup.closing', 'setup.closing_purpose', closingForm],
];

// show brings every form up to the settings, but for those somebody is typing in.
function show(settings) {
  if (!place || !settings) return;
  if (!forms) {
    forms = {};
    swap($('settings'), SECTIONS.map(([name, title, purpose, make]) => {
      forms[name] = make(settings[name]);
      return h('section', { class: 'sheet pad set', id: 'set-' + name, 'aria-labelledby': 'title-' + name }, h('h2', { id: 'title-' + name }, t(title)), h('p', { class: 'soft' }, t(purpose)), forms[name].form);
    }));
    prefill();
    return;
  }
  for (const [name] of SECTIONS) forms[name].update(settings[name]);
}

const reload = () => all.run();

// prefill begins a rule for revenue that none assigns, as the Revenue part links here.
function prefill() {
  const q = new URLSearchParams(location.search);
  if (!q.has('group')) return;
  history.replaceState(null, '', '/hotel/setup');
  forms.mapping.begin({ outlet: q.get('outlet') || 'any', pos_config: q.get('pos_config') || 'any', floor_plan: q.get('floor_plan') || 'any', group: q.get('group') || 'any', period: 'any', subtotal: '' });
}

const all = follow(['setting', 'pms'], async () => {
  if (!place) return;
  const [settings, v] = await Promise.all([get('/v1/pms/settings'), get('/v1/pms')]);
  if (!place) return;
  if (!$('settings')) swap(place, h('section', { class: 'sheet pad set', id: 'checklist' }), h('div', { id: 'settings' }));
  drawChecklist(v);
  show(settings);
});
all.fault = fault => {
  if (!place || (forms && fault.status !== 403)) return;
  const box = h('div', { class: 'sheet say' });
  swap(place, box);
  sayFault(box, fault, () => all.run());
};

addEventListener('beforeunload', e => { if (place && forms && Object.values(forms).some(f => f.isDirty())) e.preventDefault(); });

export const setup = {
  open(where) {
    place = where;
    forms = null;
    hotel = '';
    swap(place, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')));
    all.run();
  },
  close() { place = undefined; forms = null; },
};
