// inside.js keeps a page's own addresses in the page: its links lead to another of them without loading anything anew, and
// so does the way back.

// inside has route follow the links that selector finds. It gives go(to), which leads to another address of the page.
export function inside(selector, route) {
  const go = to => { history.pushState(null, '', to); route(); };
  document.addEventListener('click', e => {
    const a = e.target.closest?.(selector);
    if (!a || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    go(a.getAttribute('href'));
  });
  addEventListener('popstate', route);
  return go;
}
