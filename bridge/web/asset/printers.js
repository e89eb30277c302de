// Printers: a card each, with its state as a word and a shape; beside them one printer, the wizard that replaces it, or
// the search for new ones, each with an address of its own.

import { $, get, h, lang, number, swap, t, word } from './base.js';
import { addPrinter } from './addprinter.js';
import { inside } from './inside.js';
import { printer } from './printer.js';
import { grade, href, paper, queue, reason, state } from './printerstate.js';
import { replace } from './replace.js';
import { follow, may, perform, ready, say, sayFault } from './shell.js';

const MANY = 8; // cards; beyond them a field to find one by typing

let all = [], filter = '', loaded = false, drawn = '';

// ---- the cards

// verb is a button that pauses or resumes.
function verb(p, act, kind) {
  return h('button', { class: 'button ' + (kind || ''), id: act + '-' + p.name, onclick: async e => {
    if (await perform(e.currentTarget, `/v1/printers/${encodeURIComponent(p.name)}/${act}`, { done: t('printer.done.' + act, p.name) })) list.run();
  } }, t('printer.' + act));
}

function card(p) {
  const why = reason(p);
  return h('article', { class: 'tile printer', data: { grade: grade(p), name: p.name }, onclick: e => { if (!e.target.closest('a, button')) go(href(p)); } },
    h('header', {}, h('h2', {}, h('a', { href: href(p) }, p.name)), state(p)),
    why.length > 0 && h('p', { class: 'reason' }, why.join(' · ')),
    h('div', { class: 'tile-figures' }, queue(p), paper(p), h('div', {}, h('b', {}, p.sequence ? number(p.sequence) : '–'), h('span', {}, t('printer.sequence')))),
    h('dl', { class: 'facts' },
      [['printer.proof', word('printer.proof.', p.proof || 'unknown')], ['printer.stations', (p.stations || []).join(', ')], ['printer.fallback', p.fallback], ['printer.model', [p.maker, p.device || p.model].filter(Boolean).join(' ')], ['printer.kind', word('printer.kind.', p.kind)]]
        .filter(([, value]) => value).map(([key, value]) => h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value)))),
    may('manager', 'staff') && h('footer', {}, h('a', { class: 'button', href: href(p) }, t('printer.open')), p.state === 'paused' ? verb(p, 'resume', 'primary') : verb(p, 'pause')));
}

const matches = p => !filter || [p.name, p.maker, p.device, p.model, p.connect, word('printer.state.', p.state), ...(p.stations || [])].join(' ').toLowerCase().includes(filter);

function draw() {
  const here = address(), shown = all.filter(matches);
  const sign = JSON.stringify([shown, here.name]);
  $('finder').hidden = all.length <= MANY;
  if (sign === drawn) return;
  drawn = sign;
  const body = $('body'), focused = body.contains(document.activeElement) && document.activeElement.id;
  body.setAttribute('aria-busy', 'false');
  if (!all.length) { body.className = 'sheet say'; say(body, t('printers.empty'), t('printers.empty_remedy')); return; }
  if (!shown.length) { body.className = 'sheet say'; say(body, t('rows.none_found'), t('rows.none_found_remedy')); return; }
  body.className = 'tiles';
  const cards = shown.map(card);
  cards.forEach((e, i) => e.classList.toggle('selected', shown[i].name === here.name));
  swap(body, cards);
  if (focused) $(focused)?.focus({ preventScroll: true });
}

// ---- the address: /printers, /printers/NAME, /printers/NAME/replace, /add-printer

function address() {
  const [, first, name, more] = location.pathname.split('/');
  return { add: first === 'add-printer', name: decodeURIComponent(name || ''), replace: more === 'replace' };
}

const views = [addPrinter, replace, printer];
let at = '';

function route() {
  const { add, name, replace: replacing } = address(), view = add ? addPrinter : name && replacing ? replace : name ? printer : null;
  const panel = $('panel'), key = location.pathname;
  $('split').classList.toggle('open', !!view);
  panel.hidden = !view;
  if (key !== at) {
    at = key;
    for (const v of views) if (v !== view) v.close();
    swap(panel);
    panel.scrollTop = 0;
    if (view && loaded) { view.open(panel, name, all, { go, reload: () => list.run() }); panel.focus({ preventScroll: true }); }
  } else if (view && loaded) view.update(all);
  draw();
}

const go = inside('main a[href^="/printers"], main a[href="/add-printer"]', route);
addEventListener('keydown', e => {
  if (e.key === 'Escape' && !$('panel').hidden && !document.querySelector('dialog')) {
    const { name, replace: replacing } = address();
    go(replacing ? href(name) : '/printers');
    if (!replacing) document.querySelector(`[data-name="${CSS.escape(name)}"] h2 a`)?.focus({ preventScroll: true });
  } else if (e.key === '/' && !$('finder').hidden && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { e.preventDefault(); $('find').focus(); }
});
$('find').addEventListener('input', e => { filter = e.target.value.trim().toLowerCase(); draw(); });

const list = follow(['printer', 'job', 'warning'], async () => {
  const answer = (await get('/v1/printers?language=' + lang)).printers || [];
  await ready;
  $('add').hidden = !may('manager');
  all = answer;
  if (!loaded) { loaded = true; at = ''; }
  route();
});
list.fault = fault => {
  if (loaded) return;
  $('split').classList.remove('open');
  $('body').className = 'sheet say';
  $('body').setAttribute('aria-busy', 'false');
  sayFault($('body'), fault, () => list.run());
};
