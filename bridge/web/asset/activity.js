// Integration activity: the synced reservations, and the messages that were refused; each with an address of its own.

import { $, h, swap, t } from './base.js';
import { rejected } from './rejected.js';
import { synced } from './synced.js';

// A part opens in a place and closes again; show(id) follows the address within it.
const parts = { synced, rejected };
const href = part => part === 'rejected' ? '/integration/activity/rejected' : '/integration/activity';

let current = '';

function route() {
  const id = decodeURIComponent(/^\/integration\/activity\/(.+)$/.exec(location.pathname)?.[1] || '');
  const part = id === 'rejected' ? 'rejected' : 'synced';
  swap($('parts'), Object.keys(parts).map(p => h('a', { class: 'part', href: href(p), 'aria-current': p === part && 'page' }, t('activity.part.' + p))));
  if (part !== current) {
    parts[current]?.close();
    current = part;
    swap($('body'));
    $('main').scrollTop = 0;
    parts[part].open($('body'));
  }
  parts[part].show?.(part === 'synced' ? id : '');
}

// Links within the page change the part without loading anything anew.
document.addEventListener('click', e => {
  const a = e.target.closest?.('main a[href^="/integration/activity"]');
  if (!a || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  history.pushState(null, '', a.getAttribute('href'));
  route();
});
addEventListener('popstate', route);
document.addEventListener('synced', route); // the part moved on in the address by itself
route();
