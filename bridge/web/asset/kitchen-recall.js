// kitchen-recall.js: the list of what left, from which a ticket comes back.

import { $, Fault, age, clock, get, h, swap, t } from './base.js';
import { render } from './kitchen-slots.js';
import { board, here, nameOf, tickets, versions } from './kitchen-tickets.js';

export const recall = {
  isOpen: false, list: [], from: 0,
  async show() {
    this.isOpen = true;
    this.from = 0;
    this.list = null;
    this.draw();
    try {
      const all = await Promise.all(here.stations.map(s => get(`/v1/stations/${encodeURIComponent(s)}/recall`)));
      const seen = new Set();
      this.list = all.flatMap(a => a.tickets || []).filter(k => !seen.has(k.id) && seen.add(k.id))
        .sort((a, b) => Date.parse(b.bumped_at || b.at) - Date.parse(a.bumped_at || a.at));
      this.draw();
    } catch (fault) {
      this.draw(fault instanceof Fault ? fault : new Fault(0));
    }
  },
  hide() { this.isOpen = false; $('over').hidden = true; swap($('over')); },
  turn() { if (this.list?.length > 10) { this.from = this.from + 10 >= this.list.length ? 0 : this.from + 10; this.draw(); } },
  choose(place) {
    const k = this.list?.[this.from + place];
    if (!k) return;
    this.hide();
    versions.delete(k.id);
    tickets.set(k.id, { ...k, state: 'cooking', changed_unseen: false });
    board.back(k.id);
    here.outbox.add(k.id, 'recall', k);
    render();
  },
  draw(fault) {
    const over = $('over');
    over.hidden = false;
    const rows = (this.list || []).slice(this.from, this.from + 10).map((k, i) =>
      h('button', { class: 'k-recall', data: { place: i } },
        h('span', { class: 'k-digit' }, String((i + 1) % 10)),
        h('span', { class: 'k-name' }, nameOf(k), k.partner?.name && h('span', { class: 'k-partner' }, k.partner.name)),
        h('span', { class: 'k-recall-lines' }, (k.lines || []).map(l => `${l.quantity} ${l.name}`).join(', ')),
        h('span', { class: 'k-recall-when' }, k.bumped_at ? clock(Date.parse(k.bumped_at)) : '', k.bumped_at && h('small', {}, t('kitchen.took', age(Date.parse(k.bumped_at) - Date.parse(k.at)))))));
    swap(over, h('div', { class: 'k-sheet' },
      h('header', {}, h('h2', { id: 'over-title' }, t('kitchen.recall_title')), h('button', { class: 'k-button', data: { close: '' } }, t('kitchen.close'))),
      fault ? h('p', { class: 'k-say' }, t('kitchen.recall_fault', fault.message))
        : this.list === null ? h('p', { class: 'k-say' }, t('page.loading'))
          : rows.length ? h('div', { class: 'k-recalls' }, rows) : h('p', { class: 'k-say' }, t('kitchen.recall_empty')),
      this.list?.length > 10 && h('footer', {}, h('button', { class: 'k-button', data: { turn: '' } }, t('kitchen.page', this.from / 10 + 1, Math.ceil(this.list.length / 10))))));
    over.focus();
  },
};
$('over').addEventListener('click', e => {
  const row = e.target.closest('[data-place]');
  if (row) recall.choose(Number(row.dataset.place));
  else if (e.target.closest('[data-turn]')) recall.turn();
  else if (e.target === $('over') || e.target.closest('[data-close]')) recall.hide();
});
$('recall').addEventListener('click', () => recall.show());
