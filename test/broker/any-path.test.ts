import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireAllowedPath } from '../../src/broker/allowed-path.ts';
import { readTarget } from '../../src/broker/target.ts';
import { DomainError } from '../../src/errors.ts';
import { anyTarget, wayOut } from '../support/paths-as-read.ts';

const id = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';

/** Null where it is refused. */
function allowed(sent: string, prefix: string) {
  try {
    const target = readTarget(`/v1/use/${id}${sent}`);
    requireAllowedPath(target.path, { paths: ['/other', prefix] });
    return target;
  } catch (error) {
    if (error instanceof DomainError && error.status < 500) return null;
    throw error;
  }
}

describe('for any path', () => {
  it('what is sent is on the origin and under the prefix, however an upstream reads it', () => {
    let accepted = 0;
    const prefixes = fc.constantFrom('/v1', '/v1/models', '/caf%C3%A9', '/');
    fc.assert(
      fc.property(anyTarget, prefixes, (sent, prefix) => {
        const read = allowed(sent, prefix);
        if (!read) return;
        accepted += 1;
        const { selector, path, query } = read;
        const queryAt = sent.indexOf('?');
        const wanted = {
          selector: id,
          query: queryAt < 0 ? '' : sent.slice(queryAt),
          visible: true,
          wayOut: undefined,
        };
        const visible = /^[!-~]+$/.test(path + query);
        expect({ selector, query, visible, wayOut: wayOut(path, query, prefix) }).toEqual(wanted);
        // The one form is read as itself.
        expect(readTarget(`/v1/use/${id}${path}`).path).toBe(path);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1000);
  });

  it('control: what gets past a rule that only compares beginnings is seen', () => {
    const dots = [
      '/../admin',
      '/%2e%2e/admin',
      '/..;x/admin',
      '/%252e%252e/admin',
      '/.. /x',
      '/..%00/x',
      '/%2e%2e%3fx',
    ];
    const slashes = ['/..%2fadmin', '\\..\\admin', '/..%5cadmin', '%2f..%2f..', '/a/..%e2%88%95..', '/..%255c'];
    const others = ['/%c0%ae%c0%ae/admin', '/%ef%bc%8e%ef%bc%8e/', 'x', ';x'];
    for (const rest of [...dots, ...slashes, ...others]) expect(wayOut(`/v1${rest}`, '', '/v1'), rest).toBeDefined();
    for (const path of ['//evil.test/v1', '/\\evil.test', '/@evil.test'])
      expect(wayOut(path, '', '/'), path).toBeDefined();
    const good = ['/v1', '/v1/', '/v1/a//b', '/v1/..a/a..', '/v1/a%20b;c=d/100%25'];
    for (const path of good) expect(wayOut(path, '?x=../..', '/v1'), path).toBeUndefined();
  });
});
