// The kitchen screen: tickets in slots, hands on keys or glass, a stream that says what is so.
//
// kitchen-tickets.js knows the tickets; kitchen-card.js draws one, kitchen-measure.js says how many slots it takes,
// kitchen-slots.js lays the board out, kitchen-head.js what stands around it; kitchen-connection.js hears the box,
// kitchen-acts.js, kitchen-keys.js, kitchen-items.js and kitchen-recall.js are the hands; kitchen-later.js and
// kitchen-service.js ask, on the sheets of kitchen-sheet.js; kitchen-sounds.js, kitchen-painted.js and kitchen-glass.js the rest.

import './geometry.js';
import './kitchen-glass.js';
import './kitchen-service.js';
import './who.js';
import { connect } from './kitchen-connection.js';
import { tick } from './kitchen-head.js';
import { barStruck } from './kitchen-keys.js';
import { items } from './kitchen-items.js';
import { lane } from './kitchen-later.js';
import { expire, layOut } from './kitchen-slots.js';

layOut();
connect(barStruck);
addEventListener('geometry', layOut);
setInterval(() => { tick(); expire(); items.expire(); }, 1000);
setInterval(() => lane.ask(), 60e3);
