import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';

const count = 40;
const canary = 'hunter22canary';

let shell: CommandLine;
let gateway: RunningGateway;
/** Everything that passed between the commands and the gateway. */
let passed = '';
const proxy = createServer((incoming, outgoing) => {
  const { port } = new URL(gateway.url);
  const { method, headers, url: path } = incoming;
  const forwarded = request({ port, method, headers, path, host: '127.0.0.1' }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.on('data', (chunk) => {
      passed += chunk;
    });
    answer.pipe(outgoing);
  });
  incoming.on('data', (chunk) => {
    passed += chunk;
  });
  incoming.pipe(forwarded);
});

let env: Record<string, string>;
beforeAll(async () => {
  shell = await CommandLine.open();
  gateway = await shell.serve({ RATE_LIMIT: 'off' });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  env = {
    SECRETS_GATEWAY_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    SECRETS_GATEWAY_TOKEN: gateway.token,
  };
  const lines = Array.from({ length: count }, (_, n) => `NAME_${n}="${canary}\n${n}"\n`);
  await writeFile(join(shell.directory, '.env'), lines.join(''));
});
afterAll(async () => {
  proxy.close();
  await shell.close();
});

const versions = async (): Promise<number[]> => {
  const { data } = await gateway.run(
    '{ secrets(filter: { nameStartsWith: "NAME_" }, first: 1000) { nodes { version } } }',
  );
  return data.secrets.nodes.map(({ version }: { version: number }) => version);
};

describe('import', () => {
  it('goes on after an interruption: every value is written once, and none is sent in clear', async () => {
    const { child, exit } = shell.start(['import', '.env'], env);
    while ((await versions()).length < 3) await new Promise(setImmediate);
    child.kill('SIGINT');
    const { code, stderr } = await exit;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringMatching(/^Stopped\. \d+ of 40 are written\. Run the same command again/m),
    });
    const written = (await versions()).length;
    expect(written).toBeLessThan(count);

    const again = await shell.run(['import', '.env'], env);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${count - written} new, ${written} same.`),
    });
    expect(await versions()).toEqual(Array.from({ length: count }, () => 1));
    const compared = await shell.run(['diff', '.env'], env);
    expect(compared).toMatchObject({ code: 0, stdout: expect.stringContaining(`${count} same.`) });
    expect(passed).toContain('sealedValue');
    expect(passed).toContain('"jwe"');
    expect(passed).not.toContain(canary);
  });

  it('writes nothing where a secret is there with another value, and replaces it where it is told to', async () => {
    await writeFile(join(shell.directory, 'other.env'), `NAME_1=other\nNAME_NEW=1\n`);
    expect((await shell.run(['import', 'other.env'], env)).code).toBe(1);
    expect(await versions()).toHaveLength(count);
    expect((await shell.run(['import', 'other.env', '--on-conflict', 'update'], env)).code).toBe(0);
    expect((await versions()).toSorted()).toEqual([...Array.from({ length: count }, () => 1), 2]);
  });
});
