import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway, mebibyte } from './attacked-gateway.ts';
import type { Measured } from './process-meter.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

async function measured(control: string): Promise<Measured> {
  await gateway.take();
  return (await gateway.gateway.ask(control)) as Measured;
}

it('finds nothing in an idle gateway', async () => {
  const { longestPieceMs, cpuMs } = await measured('nothing');
  expect(longestPieceMs).toBeLessThan(50);
  expect(cpuMs).toBeLessThan(100);
});

it('finds work that blocks the event loop for 300 ms', async () => {
  const found = await measured('hold the event loop for 300 ms');
  expect(found.longestPieceMs).toBeGreaterThanOrEqual(200);
  expect(() => gateway.expectHarmless('held for 300 ms', found, 100)).toThrow('in one piece');
});

it('tells a piece of 30 ms from one of three times as much, however fast the machine is', async () => {
  const judged = async (control: string) => {
    const rounds = [await measured(control), await measured(control), await measured(control)];
    return { ...rounds[0], longestPieceMs: Math.min(...rounds.map((one) => one.longestPieceMs)) } as Measured;
  };
  gateway.expectHarmless('held for 30 ms', await judged('hold the event loop for 30 ms'), 100);
  const found = await judged('hold the event loop for 90 ms');
  expect(() => gateway.expectHarmless('held for 90 ms', found, 100)).toThrow('in one piece');
});

it('finds the CPU time of work that yields to the event loop, and no long piece', async () => {
  const found = await measured('burn in pieces');
  expect(found.longestPieceMs).toBeLessThan(50);
  expect(found.cpuMs).toBeGreaterThanOrEqual(200);
  expect(() => gateway.expectHarmless('300 ms in pieces', found)).toThrow('CPU time');
  gateway.expectHarmless('of ten, 30 ms each', found, 10);
});

it('finds 300 MiB that were allocated for a short time', async () => {
  const before = await gateway.take();
  const found = await measured('take memory');
  expect(found.peakBytes - before.peakBytes).toBeGreaterThan(250 * mebibyte);
  expect(() => gateway.expectHarmless('300 MiB', { ...found, longestPieceMs: 0, cpuMs: 0 })).toThrow('memory');
});
