// One printer: how it stands and what to check, what waits for it, its last tickets as pictures, when it was out.

import { $, age, day, get, h, icon, n, number, seconds, swap, t, word } from './base.js';
import { jobs } from './jobs.js';
import { href, paper, queue, reason, state } from './printerstate.js';
import { rows } from './rows.js';
import { ask, may, perform, toast } from './shell.js';
import { testChoice } from './testpage.js';

const MOST_OPEN = 100; // waiting jobs shown

let panel, name = '', all = [], page, drawn = '', parts, token = 0;

export const printer = {
  open(place, which, list, of) {
    panel = place;
    name = which;
    page = of;
    drawn = '';
    parts = null;
    this.update(list);
  },
  update(list) {
    all = list;
    const p = all.find(x => x.name === name);
    if (!p) { parts = null; drawn = ''; swap(panel, head(name), h('div', { class: 'say' }, h('p', { class: 'say-title' }, t('printer.none', name)), h('p', {}, t('printer.none_remedy')))); return; }
    parts ??= layout();
    const sign = JSON.stringify([p, all.map(x => [x.name, x.state])]);
    if (sign !== drawn) {
      drawn = sign;
      draw(p);
    }
    load();
  },
  close() {
    token++;
    name = '';
    parts = null;
  },
};

function head(title, ...more) {
  return h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, title), more),
    h('button', { class: 'round', title: t('printer.close'), 'aria-label': t('printer.close'), onclick: () => page.go('/printers') }, icon('close')));
}

// layout makes the parts that are drawn each by itself, so that a picture or an opened dialog stays when a figure moves.
function layout() {
  const top = h('div', {}), open = h('div', {}), tickets = h('div', {}), outages = rows({
    name: 'outages', label: t('printer.outages'), id: o => o.from, empty: [t('printer.outages_none'), t('printer.outages_none_note')],
    columns: [
      { head: t('outage.from'), text: o => stamp(o.from), value: o => o.from },
      { head: t('outage.lasted'), text: o => o.until ? age(Date.parse(o.until) - Date.parse(o.from)) : t('outage.still'), value: o => o.until ? Date.parse(o.until) - Date.parse(o.from) : Infinity, num: true },
      { head: t('outage.reason'), text: o => word('reason.', o.reason) },
      { head: t('outage.held'), text: o => number(o.held || 0), value: o => o.held || 0, num: true },
    ],
  });
  const list = jobs({ open, tickets, changed: () => page.reload() });
  swap(panel, top, open, h('section', { class: 'p-lines' }, h('h3', {}, t('printer.tickets')), tickets),
    h('section', { class: 'p-lines outages-part' }, h('h3', {}, t('printer.outages')), outages.tools, outages.place));
  return { top, list, outages };
}

const stamp = text => `${day(Date.parse(text))} ${seconds(Date.parse(text))}`;

async function load() {
  const mine = ++token, which = encodeURIComponent(name), to = parts;
  const [done, waiting, out] = await Promise.allSettled([get(`/v1/jobs?printer=${which}&limit=${to.list.wanted()}`), get(`/v1/jobs?printer=${which}&state=open&limit=${MOST_OPEN}`), get(`/v1/printers/${which}/outages?limit=200`)]);
  if (mine !== token || to !== parts) return;
  if (done.status === 'fulfilled' && waiting.status === 'fulfilled') to.list.set(done.value.jobs || [], waiting.value.jobs || [], name);
  else to.list.fault(done.reason || waiting.reason, load);
  if (out.status === 'fulfilled') to.outages.set(out.value.outages || []);
  else to.outages.fault(out.reason, load);
}

const KIND_ICON = { wired: 'lan', bluetooth: 'wave', usb: 'plug', serial: 'plug' };

