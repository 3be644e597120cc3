import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { HttpResponse } from '../../src/http/response.ts';
import { readiness } from '../../src/ops/health.ts';

let running = 0;
let checked = 0;
let most = 0;
const clients = 100;
let asked = 0;
/** Resolves when all clients have asked: until then the check runs. */
const arrived = Promise.withResolvers<void>();
const checks = {
  async store() {
    checked += 1;
    running += 1;
    most = Math.max(most, running);
    await arrived.promise;
    running -= 1;
  },
};
const { route } = readiness(checks, () => false);
const server = createServer({ ServerResponse: HttpResponse }, (request, response) => {
  void route.answer(new Exchange(request, response));
  asked += 1;
  if (asked === clients) arrived.resolve();
});
afterEach(() => void server.close());

it('runs the readiness checks once for many requests at once, and again for a later request', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ask = async () => (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`)).status;
  const statuses = await Promise.all(Array.from({ length: clients }, ask));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(most).toBe(1);
  expect(checked).toBe(1);
  await ask();
  expect(checked).toBe(2);
});
