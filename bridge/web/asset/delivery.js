// Integration > Delivery: the links to the delivery partners, what a day left open, and refused messages.

import { $, h, swap, t } from './base.js';
import { day } from './deliveryday.js';
import { links } from './deliverylinks.js';
import { rejected } from './deliveryrejected.js';

// A part opens in a place and closes again; show(id) follows the address within it. What is no part is a link's name.
const parts = { links, day, rejected };
const base = '/integration/delivery';
const href = part => part === 'links' ? base : base + '/' + part;

const address = () => {
  const name = decodeURIComponent(location.pathname.split('/')[3] || '');
  return name in parts && name !== 'links' ? { part: name, id: '' } : { part: 'links', id: name };
};

let current = '';

function route() {
  const { part, id } = address();
  swap($('parts'), Object.keys(parts).map(p => h('a', { class: 'part', href: href(p), 'aria-current': p === part && 'page' }, t('delivery.part.' + p))));
  if (part === current) { parts[part].show(id); return; }
  if (current) parts[current].close();
  current = part;
  swap($('body'));
  $('main').scrollTop = 0;
  parts[part].open($('body'), id);
}

document.addEventListener('click', e => {
  const a = e.target.closest?.('main a[href^="/integration/delivery"]');
  if (!a || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  history.pushState(null, '', a.getAttribute('href'));
  route();
});
addEventListener('popstate', route);
route();
