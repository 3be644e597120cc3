import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createHeadLog, type HeadLog } from '../../src/audit/head-log.ts';
import type { Log } from '../../src/runtime/log.ts';

interface Line {
  heads: { owner: string; sequence: number; hash: string }[];
  waiting?: number;
  skipped?: number;
}

let lines: Line[];
let heads: HeadLog;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  lines = [];
  const info = (line: Line, text: string) => {
    expect(text).toBe('audit heads');
    lines.push(line);
  };
  heads = createHeadLog({ info } as unknown as Log);
});
afterEach(() => {
  heads.close();
  vi.useRealTimers();
});

const minute = () => vi.advanceTimersByTime(60_000);
const grow = (from: number, to: number, sequence = 1) => {
  for (let n = from; n < to; n += 1) heads.changed(`team:${n}`, { sequence, hash: `hash ${n}.${sequence}` });
};
const ownersLogged = () => lines.flatMap((line) => line.heads.map(({ owner }) => owner));

it('logs each chain that grew once a minute, with its newest head, and nothing where none grew', () => {
  grow(0, 2);
  grow(0, 1, 2);
  expect(lines).toEqual([]);
  minute();
  expect(lines).toEqual([
    {
      heads: [
        { owner: 'team:0', sequence: 2, hash: 'hash 0.2' },
        { owner: 'team:1', sequence: 1, hash: 'hash 1.1' },
      ],
      waiting: 0,
      skipped: 0,
    },
  ]);
  minute();
  expect(lines).toHaveLength(1);
  grow(1, 2, 2);
  minute();
  expect(lines[1]?.heads).toEqual([{ owner: 'team:1', sequence: 2, hash: 'hash 1.2' }]);
});

it('does not go back to an older head that is told late', () => {
  grow(0, 1, 2);
  grow(0, 1, 1);
  minute();
  expect(lines[0]?.heads[0]?.sequence).toBe(2);
});

it('logs at most 1,000 owners a minute, 100 in a line, and the others in the next minutes in their order', () => {
  grow(0, 2500);
  minute();
  expect(lines.map((line) => line.heads.length)).toEqual(Array(10).fill(100));
  expect(lines.at(-1)).toMatchObject({ waiting: 1500, skipped: 0 });
  // An owner that grows again meanwhile keeps its place.
  grow(1000, 1001, 2);
  minute();
  expect(lines[10]?.heads[0]).toEqual({ owner: 'team:1000', sequence: 2, hash: 'hash 1000.2' });
  minute();
  expect(ownersLogged()).toEqual(Array.from({ length: 2500 }, (_, n) => `team:${n}`));
});

it('keeps at most 10,000 owners, counts the others, and logs these when they grow again', () => {
  grow(0, 10_003);
  minute();
  expect(lines.at(-1)).toMatchObject({ waiting: 9000, skipped: 3 });
  grow(10_000, 10_003, 2);
  heads.close();
  expect(new Set(ownersLogged()).size).toBe(10_003);
  expect(lines.at(-1)).toMatchObject({ waiting: 0, skipped: 0 });
});

it('logs at the end what it has not logged yet, and nothing more afterwards', () => {
  grow(0, 1500);
  heads.close();
  expect(ownersLogged()).toHaveLength(1500);
  grow(0, 1, 2);
  minute();
  expect(ownersLogged()).toHaveLength(1500);
});
