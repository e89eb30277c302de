// parts.js is a page of several parts, each with an address of its own.

import { $, h, swap, t } from './base.js';
import { inside } from './inside.js';

// parts runs them. A part opens in a place with the id of its address and closes again; show(id) follows the address within it.
//   all    {name: part}; the first has the page's own address
//   base   that address; another part's is its name below it, and what names no part is an id of the first
//   words  what the key of a part's word begins with
//   may    tells whether a part is for this person
// It gives {route, leave}: route follows the address, leave closes the part that is open until route is called again.
export function parts({ all, base, words, may = () => true }) {
  const [first] = Object.keys(all);
  const href = part => part === first ? base : base + '/' + part;
  let current = '', left = true;

  function route() {
    left = false;
    const [, name = '', id = ''] = location.pathname.slice(base.length).split('/').map(decodeURIComponent);
    const at = Object.hasOwn(all, name) ? { part: name, id } : { part: first, id: name };
    swap($('parts'), Object.keys(all).filter(may).map(p => h('a', { class: 'part', href: href(p), 'aria-current': p === at.part && 'page' }, t(words + p))));
    $('parts').querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
    if (at.part === current) { all[current].show?.(at.id); return; }
    if (current) all[current].close();
    current = at.part;
    $('body').className = 'part-' + current;
    swap($('body'));
    $('main').scrollTop = 0;
    all[current].open($('body'), at.id);
  }

  function leave() {
    left = true;
    if (current) all[current].close();
    current = '';
  }

  inside(`main a[href^="${base}"]`, () => { if (!left) route(); });
  return { route, leave };
}
