// kitchen-sheet.js: a sheet over the board that asks or lists something. While it is open its keys are its own.

import { $, h, swap, t } from './base.js';

export const sheet = {
  isOpen: false, rows: [], pick: null,

  // show opens a sheet. rows are {text, more, act}: buttons one below the other, picked by touch or digit.
  show(title, { say, rows = [] } = {}) {
    this.isOpen = true;
    this.rows = rows;
    const over = $('over');
    over.hidden = false;
    swap(over, h('div', { class: 'k-sheet' },
      h('header', {}, h('h2', { id: 'over-title' }, title), h('button', { class: 'k-button', data: { closeSheet: '' } }, t('kitchen.close'))),
      say && h('p', { class: 'k-say' }, say),
      rows.length > 0 && h('div', { class: 'k-recalls' }, rows.map((r, i) => r.act
        ? h('button', { class: 'k-recall', data: { row: i } }, h('span', { class: 'k-digit' }, String((i + 1) % 10)), h('span', { class: 'k-name' }, r.text), h('span', { class: 'k-recall-lines' }, r.more || ''))
        : h('div', { class: 'k-recall' }, h('span'), h('span', { class: 'k-name' }, r.text), h('span', { class: 'k-recall-lines' }, r.more || ''))))));
    over.focus();
  },
  hide() {
    if (!this.isOpen) return;
    this.isOpen = false;
    $('over').hidden = true;
    swap($('over'));
  },
  choose(i) {
    const act = this.rows[i]?.act;
    if (!act) return;
    this.hide();
    act();
  },
};

$('over').addEventListener('click', e => {
  if (!sheet.isOpen) return;
  const row = e.target.closest('[data-row]');
  if (row) sheet.choose(Number(row.dataset.row));
  else if (e.target === $('over') || e.target.closest('[data-close-sheet]')) sheet.hide();
});
addEventListener('keydown', e => {
  if (!sheet.isOpen) return;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(e.code);
  if (digit) sheet.choose((Number(digit[1]) + 9) % 10);
  else if (['Escape', 'Backspace', 'KeyR', 'Minus', 'NumpadSubtract'].includes(e.code)) sheet.hide();
  else if (['Tab', 'Enter', 'Space', 'NumpadEnter'].includes(e.code)) { e.stopImmediatePropagation(); return; }
  e.preventDefault();
  e.stopImmediatePropagation();
}, { capture: true });
