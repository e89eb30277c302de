// Menus: what the partners sell of the POS's catalogue, and the parts of the page, each with an address of its own below
// /menus.

import { $, h, swap, t } from './base.js';
import { check } from './menucheck.js';
import { items } from './menuitems.js';
import { links } from './menulinks.js';
import { overview } from './menuoverview.js';
import { runs } from './menuruns.js';

// A part opens in a place and closes again; show(id) follows the address within it.
const parts = { overview, items, links, history: runs, check };
const href = part => part === 'overview' ? '/menus' : '/menus/' + part;

const address = () => {
  const [, , part, id] = location.pathname.split('/');
  return { part: parts[part] ? part : 'overview', id: decodeURIComponent(id || '') };
};

let current = '';

function route() {
  const { part, id } = address();
  swap($('parts'), Object.keys(parts).map(p => h('a', { class: 'part', href: href(p), 'aria-current': p === part && 'page' }, t('menus.part.' + p))));
  if (part === current) { parts[part].show(id); return; }
  if (current) parts[current].close();
  current = part;
  swap($('body'));
  $('main').scrollTop = 0;
  parts[part].open($('body'), id);
}

// Links within the page change the part without loading anything anew.
document.addEventListener('click', e => {
  const a = e.target.closest?.('main a[href^="/menus"]');
  if (!a || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  history.pushState(null, '', a.getAttribute('href'));
  route();
});
addEventListener('popstate', route);
route();
