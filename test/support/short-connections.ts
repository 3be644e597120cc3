// Loaded before each file of tests. A gateway that stops waits half a second for a request on a connection that its client
// keeps, and tests stop hundreds of gateways. So fetch keeps its connections only for a moment.

interface Agents {
  readonly constructor: new (options: { keepAliveTimeout: number; keepAliveMaxTimeout: number }) => Agents;
}

const keptMs = 20;
// Node exports neither the agent that fetch uses nor its class. It makes them with the first request.
await fetch('data:,');
const place = Symbol.for('undici.globalDispatcher.2');
const globals = globalThis as unknown as Record<symbol, Agents | undefined>;
const agents = globals[place];
if (!agents) throw new Error('The agent of fetch is not where it was: look for undici.globalDispatcher in Node.');
globals[place] = new agents.constructor({ keepAliveTimeout: keptMs, keepAliveMaxTimeout: keptMs });
