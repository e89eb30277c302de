// Protocol trace: the records on the hotel link as they come. A line opens into its fields, named.

import { $, Fault, get, h, icon, n, seconds, swap, t, word } from './base.js';
import { may, save, sayFault, signIn, toast } from './shell.js';

const EVERY = 1000; // ms between two looks
const MOST = 500; // lines drawn; the saved file has all that the box kept
const QUIET = /^(LA\||<(ENQ|ACK)>$|<LinkAlive)/;

let place, lines = [], filter = '', quiet = true, paused = false, timer, unread = 0, loaded = false;

function layout() {
  const label = t('trace.find');
  swap(place,
    h('div', { class: 'bar' },
      h('label', { class: 'find' }, icon('search'), h('span', { class: 'hide' }, label), h('input', { id: 'find', type: 'search', placeholder: label, autocomplete: 'off', spellcheck: 'false', oninput: e => { filter = e.target.value.trim().toLowerCase(); drawAll(); } })),
      h('label', { class: 'tick' }, h('input', { id: 'quiet', type: 'checkbox', checked: quiet, onchange: e => { quiet = e.target.checked; drawAll(); } }), h('span', {}, t('trace.quiet'))),
      h('button', { class: 'button', id: 'pause', 'aria-pressed': 'false', onclick: () => { paused = !paused; $('pause').setAttribute('aria-pressed', String(paused)); $('pause').textContent = t(paused ? 'trace.resume' : 'trace.pause'); look(); } }, t('trace.pause')),
      h('button', { class: 'quiet', id: 'save', onclick: store }, icon('down'), h('span', {}, t('trace.save')))),
    h('p', { class: 'notice' }, t('trace.purpose'), !may('manager') && ' ' + t('trace.masked')),
    h('section', { class: 'sheet tracing', id: 'list', 'aria-busy': 'true' },
      h('div', { class: 'trace', id: 'lines', tabindex: 0, role: 'log', 'aria-live': 'off', 'aria-label': t('hotel.part.trace'), onscroll: () => { if (atEnd()) read(); } }),
      h('div', { class: 'say', id: 'say', hidden: true }),
      h('button', { class: 'more-new', id: 'more-new', hidden: true, onclick: () => { const box = $('lines'); box.scrollTop = box.scrollHeight; read(); } })),
    h('p', { class: 'soft counted', id: 'count' }));
}

// ---- a record

const ARROW = { '>': '→', '<': '←', '!': '•' };
const SIDE = { '>': 'trace.sent', '<': 'trace.got', '!': 'trace.link' };

// fields parts a FIAS record: LA|DA260821|TI190405|. Other text has none.
function fields(text) {
  if (!/^[A-Z]{2}\|/.test(text)) return null;
  const [record, ...rest] = text.split('|');
  return { record, fields: rest.filter(f => f.length >= 2 && !f.startsWith('  # ')).map(f => ({ id: f.slice(0, 2), value: f.slice(2) })) };
}

