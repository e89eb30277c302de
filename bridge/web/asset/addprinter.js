// Add printer: the search for printers on the box's own network, only when somebody asks for it, and the form that
// takes one into service.

import { $, Fault, call, h, icon, n, newKey, number, span, swap, t } from './base.js';
import { field, mark } from './form.js';
import { may, perform, sayFault, toast } from './shell.js';

let panel, all = [], page, found = null, busy = false, parts;

export const addPrinter = {
  open(place, _, list, of) {
    panel = place;
    all = list;
    page = of;
    parts = { list: h('div', { class: 'found', 'aria-live': 'polite' }), form: h('div', {}) };
    if (!may('manager')) { swap(panel, head(), h('div', { class: 'say' }, h('p', { class: 'say-title' }, t('page.forbidden')), h('p', {}, t('add.manager')))); return; }
    swap(panel, head(),
      h('p', { class: 'p-sub' }, t('add.purpose')),
      h('div', { class: 'form-acts' }, h('button', { class: 'button primary', id: 'scan', disabled: busy, onclick: scan }, t('add.scan')), h('button', { class: 'button', id: 'by-hand', onclick: () => drawForm({}) }, t('add.by_hand'))),
      parts.list, parts.form);
    if (found) drawFound();
  },
  update(list) { all = list; },
  close() { parts = null; },
};

function head() {
  return h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, t('printers.add'))),
    h('button', { class: 'round', title: t('printer.close'), 'aria-label': t('printer.close'), onclick: () => page.go('/printers') }, icon('close')));
}

