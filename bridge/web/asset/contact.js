// Whom to call: what people wrote down about each partner on the page of help.

import { get, h, swap, t } from './base.js';

// facts draws what is known of one; null when nobody wrote anything.
export function facts(c) {
  const line = (key, content) => content && h('div', { class: 'fact' }, h('dt', {}, t('contact.' + key)), h('dd', {}, content));
  return c.name || c.phone || c.mail || c.account || c.note ? h('dl', { class: 'facts' }, line('name', c.name), line('phone', c.phone && h('a', { href: 'tel:' + c.phone.replace(/[^+0-9]/g, '') }, c.phone)),
    line('mail', c.mail && h('a', { href: 'mailto:' + c.mail }, c.mail)), line('account', c.account), line('note', c.note)) : null;
}

// contacts draws those of the partners named, the first of which the page is about.
export async function contacts(names, into) {
  let list;
  try {
    list = (await get('/v1/contacts')).value;
  } catch {
    return; // whom to call is on the page of help too
  }
  const plain = text => text.toLowerCase().replace(/\W/g, '');
  const found = list.filter(c => facts(c) && names.some(name => plain(c.partner).includes(plain(name))));
  swap(into, found.map(c => [names.length > 1 && h('h3', {}, c.partner), facts(c)]),
    !found.length && h('p', { class: 'soft' }, t('info.no_contact', names[0])), h('p', {}, h('a', { href: '/help' }, t('info.to_contacts'))));
}