// elements parts an XML_POS message: its name and attributes.
function elements(text) {
  const name = /^(?:<\?[^>]*>)?\s*<([A-Za-z]\w*)[\s/>]/.exec(text);
  if (!name) return null;
  return { record: name[1], fields: [...text.matchAll(/\b([A-Za-z]\w*)="([^"]*)"/g)].filter(m => m[1] !== 'version' && m[1] !== 'encoding').map(m => ({ id: m[1], value: m[2] })) };
}

function fieldName(id) {
  for (const key of [id, /^[STD][1-9]$/.test(id) && id[0]]) {
    if (!key) continue;
    const text = t('trace.field.' + key);
    if (text !== 'trace.field.' + key) return text;
  }
  return '';
}

// meaning says what a record is; a PR with a total books, without one it asks (spec/fias.md 6.2).
function meaning({ record, fields }) {
  if (record.length !== 2) return '';
  if (record === 'PR') return t(fields.some(f => f.id === 'TA' && f.value) ? 'trace.posting' : 'trace.inquiry');
  const text = word('trace.record.', record);
  return text === record ? '' : text;
}

function line(l) {
  const parsed = fields(l.text) || elements(l.text);
  const head = [
    h('time', { datetime: l.at }, seconds(Date.parse(l.at)) + '.' + String(new Date(l.at).getMilliseconds()).padStart(3, '0')),
    h('span', { class: 'way', title: t(SIDE[l.direction] || 'trace.link') }, h('span', { 'aria-hidden': 'true' }, ARROW[l.direction] || '•'), h('span', { class: 'hide' }, t(SIDE[l.direction] || 'trace.link'))),
  ];
  const data = { way: { '>': 'out', '<': 'in' }[l.direction] || 'own', seq: l.seq };
  if (!parsed) return h('div', { class: 'record plain-record', data }, head, h('span', { class: 'what' }, l.text));
  const name = meaning(parsed);
  return h('details', { class: 'record', data, ontoggle: e => open(e.currentTarget, l, parsed) },
    h('summary', {}, head, h('span', { class: 'what' }, h('b', {}, parsed.record), name && h('span', { class: 'named' }, name),
      parsed.fields.map(f => h('span', { class: 'f' }, h('i', {}, f.id), f.id.length > 2 && '=', f.value)))));
}

function open(e, l, parsed) {
  if (!e.open || e.children.length > 1) return;
  e.append(h('dl', { class: 'fields' }, parsed.fields.map(f => h('div', {}, h('dt', {}, h('b', {}, f.id), fieldName(f.id)), h('dd', {}, f.value || '–'))),
    h('div', { class: 'whole' }, h('dt', {}, t('trace.raw')), h('dd', { class: 'mono' }, l.text))));
}

// ---- drawing

const wanted = l => (!quiet || filter || !QUIET.test(l.text)) && (!filter || l.text.toLowerCase().includes(filter));
const atEnd = () => { const box = $('lines'); return box.scrollHeight - box.scrollTop - box.clientHeight < 24; };

function read() {
  unread = 0;
  $('more-new').hidden = true;
}

function drawAll() {
  const shown = lines.filter(wanted);
  swap($('lines'), shown.slice(-MOST).map(line));
  $('lines').scrollTop = $('lines').scrollHeight;
  read();
  after(shown.length);
}

function drawNew(fresh) {
  const some = fresh.filter(wanted), follow = atEnd(), box = $('lines');
  box.append(...some.slice(-MOST).map(line));
  if (follow) { // what is read or open must not move
    while (box.children.length > MOST) box.firstChild.remove();
    box.scrollTop = box.scrollHeight;
  } else if (some.length) {
    unread += some.length;
    $('more-new').hidden = false;
    swap($('more-new'), n('trace.new', unread));
  }
  after(lines.filter(wanted).length);
}

function after(count) {
  $('list').setAttribute('aria-busy', 'false');
  $('count').textContent = n('trace.count', count);
  $('say').hidden = count > 0;
  $('lines').hidden = count === 0;
  if (!count) swap($('say'), h('p', { class: 'say-title' }, t(lines.length ? 'trace.none_found' : 'trace.empty')));
}

// ---- following

async function look() {
  clearTimeout(timer);
  if (!place || paused) return;
  if (document.visibilityState === 'visible') {
    // The last line known comes again: when it does not, the box was restarted and counts anew.
    const last = lines.at(-1);
    try {
      const got = (await get('/v1/pms/trace' + (last ? '?after=' + (last.seq - 1) : ''))).lines || [];
      if (!place) return;
      if (last && (got[0]?.seq !== last.seq || got[0]?.at !== last.at)) {
        lines = got.length && got[0].seq > last.seq ? got : (await get('/v1/pms/trace')).lines || [];
        if (!place) return;
        drawAll();
      } else if (last) {
        const fresh = got.slice(1);
        lines = [...lines, ...fresh].slice(-2000);
        if (fresh.length) drawNew(fresh);
      } else {
        lines = got;
        if (got.length || !loaded) drawAll();
      }
      loaded = true;
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      if (fault.status === 401) { signIn(); return; }
      if (place && !loaded) {
        $('lines').hidden = true;
        sayFault($('say'), fault, look);
        if (fault.status === 403) return;
      }
    }
  }
  clearTimeout(timer);
  timer = setTimeout(look, EVERY);
}

// store saves what the box kept, as the box writes it.
async function store() {
  const name = `hotel-link-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.txt`;
  try {
    const answer = await fetch('/v1/pms/trace', { headers: { Accept: 'text/plain' }, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(20e3) });
    if (!answer.ok) throw new Fault(answer.status);
    save(name, 'text/plain', await answer.text());
    toast(t('trace.saved', name), 'good');
  } catch (fault) {
    toast(fault instanceof Fault ? fault.message : t('fault.unreachable'), 'bad');
  }
}

export const trace = {
  open(where) {
    place = where;
    lines = [];
    filter = '';
    paused = loaded = false;
    unread = 0;
    layout();
    look();
  },
  close() { place = undefined; clearTimeout(timer); },
};