function draw(p) {
  const focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const why = reason(p), check = p.diagnosis || [];
  const fact = (key, value, extra) => value ? h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', extra || {}, value)) : null;
  swap(parts.top,
    head(p.name, state(p)),
    h('p', { class: 'p-sub kind' }, p.kind && icon(KIND_ICON[p.kind] || 'plug'), [word('printer.kind.', p.kind), [p.maker, p.device || p.model].filter(Boolean).join(' '), (p.stations || []).join(', ')].filter(Boolean).join(' · ')),
    why.length > 0 && h('p', { class: 'p-why', data: { grade: p.state === 'ready' || p.state === 'printing' || p.state === 'paused' ? 'warn' : 'bad' } }, why.join(' · ')),
    check.length > 0 && h('section', { class: 'checks' }, h('h3', {}, t('printer.check')), h('ol', {}, check.map(s => h('li', {}, s)))),
    h('div', { class: 'tile-figures four' }, queue(p), paper(p),
      h('div', {}, h('b', {}, p.sequence ? number(p.sequence) : '–'), h('span', {}, t('printer.sequence'))),
      h('div', {}, h('b', { class: 'proof-word' }, word('printer.proved.', p.proof || 'unknown')), h('span', {}, word('printer.proof.', p.proof || 'unknown')))),
    acts(p),
    h('details', { class: 'more' }, h('summary', {}, t('printer.facts')), h('dl', { class: 'facts two' },
      fact('printer.connect', p.connect, { class: 'mono' }), fact('printer.hardware', p.hardware, { class: 'mono' }), fact('printer.model', p.model), fact('printer.device', [p.maker, p.device].filter(Boolean).join(' ')),
      fact('printer.firmware', p.firmware), fact('printer.serial', p.serial, { class: 'mono' }), fact('printer.fallback', p.fallback && h('a', { href: href(p.fallback) }, p.fallback)),
      fact('printer.stations', (p.stations || []).join(', ')), fact('printer.warns', p.queue_warn > 0 && n('printer.warns_at', p.queue_warn)))));
  if (focused) $(focused)?.focus({ preventScroll: true });
}

// ---- what can be done

const path = (p, act) => `/v1/printers/${encodeURIComponent(p.name)}${act ? '/' + act : ''}`;

function acts(p) {
  if (!may('manager', 'staff')) return null;
  const plain = (act, kind) => h('button', { id: 'p-' + act, class: 'button ' + (kind || ''), onclick: async e => {
    if (await perform(e.currentTarget, path(p, act), { done: t('printer.done.' + act, p.name) })) page.reload();
  } }, t('printer.' + act));
  return h('div', { class: 'acts' },
    p.state === 'paused' || p.paused ? plain('resume', 'primary') : plain('pause'),
    p.recoverable && plain('recover', 'primary'),
    h('button', { id: 'p-test', class: 'button', onclick: () => test(p) }, t('printer.test')),
    p.queue > 0 && all.length > 1 && h('button', { id: 'p-move', class: 'button', onclick: () => move(p) }, t('printer.move')),
    may('manager') && h('a', { id: 'p-replace', class: 'button', href: href(p) + '/replace' }, t('printer.replace')),
    may() && p.added && h('button', { id: 'p-remove', class: 'button danger', onclick: async e => {
      const button = e.currentTarget;
      if (!await ask(t('printer.remove_title', p.name), t('printer.remove_effect'), t('printer.remove_yes', p.name), true)) return;
      if (await perform(button, path(p), { method: 'DELETE', done: t('printer.removed', p.name) })) { page.go('/printers'); page.reload(); }
    } }, t('printer.remove')));
}

async function test(p) {
  const form = testChoice(p);
  if (!await ask(t('printer.test_title', p.name), '', t('printer.test_yes', p.name), false, { body: form.body })) return;
  await perform($('p-test'), path(p, 'test'), { body: { template: form.template }, done: t('printer.done.test', p.name) });
  page.reload();
}

async function move(p) {
  let to = '';
  const others = all.filter(x => x.name !== p.name);
  const good = x => x.state === 'ready' || x.state === 'printing';
  to = (others.find(x => x.name === p.fallback && good(x)) || others.find(good) || others[0]).name;
  const yes = h('span', {}), words = () => { yes.textContent = n('printer.move_yes', p.queue, to); };
  words();
  const body = h('fieldset', {}, h('legend', {}, t('printer.move_to')), others.map(x => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'to', value: x.name, checked: x.name === to, onchange: () => { to = x.name; words(); } }),
    h('span', { class: 'grow' }, h('b', {}, x.name), x.queue > 0 && h('small', { class: 'soft' }, ` ${number(x.queue)} ${n('printer.waiting', x.queue)}`)), state(x))));
  if (!await ask(t('printer.move_title', p.name), t('printer.move_effect', (p.stations || []).join(', ') || p.name), yes, false, { body })) return;
  const answer = await perform($('p-move') || h('button'), path(p, 'move-queue'), { body: { to } });
  if (answer) toast(n('printer.moved_done', answer.moved ?? 0, to), 'good');
  page.reload();
}
