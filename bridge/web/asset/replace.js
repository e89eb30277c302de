// The wizard that puts another device behind a printer's name: plug in, recognise, test, done. Stations, fallback and
// waiting tickets stay with the name.

import { $, h, icon, n, number, swap, t } from './base.js';
import { reason, state } from './printerstate.js';
import { may, perform } from './shell.js';
import { testChoice } from './testpage.js';

const STEPS = ['plug', 'recognise', 'test', 'done'];
const KINDS = new Set(['wired', 'usb', 'serial', 'bluetooth', 'file']);
let panel, name = '', all = [], page, drawn = '', step = 0, before = null, choice;

// What a person did is kept in this tab, so that a reload does not begin anew.
const keep = () => sessionStorage.setItem('replace.' + name, JSON.stringify({ step, before }));
const identity = p => ({ maker: p.maker || '', device: p.device || '', serial: p.serial || '', hardware: p.hardware || '', firmware: p.firmware || '' });

export const replace = {
  open(place, which, list, of) {
    panel = place;
    name = which;
    page = of;
    drawn = '';
    choice = null;
    ({ step, before } = JSON.parse(sessionStorage.getItem('replace.' + name) || 'null') || { step: 0, before: null });
    this.update(list);
  },
  update(list) {
    all = list;
    const p = all.find(x => x.name === name);
    if (!p) { swap(panel, head(), h('div', { class: 'say' }, h('p', { class: 'say-title' }, t('printer.none', name)))); return; }
    if (!may('manager')) { swap(panel, head(), h('div', { class: 'say' }, h('p', { class: 'say-title' }, t('page.forbidden')), h('p', {}, t('replace.manager')))); return; }
    before ??= identity(p);
    const sign = JSON.stringify([p, step]);
    if (sign === drawn) return;
    drawn = sign;
    draw(p);
  },
  close() { name = ''; },
};

const back = () => '/printers/' + encodeURIComponent(name);

function head() {
  return h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, t('replace.title', name))),
    h('button', { class: 'round', title: t('printer.close'), 'aria-label': t('printer.close'), onclick: () => page.go(back()) }, icon('close')));
}

function to(next) {
  step = next;
  keep();
  drawn = '';
  replace.update(all);
  panel.scrollTop = 0;
  panel.querySelector('.wizard h3')?.focus({ preventScroll: true });
}

const device = v => [v.maker, v.device].filter(Boolean).join(' ') || t('replace.unnamed');

function draw(p) {
  const focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const body = [plug, recognise, test, done][step](p);
  swap(panel, head(),
    h('ol', { class: 'wizard-steps', 'aria-label': t('replace.steps') }, STEPS.map((s, i) => h('li', { 'aria-current': i === step && 'step', data: { done: String(i < step) } }, h('span', { class: 'number', 'aria-hidden': 'true' }, i < step ? icon('check') : String(i + 1)), h('span', {}, t('replace.step.' + s))))),
    h('section', { class: 'wizard' }, h('h3', { tabindex: -1 }, t('replace.step.' + STEPS[step])), body));
  if (focused) $(focused)?.focus({ preventScroll: true });
}

const next = (text, run, kind = 'primary') => h('button', { class: 'button ' + kind, id: 'wizard-next', onclick: run }, text);
const acts = (...buttons) => h('div', { class: 'form-acts' }, buttons);

// now is what the box hears from the device at this moment.
const now = p => h('div', { class: 'now', role: 'status' }, state(p), h('span', {}, p.up ? t('replace.answers', device(p)) : reason(p)[0] || t('replace.silent')));

function plug(p) {
  return [
    h('ol', { class: 'todo' }, [t('replace.off'), t('replace.swap.' + (KINDS.has(p.kind) ? p.kind : 'wired'), p.connect), t('replace.on')].map(s => h('li', {}, s))),
    now(p),
    acts(p.up && p.state !== 'paused' && next(t('printer.pause'), async e => { if (await perform(e.currentTarget, `/v1/printers/${encodeURIComponent(name)}/pause`, { done: t('printer.done.pause', name) })) page.reload(); }, ''),
      h('button', { class: 'button primary', id: 'wizard-go', onclick: () => to(1) }, t('replace.plugged'))),
  ];
}

function recognise(p) {
  const is = identity(p), same = !!(is.serial || is.hardware) && is.serial === before.serial && is.hardware === before.hardware;
  const line = (key, a, b) => (a || b) && h('tr', {}, h('th', { scope: 'row' }, t(key)), h('td', {}, a || '–'), h('td', {}, b || '–'));
  return [
    now(p),
    h('table', { class: 'rows plain compare' }, h('thead', {}, h('tr', {}, h('th', {}), h('th', { scope: 'col' }, t('replace.was')), h('th', { scope: 'col' }, t('replace.is')))), h('tbody', {},
      line('printer.device', device(before), p.up ? device(is) : ''), line('printer.serial', before.serial, p.up ? is.serial : ''), line('printer.hardware', before.hardware, p.up ? is.hardware : ''), line('printer.firmware', before.firmware, p.up ? is.firmware : ''))),
    h('p', { class: same ? 'notice bad' : 'notice' }, !p.up ? t('replace.wait') : same ? t('replace.same') : t('replace.effect')),
    acts(h('button', { class: 'button', onclick: () => to(0) }, t('replace.back')),
      next(p.queue > 0 ? n('replace.yes', p.queue) : t('replace.yes_none'), async e => { if (await perform(e.currentTarget, `/v1/printers/${encodeURIComponent(name)}/replace`, { body: {}, done: t('replace.replaced', name) })) { page.reload(); to(2); } })),
  ];
}

function test(p) {
  choice ??= testChoice(p);
  return [
    now(p),
    h('p', { class: 'notice' }, t('replace.compare')),
    h('form', { class: 'ask-body', onsubmit: e => e.preventDefault() }, choice.body),
    acts(h('button', { class: 'button', id: 'wizard-test', onclick: e => perform(e.currentTarget, `/v1/printers/${encodeURIComponent(name)}/test`, { body: { template: choice.template }, done: t('printer.done.test', name) }) }, t('printer.test_yes', name)),
      next(t('replace.good'), () => to(3))),
    h('p', { class: 'soft' }, t('replace.bad')),
  ];
}

function done(p) {
  const paused = p.state === 'paused' || p.paused;
  const finish = () => { sessionStorage.removeItem('replace.' + name); page.go(back()); };
  return [
    now(p),
    h('p', { class: 'notice' }, p.queue > 0 ? n(paused ? 'replace.waits' : 'replace.leaves', p.queue) : t('replace.ready', name)),
    h('p', { class: 'soft' }, t('replace.kept', [(p.stations || []).join(', '), p.fallback].filter(Boolean).join(' · ') || '–', number(p.sequence || 0))),
    acts(paused && h('button', { class: 'button primary', onclick: async e => { if (await perform(e.currentTarget, `/v1/printers/${encodeURIComponent(name)}/resume`, { done: t('printer.done.resume', name) })) { page.reload(); finish(); } } }, t('printer.resume')),
      next(t('replace.finish'), finish, paused ? '' : 'primary')),
  ];
}
