// testpage.js lets a person choose a test print and shows what it will look like on that printer.

import { h, swap, t } from './base.js';

const TEMPLATES = ['', 'kitchen', 'receipt'];

// testChoice lets a person pick what is printed and see it before: {template, body} for a form.
export function testChoice(p) {
  const form = { template: 'kitchen' };
  const box = h('div', { class: 'paper-box', tabindex: 0 });
  const show = () => {
    const picture = h('img', { class: 'ticket-picture', alt: t('printer.test_alt', t('printer.template.' + (form.template || 'page'))), src: `/v1/printers/${encodeURIComponent(p.name)}/test.png?template=${form.template}` });
    picture.addEventListener('error', () => swap(box, h('p', { class: 'soft' }, t('order.paper_fault'))));
    swap(box, picture);
  };
  show();
  form.body = [
    h('fieldset', { class: 'across' }, h('legend', { class: 'hide' }, t('printer.test')), TEMPLATES.map(v => h('label', { class: 'choice' },
      h('input', { type: 'radio', name: 'template', id: 'template-' + (v || 'page'), value: v, checked: v === form.template, onchange: () => { form.template = v; show(); } }), h('span', {}, t('printer.template.' + (v || 'page')))))),
    box,
  ];
  return form;
}
