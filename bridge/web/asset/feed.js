// feed.js is the shared worker that holds the one event stream of this browser and passes it on to its tabs.

import { listen } from './listen.js';

const ports = new Set();
let ok, end;

function tell(message) {
  if (message.ok !== undefined) ok = message.ok;
  for (const port of ports) port.postMessage(message);
}

self.onconnect = e => {
  const port = e.ports[0];
  port.onmessage = ({ data }) => {
    if (data === 'bye') ports.delete(port);
    else ports.add(port);
    if (ports.size === 0) { end?.(); end = undefined; return; }
    port.postMessage({ here: true });
    if (!end) end = listen(tell);
    else if (ok !== undefined) port.postMessage({ ok });
  };
};
