// jobs.js shows the print jobs of one printer: those that wait, with what can be done about each, and the last ones as
// pictures of their paper.

import { h, icon, n, swap, t, when, word } from './base.js';
import { ask, may, perform, sayFault } from './shell.js';

const PAGE = 12, MOST = 120; // pictures at first, and at most
const OPEN = new Set(['queued', 'held', 'sending', 'sent', 'waiting', 'unknown']);
const AGAIN = new Set(['done', 'unknown', 'cleared', 'failed', 'superseded', 'cancelled']); // can be sent once more
const GIVE_UP = new Set(['queued', 'held', 'waiting', 'unknown', 'cleared']); // can be given up

const isOpen = j => OPEN.has(j.state) && j.settled !== true;
const canGoAgain = j => AGAIN.has(j.state) && !isOpen(j) && j.kind !== 'test' && j.kind !== 'slip';
const isMoney = j => j.kind === 'receipt' || j.kind === 'bill'; // its copy says DUPLICATA

// title is what people call the job.
const title = j => [(j.kind || 'ticket') !== 'ticket' && word('job.kind.', j.kind), j.label].filter(Boolean).join(' ') || t('job.kind.ticket');

const standing = j => h('span', { class: 'paper-state', data: { state: j.state } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), h('span', {},
  [word('job.state.', j.state), j.attempt > 1 && t('order.attempt', j.attempt), word('reason.', j.reason)].filter(Boolean).join(' · ')));

const picture = (j, lazy) => h('img', { class: 'ticket-picture', alt: t('job.alt', title(j)), src: `/v1/jobs/${encodeURIComponent(j.id)}/preview.png`, loading: lazy && 'lazy', decoding: 'async' });

// jobs draws into two places: open, for those that wait, and tickets, for the pictures. changed is called after an act.
export function jobs({ open: above, tickets, changed }) {
  let wanted = PAGE, drawnOpen = '', kept = new Map(), printer = '', loaded = false;
  const grid = h('div', { class: 'papers' }), more = h('button', { class: 'quiet wide', type: 'button', hidden: true, onclick: () => { wanted = Math.min(MOST, wanted + 2 * PAGE); changed(); } }, t('job.older'));
  swap(tickets, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i')));

  function sheet(j) {
    const sign = [j.state, j.attempt, j.reason].join();
    const known = kept.get(j.id);
    if (known?.sign === sign) return known.e;
    const image = known && known.attempt === j.attempt ? known.image : picture(j, true); // the picture stays, only its words change
    image.addEventListener('error', () => image.classList.add('gone'), { once: true });
    const e = h('button', { class: 'paper-card', type: 'button', data: { id: j.id }, onclick: () => show(j) },
      h('span', { class: 'paper-window' }, image), h('b', {}, title(j)), h('span', { class: 'soft' }, when(j.at)), standing(j));
    kept.set(j.id, { sign, e, image, attempt: j.attempt });
    return e;
  }

  function waiting(list) {
    const sign = JSON.stringify(list);
    if (sign === drawnOpen) return;
    drawnOpen = sign;
    const focused = above.contains(document.activeElement) ? document.activeElement.id : '';
    swap(above, list.length > 0 && h('section', { class: 'p-lines' }, h('h3', {}, n('job.waiting', list.length)), h('ul', { class: 'queue' }, list.map(j => h('li', { data: { id: j.id } },
      h('div', { class: 'grow' }, h('b', {}, title(j)), h('small', {}, when(j.at)), standing(j)),
      h('button', { class: 'button small', id: 'look-' + j.id, onclick: () => show(j) }, t('job.look')),
      may('manager', 'staff') && GIVE_UP.has(j.state) && h('button', { class: 'button small danger', id: 'clear-' + j.id, onclick: e => clear(j, e.currentTarget) }, t('job.clear')))))));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  // show is the paper large, with what can be done.
  function show(j) {
    const box = h('div', { class: 'paper-box', tabindex: 0 }), image = picture(j);
    image.addEventListener('error', () => swap(box, h('p', { class: 'soft' }, t('order.paper_fault'))));
    swap(box, image);
    const d = h('dialog', { class: 'ask paper-dialog', 'aria-labelledby': 'paper-title' },
      h('header', { class: 'p-head' }, h('h2', { id: 'paper-title' }, title(j)), h('button', { class: 'round', title: t('job.close'), 'aria-label': t('job.close'), onclick: () => d.close() }, icon('close'))),
      standing(j), box,
      h('div', { class: 'ask-acts' },
        j.order && h('a', { class: 'button', href: '/orders/' + encodeURIComponent(j.order) }, t('job.order')),
        may('manager', 'staff') && GIVE_UP.has(j.state) && h('button', { class: 'button danger', onclick: async e => { if (await clear(j, e.currentTarget)) d.close(); } }, t('job.clear')),
        may('manager', 'staff') && canGoAgain(j) && h('button', { class: 'button primary', id: 'reprint', onclick: async e => { if (await again(j, e.currentTarget)) d.close(); } }, t(isMoney(j) ? 'job.duplicate' : 'job.reprint'))));
    d.addEventListener('close', () => d.remove());
    d.addEventListener('click', e => { if (e.target === d) d.close(); });
    document.body.append(d);
    d.showModal();
  }

  async function again(j, button) {
    const receipt = isMoney(j);
    if (!await ask(t('job.reprint_title', title(j)), t(receipt ? 'job.duplicate_effect' : 'job.reprint_effect', j.printer || printer), t(receipt ? 'job.duplicate' : 'job.reprint'))) return false;
    const ok = await perform(button, `/v1/jobs/${encodeURIComponent(j.id)}/reprint`, { done: t('job.reprint_done', j.printer || printer) });
    if (ok) changed();
    return ok;
  }

  async function clear(j, button) {
    const note = h('input', { maxlength: 200, autocomplete: 'off', id: 'clear-reason' }), fault = h('span', { class: 'fault', id: 'clear-fault' });
    const check = () => {
      const said = note.value.trim() !== '';
      fault.textContent = said ? '' : t('job.clear_why');
      note.setAttribute('aria-invalid', String(!said));
      if (!said) note.focus();
      return said;
    };
    const body = h('label', {}, h('span', {}, t('job.clear_reason')), note, fault);
    if (!await ask(t('job.clear_title', title(j)), t('job.clear_effect'), t('job.clear_yes'), true, { body, check })) return false;
    const ok = await perform(button, `/v1/jobs/${encodeURIComponent(j.id)}/clear`, { body: { reason: note.value.trim() }, done: t('job.clear_done') });
    if (ok) changed();
    return ok;
  }

  return {
    wanted: () => wanted,
    set(list, open, of) {
      printer = of;
      loaded = true;
      waiting(open.toReversed());
      const ended = list.filter(j => !isOpen(j));
      more.hidden = list.length < wanted || wanted >= MOST;
      if (!ended.length) { swap(tickets, h('p', { class: 'soft' }, t('job.none'))); return; }
      const cards = ended.map(sheet);
      if (grid.parentNode !== tickets) swap(tickets, grid, more);
      for (const e of [...grid.children]) if (!cards.includes(e)) e.remove();
      cards.forEach((e, i) => { if (grid.children[i] !== e) grid.insertBefore(e, grid.children[i] || null); });
      kept = new Map([...kept].filter(([id]) => list.some(j => j.id === id)));
    },
    fault(fault, load) {
      if (loaded) return;
      const box = h('div', { class: 'say' });
      swap(tickets, box);
      sayFault(box, fault, load);
    },
  };
}
