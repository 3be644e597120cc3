import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';
import { hasPty, onTerminal, type Typed } from '../../support/pseudo-terminal.ts';

const root = join(import.meta.dirname, '../../..');
const value = 'sk-proj-hunter22canary-0123456789abcdef';

// Each question is a process of its own.
describe.skipIf(!hasPty)('at a terminal', { timeout: 120_000 }, () => {
  let shell: CommandLine;
  let gateway: RunningGateway;
  let env: Record<string, string>;

  beforeAll(async () => {
    shell = await CommandLine.open();
    gateway = await shell.serve();
    env = {
      PATH: process.env.PATH ?? '',
      HOME: shell.directory,
      TERM: 'xterm',
      SECRETS_GATEWAY_URL: gateway.url,
      SECRETS_GATEWAY_TOKEN: gateway.token,
    };
  });
  afterAll(() => shell.close());

  const type = (args: readonly string[], script: readonly Typed[], more: Record<string, string> = {}) =>
    onTerminal([join(root, 'node_modules/.bin/node'), join(root, 'bin/secrets-gateway.js'), ...args], {
      cwd: shell.directory,
      env: { ...env, ...more },
      script,
    });
  const versionOf = async (name: string) => {
    const { data } = await gateway.run(
      'query ($name: String!) { secrets(filter: { name: $name }) { nodes { version maskedValue } } }',
      { name },
    );
    return data.secrets.nodes[0] ?? null;
  };

  it('set asks for the value, and shows nothing of it', async () => {
    const { text, code } = await type(['set', 'ASKED'], [['Value of ASKED', `${value}\r`]]);
    expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('ASKED is created: version 1') });
    expect(text).not.toContain('hunter22');
    expect(text).not.toMatch(/\*\*/);
    expect(await versionOf('ASKED')).toEqual({ version: 1, maskedValue: 'sk-pro••••def' });
  });

  it('no key shows what was typed', async () => {
    const { text } = await type(
      ['set', 'HIDDEN'],
      [
        ['Value of HIDDEN', `${value}\u0014`],
        ['(not shown)', '\u0014\r'],
      ],
    );
    expect(text).not.toContain('hunter22');
  });

  it('set asks before it replaces a value, and a no changes nothing', async () => {
    await type(['set', 'KEPT'], [['Value of KEPT', `${value}\r`]]);
    for (const answer of ['\r', '\u0004']) {
      const { text, code } = await type(['set', 'KEPT'], [['Replace it? [y/N]', answer]]);
      expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining('Nothing was changed.') });
    }
    expect(await versionOf('KEPT')).toMatchObject({ version: 1 });
    const { code } = await type(
      ['set', 'KEPT'],
      [
        ['Replace it? [y/N]', 'y\r'],
        ['Value of KEPT', 'another\r'],
      ],
    );
    expect(code).toBe(0);
    expect(await versionOf('KEPT')).toMatchObject({ version: 2 });
    expect((await type(['set', 'KEPT', '--yes'], [['Value of KEPT', 'a third\r']])).code).toBe(0);
    expect(await versionOf('KEPT')).toMatchObject({ version: 3 });
  });

  it('what another caller changes while a question stands there is neither replaced nor deleted', async () => {
    await type(['set', 'RACED'], [['Value of RACED', `${value}\r`]]);
    const command = [join(root, 'node_modules/.bin/node'), join(root, 'bin/secrets-gateway.js')].join(' ');
    const other = `echo of another | ${command} set RACED`;
    for (const script of [
      [
        ['Replace it? [y/N]', 'y\r', other],
        ['Value of RACED', 'mine\r'],
      ],
      [['Delete RACED', 'y\r', other]],
    ] satisfies Typed[][]) {
      const { text, code } = await type([script.length > 1 ? 'set' : 'rm', 'RACED'], script);
      expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining('CONFLICT') });
    }
    expect(await versionOf('RACED')).toMatchObject({ version: 3, maskedValue: '••••' });
  });

  it('Ctrl-C at either question ends the command with 130, and changes nothing', async () => {
    await type(['set', 'STOPPED'], [['Value of STOPPED', `${value}\r`]]);
    expect((await type(['set', 'STOPPED'], [['[y/N]', '\u0003']])).code).toBe(130);
    const { code, text } = await type(['set', 'STOPPED', '-y'], [['Value of STOPPED', 'half\u0003']]);
    expect({ code, text }).toEqual({ code: 130, text: expect.not.stringContaining('Error') });
    expect((await type(['rm', 'STOPPED'], [['[y/N]', '\u0003']])).code).toBe(130);
    expect(await versionOf('STOPPED')).toMatchObject({ version: 1 });
  });

  it('several lines that are pasted are refused, and not cut at the first', async () => {
    const { code, text } = await type(['set', 'PASTED'], [['Value of PASTED', '-----BEGIN KEY-----\rhunter22\r']]);
    expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining('The prompt takes one line') });
    expect(await versionOf('PASTED')).toBeNull();
  });

  it('an empty value is refused', async () => {
    expect((await type(['set', 'EMPTY'], [['Value of EMPTY', '\r']])).code).toBe(1);
  });

  it('rm asks, and deletes after a yes alone', async () => {
    await type(['set', 'GONE'], [['Value of GONE', `${value}\r`]]);
    expect(await type(['rm', 'GONE'], [['Delete GONE (sk-pro••••def, version 1)? [y/N]', 'n\r']])).toMatchObject({
      code: 1,
    });
    expect(await versionOf('GONE')).not.toBeNull();
    expect(await type(['rm', 'GONE'], [['[y/N]', 'yes\r']])).toMatchObject({ code: 0 });
    expect(await versionOf('GONE')).toBeNull();
  });

  it('a table has a bold header, and none where NO_COLOR is set or it is no terminal', async () => {
    await type(['set', 'LISTED'], [['Value of LISTED', `${value}\r`]]);
    expect((await type(['list'], [])).text).toContain('\u001b[1mNAME');
    expect((await type(['list'], [], { NO_COLOR: '1' })).text).not.toContain('\u001b[1m');
    expect((await shell.run(['list'], env)).stdout).not.toContain('\u001b');
  });
});
