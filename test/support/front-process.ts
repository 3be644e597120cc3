// A process of its own that forwards requests to the origin that it is told, and tells the most memory that it has taken.
import { Front, testForwarder } from './forwarding.ts';

const [, , origin = ''] = process.argv;
const front = await Front.start(testForwarder(), origin);
// Once, so that all code is there.
await (await fetch(`${front.url}/ok`)).text();
const before = process.memoryUsage.rss();
let most = before;
setInterval(() => {
  most = Math.max(most, process.memoryUsage.rss());
}, 5);
process.on('message', () => process.send?.({ more: most - before }));
process.on('disconnect', () => process.exit());
process.send?.({ url: front.url });