async function scan(e) {
  const button = e.currentTarget;
  busy = button.disabled = true;
  found = null;
  swap(parts.form);
  swap(parts.list, h('p', { class: 'notice', role: 'status' }, t('add.looking')), h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i')));
  try {
    found = (await call('POST', '/v1/printers/scan', { body: {}, key: newKey(), timeout: 60e3 })).body || {};
    if (parts) drawFound();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (parts) {
      const box = h('div', { class: 'say' });
      swap(parts.list, box);
      sayFault(box, fault, () => $('scan').click());
    }
  } finally {
    busy = false;
    if ($('scan')) $('scan').disabled = false;
  }
}

const model = f => [f.maker, f.device].filter(Boolean).join(' ');

function drawFound() {
  const some = found.found || [];
  swap(parts.list,
    h('p', { class: 'notice', role: 'status' }, n('add.found', some.length, number(found.asked || 0), span(found.took_ms || 0))),
    some.length === 0 ? h('p', { class: 'soft' }, t('add.none_found')) : h('ul', { class: 'queue' }, some.map(f => h('li', { data: { address: f.address } },
      h('span', { class: 'found-number', title: t('add.number') }, String(f.number)),
      h('div', { class: 'grow' }, h('b', {}, model(f) || t('add.unnamed')), h('small', { class: 'mono' }, f.address), h('span', { class: 'soft' }, [f.hardware, f.serial].filter(Boolean).join(' · '))),
      h('button', { class: 'button small', data: { act: 'identify' }, onclick: ev => perform(ev.currentTarget, '/v1/printers/identify', { body: { address: f.address }, done: t('add.identified', number(f.number)) }) }, t('add.identify', number(f.number))),
      f.known_as ? h('a', { class: 'button small', href: '/printers/' + encodeURIComponent(f.known_as) }, t('add.known', f.known_as))
        : h('button', { class: 'button small primary', data: { act: 'take' }, onclick: () => drawForm(f) }, t('add.take'))))));
}

// guess finds the known model that a printer's own name stands for: TM-T88VI is an epson-tm-t88.
function guess(f, models) {
  const plain = s => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  const said = plain(f.device || ''), by = plain(f.maker || '');
  let best = '', length = 0;
  for (const m of models) {
    const [maker, ...rest] = m.split('-'), bare = plain(rest.join(''));
    if (bare.length > length && said.includes(bare) && (!by || by.includes(plain(maker)))) { best = m; length = bare.length; }
  }
  return best || 'generic-80mm';
}

const line = v => `- {name: ${v.name || '…'}, connect: ${JSON.stringify(v.connect || '…')}, model: ${v.model || '…'}}`;

function drawForm(f) {
  const models = [...$('models').options].map(o => o.value), likely = f.address ? guess(f, models) : '';
  const name = h('input', { id: 'add-name', required: true, maxlength: 40, autocomplete: 'off', spellcheck: 'false', placeholder: 'bar' });
  const connect = h('input', { id: 'add-connect', required: true, value: f.address || '', class: 'mono', autocomplete: 'off', spellcheck: 'false', placeholder: 'tcp:192.168.1.40:9100' });
  const kind = h('select', { id: 'add-model' }, models.map(m => h('option', { value: m, selected: m === likely }, m)));
  const columns = h('input', { id: 'add-columns', inputmode: 'numeric', autocomplete: 'off', placeholder: t('add.columns_auto') });
  const fallback = h('select', { id: 'add-fallback' }, h('option', { value: '' }, t('add.fallback_none')), all.map(p => h('option', { value: p.name }, p.name)));
  const yes = h('button', { class: 'button primary', id: 'add-yes' }, t('add.yes', '…')), sample = h('pre', { class: 'sample', tabindex: 0 }), admin = may();
  const value = () => ({ name: name.value.trim(), connect: connect.value.trim(), model: kind.value, columns: Number(columns.value.trim()) || 0, fallback: fallback.value, hardware: f.hardware || '' });
  const words = () => { yes.textContent = t('add.yes', name.value.trim() || '…'); sample.textContent = 'printers:\n  ' + line(value()); };
  const inputs = { '/name': name, '/connect': connect, '/model': kind, '/columns': columns, '/fallback': fallback };
  const blame = faults => {
    for (const e of Object.values(inputs)) mark(e, '');
    for (const [pointer, text] of faults) if (inputs[pointer]) mark(inputs[pointer], text);
    inputs[faults[0]?.[0]]?.focus();
    return faults.length === 0;
  };
  const check = v => [
    !/^[a-z0-9][a-z0-9_-]*$/.test(v.name) && ['/name', t('add.fault_name')], all.some(p => p.name === v.name) && ['/name', t('add.fault_taken', v.name)],
    !/^(tcp|usb|serial|file):./.test(v.connect) && ['/connect', t('add.fault_connect')],
    columns.value.trim() && !(v.columns >= 16 && v.columns <= 96) && ['/columns', t('add.fault_columns')],
  ].filter(Boolean);
  async function store(e) {
    e.preventDefault();
    const v = value();
    if (!blame(check(v))) return;
    yes.disabled = true;
    try {
      await call('POST', '/v1/printers', { body: v, key: newKey(), timeout: 30e3 });
      toast(t('add.done', v.name), 'good');
      found = null;
      page.reload();
      page.go('/printers/' + encodeURIComponent(v.name));
    } catch (fault) {
      yes.disabled = false;
      const known = fault.problem?.code === 'name_taken' ? [{ pointer: '/name', detail: fault.message }] : (fault.problem?.errors || []).filter(x => inputs[x.pointer]);
      if (known.length) blame(known.map(x => [x.pointer, x.detail]));
      else toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    }
  }
  swap(parts.form, h('form', { class: 'setting add-form', novalidate: true, oninput: words, onchange: words, onsubmit: store },
    h('h3', {}, t('add.form')),
    h('div', { class: 'form-fields' },
      field(t('add.name'), name, '/name', t('add.name_hint')), field(t('printer.connect'), connect, '/connect', t('add.connect_hint')),
      field(t('printer.model'), kind, '/model', f.address && (model(f) ? t('add.guess', model(f)) : t('add.no_guess'))), field(t('add.columns'), columns, '/columns', t('add.columns_hint')),
      field(t('printer.fallback'), fallback, '/fallback', t('add.fallback_hint'))),
    h('p', { class: 'notice' }, t('add.station_hint')),
    admin ? h('div', { class: 'form-acts' }, yes) : [h('p', { class: 'notice bad' }, t('add.admin')), sample]));
  words();
  name.focus();
  parts.form.scrollIntoView({ block: 'nearest' });
}
