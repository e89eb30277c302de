// Help: words, whom to call, and the bundle for whoever helps.

import { $, get, h, swap, t } from './base.js';
import { facts } from './contact.js';
import { setting } from './form.js';
import { follow, may, ready, sayFault, toast } from './shell.js';

const MEMBERS = ['partner', 'name', 'phone', 'mail', 'account', 'note'];
let form, editing = false, known;

// ---- whom to call

const card = c => h('article', { class: 'contact' }, h('h4', {}, c.partner), facts(c) || h('p', { class: 'soft' }, t('contact.none')));

function draw() {
  const place = $('contacts');
  place.setAttribute('aria-busy', 'false');
  if (editing) { swap(place, form.form, h('button', { class: 'quiet', type: 'button', onclick: () => { editing = false; form = null; draw(); } }, t('contact.close'))); return; }
  swap(place, known.value.length ? known.value.map(card) : h('p', { class: 'soft' }, t('contact.empty')),
    may('manager') && h('button', { class: 'button', id: 'edit-contacts', type: 'button', onclick: edit }, t('contact.edit')));
}

function row(c, i, changed) {
  return h('fieldset', { class: 'contact-row' }, h('legend', { class: 'hide' }, c.partner || t('contact.new')), MEMBERS.map(m => {
    const input = h('input', { id: `contact-${i}-${m}`, value: c[m] || '', maxlength: m === 'note' ? 500 : 120, autocomplete: 'off', spellcheck: 'false', type: m === 'mail' ? 'email' : m === 'phone' ? 'tel' : 'text', data: { pointer: `/${i}/${m}`, member: m } });
    return h('div', { class: 'field-row' }, h('label', { for: input.id }, t('contact.' + m)), input, h('span', { class: 'fault', id: input.id + '-fault' }));
  }), h('button', { class: 'button small', type: 'button', onclick: e => { e.target.closest('fieldset').remove(); number(); changed(); } }, t('contact.remove')));
}

// number gives each field the pointer of its row, after one was taken away.
function number() {
  document.querySelectorAll('.contact-row').forEach((f, i) => f.querySelectorAll('input').forEach(e => { e.dataset.pointer = `/${i}/${e.dataset.member}`; }));
}

function edit() {
  editing = true;
  form = setting({
    path: '/v1/contacts', current: known,
    draw: (value, changed) => {
      const list = h('div', {}, value.map((c, i) => row(c, i, changed)));
      return [list, h('button', { class: 'button', type: 'button', onclick: () => { list.append(row({}, list.children.length, changed)); list.lastElementChild.querySelector('input').focus(); } }, t('contact.add'))];
    },
    read: f => [...f.querySelectorAll('.contact-row')].map(r => Object.fromEntries([...r.querySelectorAll('input')].map(e => [e.dataset.member, e.value.trim()]).filter(([m, v]) => v || m === 'partner'))),
    saved: answer => { known = answer; editing = false; form = null; draw(); },
    reload: () => { editing = false; form = null; list.run(); },
  });
  draw();
  $('contacts').querySelector('input')?.focus();
}

const list = follow(['setting'], async () => {
  const answer = await get('/v1/contacts');
  await ready;
  known = answer;
  $('bundle').hidden = !may('manager');
  if (!editing) draw();
});
list.fault = fault => {
  if (known) return;
  const place = h('div', { class: 'say' });
  $('contacts').setAttribute('aria-busy', 'false');
  swap($('contacts'), place);
  sayFault(place, fault, () => list.run());
};

// ---- the bundle: fetched here, so that a refusal is said on this page and the button is busy while it is made

$('bundle').addEventListener('click', async e => {
  e.preventDefault();
  const button = $('bundle');
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  toast(t('help.bundle_making'));
  try {
    const answer = await fetch('/v1/support-bundle', { credentials: 'same-origin', cache: 'no-store' });
    if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.detail || t('fault.status', answer.status));
    const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') || '')?.[1] || 'aboyeur.tar.gz';
    const link = h('a', { href: URL.createObjectURL(await answer.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    toast(t('help.bundle_made', name), 'good');
  } catch (fault) {
    toast(fault instanceof TypeError ? t('fault.unreachable') : fault.message, 'bad');
  }
  button.setAttribute('aria-busy', 'false');
});
