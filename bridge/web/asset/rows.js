// rows.js is a table of any length: sorted by its heads, filtered by typing, saved as CSV. Rows that come while the
// pointer is over it wait behind "3 new"; beyond 500 only those in sight are in the page.

import { h, icon, n, number, swap, t } from './base.js';
import { download, say, sayFault } from './shell.js';

const MANY = 500; // rows that a page holds whole
const AROUND = 20; // rows kept ready above and below what is in sight

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: 'base' });
const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a ?? ''), String(b ?? ''));

// rows makes one.
//   name     of its CSV file, and a class of the table
//   columns  [{head, text(row), cell(row), value(row), num, csv, narrow}]: text is what typing finds and the CSV holds, cell
//            what is drawn (text without one), value what sorting compares (text without one; none at all: null); csv
//            false leaves a column of buttons out; text "" there
//   id       what a row is known by
//   sign     what makes a row be drawn anew when it changes; the whole row without one
//   href     where a row leads; its first cell becomes a link, and open(row) is called instead of leaving when given
//   empty    [title, remedy] when there is nothing at all
//   label    what the table is, for who cannot see it
// It gives {place, tools, set(list), fault(fault, again), mark(id)}: place holds the table, tools the field and the button.
export function rows({ name, columns, id, sign, href, open, empty, label }) {
  let all = [], held = null, loaded = false, filter = '', by = -1, down = false, inside = false, height = 0, selected = '', drawn = '';
  const kept = new Map(); // id -> {sign, row}

  const heads = columns.map((c, i) => h('th', { scope: 'col', class: [c.num && 'num', c.narrow && 'narrow'].filter(Boolean).join(' ') },
    c.value === null || !c.head ? c.head : h('button', { class: 'sort', type: 'button', onclick: () => sort(i) }, c.head, h('span', { class: 'sort-mark', 'aria-hidden': 'true' }))));
  const body = h('tbody', {}), before = h('tr', { class: 'gap', 'aria-hidden': 'true' }), after = h('tr', { class: 'gap', 'aria-hidden': 'true' });
  const table = h('table', { class: 'rows list ' + name, 'aria-label': label }, h('thead', {}, h('tr', {}, heads)), body);
  const more = h('button', { class: 'more-new', type: 'button', hidden: true, onclick: () => { release(); draw(); } });
  const skeleton = h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i'));
  const words = h('div', { class: 'say', hidden: true });
  const place = h('section', { class: 'sheet', 'aria-label': label, 'aria-busy': 'true' }, more, table, skeleton, words);
  const field = h('input', { type: 'search', placeholder: t('rows.find'), 'aria-label': t('rows.find'), autocomplete: 'off', spellcheck: 'false', oninput: () => { filter = field.value.trim().toLowerCase(); draw(); } });
  // A narrow glass shows no heads; there the order is chosen from a list.
  const order = h('select', { class: 'order', 'aria-label': t('rows.order'), onchange: () => { const [i, way] = order.value.split(' '); by = Number(i); down = way === 'down'; sorted(); } },
    h('option', { value: '-1' }, t('rows.order')), columns.flatMap((c, i) => c.value === null || !c.head ? [] : [h('option', { value: `${i} up` }, c.head + ' ▲'), h('option', { value: `${i} down` }, c.head + ' ▼')]));
  const count = h('span', { class: 'soft counted', role: 'status' });
  const tools = h('div', { class: 'tools' }, h('label', { class: 'find' }, icon('search'), field), order, count,
    h('button', { class: 'quiet', type: 'button', onclick: csv }, icon('down'), h('span', {}, t('page.csv'))));

  body.addEventListener('pointerenter', e => { inside = e.pointerType === 'mouse'; });
  body.addEventListener('pointerleave', () => { inside = false; });
  if (open) {
    body.addEventListener('click', e => {
      const r = e.target.closest('tr');
      if (!r?.dataset.id || e.ctrlKey || e.metaKey || e.shiftKey || e.target.closest('button, input, select')) return;
      e.preventDefault();
      open(kept.get(r.dataset.id).data);
    });
  }

  const textOf = (c, r) => String(c.text(r) ?? '');
  const found = r => columns.some(c => textOf(c, r).toLowerCase().includes(filter));

  function shown() {
    const list = filter ? all.filter(found) : all;
    if (by < 0) return list;
    const c = columns[by], value = c.value || c.text;
    return list.toSorted((a, b) => down ? compare(value(b), value(a)) : compare(value(a), value(b)));
  }

  // sort goes up, down, and back to the box's own order.
  function sort(i) {
    if (by !== i) { by = i; down = false; } else if (!down) down = true; else by = -1;
    sorted();
  }

  function sorted() {
    order.value = by < 0 ? '-1' : `${by} ${down ? 'down' : 'up'}`;
    heads.forEach((e, k) => e.setAttribute('aria-sort', k !== by ? 'none' : down ? 'descending' : 'ascending'));
    draw();
  }

  function row(r) {
    const key = String(id(r)), now = JSON.stringify([sign ? sign(r) : r, key === selected]);
    const known = kept.get(key);
    if (known?.sign === now) { known.data = r; return known.row; }
    const e = h('tr', { class: [href && 'leads', key === selected && 'selected'].filter(Boolean).join(' '), data: { id: key } }, columns.map((c, i) => {
      const inner = c.cell ? c.cell(r) : textOf(c, r);
      return h('td', { class: [c.num && 'num', c.narrow && 'narrow'].filter(Boolean).join(' '), data: { label: c.head || '' } }, href && i === 0 ? h('a', { href: href(r) }, inner) : inner);
    }));
    kept.set(key, { sign: now, row: e, data: r });
    return e;
  }

  // range tells which of so many rows are in sight, from where the table stands on the glass.
  function range(total) {
    if (total <= MANY) return [0, total];
    const first = body.querySelector('tr:not(.gap)');
    if (first) height = first.getBoundingClientRect().height || height;
    height ||= 49;
    const above = Math.max(0, -body.getBoundingClientRect().top);
    const from = Math.min(Math.max(0, Math.floor(above / height) - AROUND), Math.max(0, total - 1));
    return [from, Math.min(total, from + Math.ceil(innerHeight / height) + 2 * AROUND)];
  }

  function draw() {
    const list = shown(), [from, to] = range(list.length), whole = from === 0 && to === list.length;
    const wanted = list.slice(from, to).map(row);
    if (!whole) {
      before.style.height = from * height + 'px';
      after.style.height = (list.length - to) * height + 'px';
      wanted.unshift(before);
      wanted.push(after);
    }
    const stays = new Set(wanted);
    for (const e of [...body.children]) if (!stays.has(e)) e.remove();
    wanted.forEach((e, i) => { if (body.children[i] !== e) body.insertBefore(e, body.children[i] || null); });
    if (kept.size > 2 * all.length + MANY) kept.clear();
    drawn = `${from} ${to}`;
    watch(all.length > MANY);
    table.setAttribute('aria-rowcount', String(list.length + 1));
    skeleton.hidden = loaded;
    place.setAttribute('aria-busy', String(!loaded));
    const fresh = held ? held.length - all.length : 0;
    more.hidden = fresh <= 0;
    if (fresh > 0) swap(more, n('rows.new', fresh));
    count.textContent = !loaded || !filter ? '' : t('rows.shown', number(list.length), number(all.length));
    place.classList.toggle('bare', loaded && list.length === 0);
    if (!loaded || list.length) words.hidden = true;
    else if (filter) say(words, t('rows.none_found'), t('rows.none_found_remedy'), () => { field.value = filter = ''; draw(); });
    else if (empty) say(words, empty[0], empty[1]);
  }

  function release() {
    if (held) all = held;
    held = null;
  }

  // Rows in sight change as the page is scrolled, wherever the scrolling element is. A table that left the page listens no
  // more; it begins again when it is drawn.
  let asked = false, watching = false;
  function watch(on) {
    if (on === watching) return;
    watching = on;
    if (on) {
      document.addEventListener('scroll', look, { capture: true, passive: true });
      addEventListener('resize', look);
    } else {
      document.removeEventListener('scroll', look, { capture: true });
      removeEventListener('resize', look);
    }
  }
  function look() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      if (!place.isConnected) { watch(false); return; }
      const [from, to] = range(shown().length);
      if (drawn !== `${from} ${to}`) draw();
    });
  }

  function csv() {
    const some = columns.filter(c => c.csv !== false);
    download(`${name}-${new Date().toISOString().slice(0, 10)}.csv`, [some.map(c => c.head), ...shown().map(r => some.map(c => c.text(r) ?? ''))]);
  }

  draw();
  return {
    place, tools, field,
    set(list) {
      const known = new Set(all.map(r => String(id(r))));
      const added = list.filter(r => !known.has(String(id(r)))).length;
      if (loaded && inside && added && all.length) {
        const fresh = new Map(list.map(r => [String(id(r)), r]));
        all = all.map(r => fresh.get(String(id(r))) || r);
        held = [...list, ...all.filter(r => !fresh.has(String(id(r))))];
      } else {
        all = list;
        held = null;
      }
      loaded = true;
      draw();
    },
    fault(fault, again) {
      if (loaded && all.length && fault.status !== 403) return;
      loaded = true;
      all = [];
      draw();
      sayFault(words, fault, again);
    },
    mark(key) {
      selected = key;
      draw();
    },
  };
}
