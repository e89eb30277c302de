// Sign-in: a token becomes a session.

import { $, call, t } from './base.js';

const next = new URLSearchParams(location.search).get('next') || '/';
// Only a path of this box may follow.
const to = /^\/(?![\/\\])/.test(next) ? next : '/';

$('show').addEventListener('click', () => {
  const hidden = $('token').type === 'password';
  $('token').type = hidden ? 'text' : 'password';
  $('show').setAttribute('aria-pressed', String(hidden));
  $('show').textContent = t(hidden ? 'signin.hide' : 'signin.show');
});

function fault(text) {
  $('fault').hidden = !text;
  $('fault').textContent = text;
  $('token').setAttribute('aria-invalid', String(!!text));
}

$('form').addEventListener('submit', async e => {
  e.preventDefault();
  const token = $('token').value.trim();
  if (!token) { fault(t('signin.missing')); $('token').focus(); return; }
  fault('');
  $('go').disabled = true;
  try {
    await call('POST', '/v1/session', { body: { token } });
    location.replace(to);
  } catch (f) {
    fault(f.status === 401 || f.status === 403 || f.status === 422 ? t('signin.wrong') : f.status === 429 ? t('signin.slow') : f.message);
    $('go').disabled = false;
    $('token').select();
  }
});
$('token').focus();
