import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import type { RecordMac } from '../../src/model/secret.ts';
import { withStore } from '../../src/store/open-store.ts';
import { insert, newOwner, newRecord, sealed } from '../contract/fixtures.ts';
import { CommandLine } from '../support/command-line.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { withTestMac, writeKeyring } from '../support/keyring.ts';

/** Clears the screen, sets the title, turns the direction, and begins a line that looks like one of the command's own. */
const escapes = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\nkek-000000000000  active';
const shown = '\\u{1b}[2J\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}\\u{a}kek-000000000000  active';

describe.each(storeNames)('what a writer of the database put there is printed escaped, on %s', (store) => {
  let gateway: TestGateway;
  let shell: CommandLine;
  let keyringFile: string;

  beforeEach(async () => {
    gateway = await TestGateway.start(store);
    shell = await CommandLine.open();
    keyringFile = join(gateway.directory, 'keyring.json');
    const input = { owner: { teamId: 'red' }, name: 'n', value: 'v' };
    expect((await gateway.run(createSecret(), { input })).errors).toEqual([]);
    await gateway.stop();
  });
  afterEach(async () => {
    await shell.close();
    await gateway.close();
  });

  const run = (...args: string[]) =>
    shell.run(args, { DATABASE_URL: gateway.databaseUrl, KEYRING_FILE: keyringFile, PORT: '0' });

  async function put(kid: string, { mac, ...fields }: { id?: string; mac?: RecordMac } = {}): Promise<void> {
    const { envelope, ...mark } = sealed();
    const record = newRecord(newOwner(), {
      ...fields,
      sealed: { ...mark, envelope: { ...envelope, header: { alg: 'A256KW', kid } } },
    });
    await withStore(
      gateway.databaseUrl,
      (opened) => opened.commit([insert({ ...record, ...(mac && { mac }) })]),
      withTestMac,
    );
  }

  function expectEscaped(output: string): void {
    expect(output).toContain(shown);
    expect(output).not.toMatch(/(?!\n)[\p{C}]/u);
    expect(output).not.toMatch(/^kek-000000000000/m);
  }

  const kidOf = ({ wrap }: Keyring) => wrap.active.kid;

  it('by keys list: the kid of an envelope, and that of a MAC', async () => {
    await put(escapes);
    const { code, stdout, stderr } = await run('keys', 'list');
    expect(code).toBe(1);
    expectEscaped(stdout);
    // The header, five keys of the keyring, that of the envelope, and that of the MACs of this test.
    expect(stdout.trimEnd().split('\n')).toHaveLength(8);
    expect(stderr).toContain('needs a missing key');
    await put(kidOf(await readKeyring(keyringFile)), { mac: { kid: escapes, tag: 'tag' } });
    const again = await run('keys', 'list');
    expectEscaped(again.stdout);
    expect(again.stdout.split(shown)).toHaveLength(3);
  });

  it('by keys rewrap: the kid of an envelope that does not open, and the id of a secret whose envelope is damaged', async () => {
    await put(escapes);
    const kid = (await readKeyring(keyringFile)).wrap.active.kid;
    await put(kid, { id: `0${escapes}` });
    await run('keys', 'rotate');
    const { code, stderr } = await run('keys', 'rewrap');
    expect(code).toBe(1);
    expectEscaped(stderr);
    expect(stderr).toContain(`1 is still under ${shown}. The keyring`);
    expect(stderr).toContain(`again: 0${shown}\n`);
  });

  it('by serve: the kids that the keyring lacks', async () => {
    await put(escapes, { id: '00000000-0000-7000-8000-000000000000' });
    await writeKeyring(keyringFile, [{ kid: 'other', state: 'active' }]);
    const env = { JWT_ISSUER: gateway.issuer.issuer, JWT_AUDIENCE: 'a', JWT_JWKS_URL: gateway.issuer.jwksUrl };
    const { code, stderr } = await shell.run(['serve'], {
      DATABASE_URL: gateway.databaseUrl,
      KEYRING_FILE: keyringFile,
      ...env,
    });
    expect(code).toBe(1);
    expectEscaped(stderr);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
