// press.js tells a short press from a long one, by finger, mouse and key alike.

export const LONG = 800; // ms that a long press lasts

// press makes an element's press long: long() is called when it has lasted, short() when it was let go before.
export function press(element, { long, short }) {
  let timer;
  const begin = () => {
    if (timer) return;
    element.classList.add('pressing');
    timer = setTimeout(() => { stop(); long(); }, LONG);
  };
  const stop = () => { clearTimeout(timer); timer = undefined; element.classList.remove('pressing'); };
  const end = () => { if (timer) { stop(); short(); } };
  element.addEventListener('pointerdown', e => { if (e.button === 0) begin(); });
  element.addEventListener('pointerup', end);
  for (const away of ['pointercancel', 'pointerleave', 'blur']) element.addEventListener(away, stop);
  element.addEventListener('keydown', e => {
    if (e.key !== 'Enter' && e.key !== ' ') return;
    e.preventDefault();
    e.stopPropagation();
    if (!e.repeat) begin();
  });
  element.addEventListener('keyup', e => { if (e.key === 'Enter' || e.key === ' ') { e.stopPropagation(); end(); } });
  return { begin, end, stop };
}
