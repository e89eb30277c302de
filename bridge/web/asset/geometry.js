// Sizes from geometry (screens.md): what a cook reads at a distance is an angle, what a thumb hits is millimetres.
// The first paint waits for the page's script, and so has its sizes. Nothing here is a guess about pixels:
// the window fills the configured diagonal, which gives pixels per millimetre.
(() => {
  const root = document.documentElement;
  const diagonal = parseFloat(root.dataset.diagonal) || 21.5; // inches
  const distance = parseFloat(root.dataset.distance) || 1.2; // metres
  const LETTER = 17; // minutes of arc of an item's capital letter, 16 being the least; heads are half as large again
  const CAPITAL = 0.72; // height of a capital letter in a font of size 1

  function measure() {
    const w = window.innerWidth, h = window.innerHeight;
    const mm = Math.hypot(w, h) / (diagonal * 25.4);
    const wanted = distance * 1000 * Math.tan(LETTER / 60 * Math.PI / 180) * mm / CAPITAL;
    // A window much smaller than the glass it was made for (a phone, a laptop) keeps letters and buttons usable.
    const item = Math.max(15, Math.min(wanted, w / 11, h / 10));
    const touch = Math.max(44, Math.round(15 * mm));
    // Bump is 20 mm; on low glass its height may be 15 mm, its width never less than 20.
    const bump = Math.max(48, touch, Math.round(Math.min(20 * mm, h * 0.16)));
    const top = Math.max(40, Math.round(item * 1.7)), foot = touch + 16;
    // A column holds a dish's name, and Start and Bump side by side at 15 and 20 mm.
    let columns = Math.max(1, Math.min(5, Math.floor((w - 8) / Math.max(200, item * 11, 35 * mm + 32))));
    const asked = parseInt(root.dataset.fixedColumns);
    if (asked) columns = asked;
    const slot = item * (2.6 + 4 * 1.3) + bump + 28; // head, four lines, buttons
    const most = columns === 1 ? 4 : 2;
    const rows = Math.max(1, Math.min(most, Math.floor((h - top - foot) / slot)));
    const set = (name, value) => root.style.setProperty(name, value);
    set('--mm', mm.toFixed(3) + 'px');
    set('--item', item.toFixed(2) + 'px');
    set('--touch', touch + 'px');
    set('--bump', bump + 'px');
    set('--top', top + 'px');
    set('--foot', foot + 'px');
    set('--columns', columns);
    set('--rows', rows);
    root.dataset.columns = columns;
    root.dataset.rows = rows;
    window.dispatchEvent(new Event('geometry'));
  }
  measure();
  window.addEventListener('resize', measure);
})();
