import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const mebibyte = 1024 * 1024;

describe('what the heap holds of verified tokens', () => {
  let results: Record<string, { held: number; estimated: number }>;
  beforeAll(async () => {
    const child = fork(join(import.meta.dirname, 'retained-principals.ts'), {
      execPath: join(root, 'node_modules/.bin/node'),
      execArgv: ['--expose-gc'],
    });
    [results] = await once(child, 'message');
  });

  it.each([
    'no teams',
    'a hundred teams by UUID',
    'twenty long names',
    'twenty long names in Greek',
    'names with escapes',
    'roles beside the names',
    'a thousand teams',
  ])('is what was estimated of their principals, and nothing of the tokens besides: %s', (kind) => {
    const { held = Number.NaN, estimated = Number.NaN } = results[kind] ?? {};
    // The heap differs by some 100 KB from one look to the next.
    expect(held).toBeLessThan(estimated + 0.2 * mebibyte);
    // The estimate is of use: it is not a multiple of what is held.
    expect(held).toBeGreaterThan(estimated / 3);
  });

  it('is at most 16 MiB', () => {
    const { held = Number.NaN, estimated = Number.NaN } = results['more than there is room for'] ?? {};
    expect(estimated).toBeGreaterThan(64 * mebibyte);
    expect(held).toBeLessThan(17 * mebibyte);
  });
});
