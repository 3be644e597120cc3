import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TerminalText } from '../../../src/cli/people/terminal-text.ts';
import { parseUse, type UseOptions } from '../../../src/cli/people/use-request.ts';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';
import { createSecret } from '../../support/graphql.ts';
import { hasPty, onTerminal } from '../../support/pseudo-terminal.ts';
import { Upstream } from '../../support/upstream.ts';

const root = join(import.meta.dirname, '../../..');
const node = join(root, 'node_modules/.bin/node');
const command = join(root, 'bin/secrets-gateway.js');
const value = 'hunter22-0123456789';

let shell: CommandLine;
let gateway: RunningGateway;
let upstream: Upstream;
let id: string;
let env: Record<string, string>;

beforeAll(async () => {
  shell = await CommandLine.open();
  upstream = await Upstream.start();
  gateway = await shell.serve();
  env = { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: gateway.token };
  const input = { name: 'KEY', value, provider: 'custom', destination: { origin: upstream.origin } };
  const { data } = await gateway.run(createSecret('id'), { input });
  id = data.createSecret.secret.id;
});
afterAll(async () => {
  await shell.close();
  await upstream.close();
});

/** Resolves with what was printed once it has this text. */
async function shows(
  output: { readonly stdout: string },
  child: { stdout: NodeJS.ReadableStream | null },
  text: string,
) {
  while (!output.stdout.includes(text)) await once(child.stdout as NodeJS.ReadableStream, 'data');
  return output.stdout;
}

describe('use', () => {
  it('prints each event when it is sent, and ends the request with Ctrl-C', async () => {
    const { child, output, exit } = shell.start(['use', 'KEY', '--', '/events'], env);
    await upstream.streaming(1);
    const { closed } = upstream.last;
    for (const text of ['data: one\n\n', 'data: two\n\n']) {
      upstream.send(text);
      await shows(output, child, text);
    }
    child.kill('SIGINT');
    await exit;
    expect(child.signalCode).toBe('SIGINT');
    await closed;
  });

  it('passes bytes of every kind in both directions, and its exit code is that of the answer', async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(join(shell.directory, 'bytes'), bytes);
    const type = 'Content-Type: application/octet-stream';
    const words = [command, 'use', 'KEY', '-H', type, '--data-file', '-', '--', '/mirror'];
    const script = `"$@" < bytes > mirrored; echo $?; "$@" < bytes | head -c 5 | wc -c`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', node, ...words], {
      cwd: shell.directory,
      env: { ...env, PATH: process.env.PATH },
    });
    expect(stderr).toBe('');
    expect(stdout.replaceAll(' ', '')).toBe('0\n5\n');
    expect((await readFile(join(shell.directory, 'mirrored'))).equals(bytes)).toBe(true);
  });

  it('prints an answer that comes while nothing has come of the body, and reads no more of it', async () => {
    const words = ['use', 'KEY', '-X', 'POST', '-H', 'Content-Type: text/plain', '--data-file', '-', '--', '/ok'];
    const child = spawn(node, [command, ...words], { cwd: shell.directory, env: { ...env, PATH: process.env.PATH } });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    // Its standard input is open all the time.
    const [code] = await once(child, 'close');
    expect({ code, printed }).toEqual({ code: 0, printed: 'fine' });
  });

  it('ends quietly where its output is cut off, and so does the request', async () => {
    const { child, exit } = shell.start(['use', 'KEY', '--', '/endless'], env);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const { closed } = upstream.last;
    child.stdout?.destroy();
    expect(await exit).toMatchObject({ code: 0, stderr: '' });
    await closed;
  });

  it('tells a refusal that comes before all of the body is sent', async () => {
    await writeFile(join(shell.directory, 'large'), Buffer.alloc(30_000_000, '{'));
    const wrong = { ...env, SECRETS_GATEWAY_TOKEN: 'hunter22' };
    const { code, stdout, stderr } = await shell.run(['use', id, '--data-file', 'large', '--', '/swallow'], wrong);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^secrets-gateway use: UNAUTHORIZED: /);
  });

  it.skipIf(!hasPty)('shows an answer at a terminal without its escapes, and nothing that is not text', async () => {
    const on = (path: string) =>
      onTerminal([node, command, 'use', 'KEY', '--', path], {
        cwd: shell.directory,
        env: { ...env, PATH: process.env.PATH ?? '', TERM: 'xterm', HOME: shell.directory },
        script: [],
      });
    const raw = (text: string) =>
      `/raw?bytes=${encodeURIComponent(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${text}`)}`;
    expect(await on(raw('one\x1b[2Jtwo'))).toEqual({ text: 'one\\u{1b}[2Jtwo\r\n', code: 0 });
    const { text, code } = await on(raw('one\0two'));
    expect({ text, code }).toEqual({
      text: expect.stringMatching(/^secrets-gateway use: The answer is not text\./),
      code: 1,
    });
  });
});

describe('the credential of use', () => {
  /** What arrived at servers that play a gateway, which says that its broker is elsewhere. */
  const arrived: { readonly server: string; readonly request: IncomingMessage }[] = [];
  let namedUrl: string;
  let servers: { readonly url: string; close(): void }[];

  beforeAll(async () => {
    const start = async (name: string, answer: (request: IncomingMessage, response: ServerResponse) => void) => {
      const server = createServer((request, response) => {
        arrived.push({ server: name, request });
        request.resume().on('end', () => answer(request, response));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
    };
    const other = await start('another', (_request, response) => response.end());
    const secret = {
      id,
      name: 'KEY',
      destination: {
        origin: 'https://api.example.com',
        header: 'Authorization',
        format: 'Bearer {value}',
        paths: null,
      },
      useUrl: `${other.url}/v1/use/${id}`,
    };
    const named = await start('the one that is named', ({ url }, response) => {
      if (url === '/graphql') {
        const pageInfo = { hasNextPage: false, endCursor: null };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ data: { secrets: { totalCount: 1, nodes: [secret], pageInfo } } }));
        return;
      }
      const policy = "sandbox; default-src 'none'";
      response.writeHead(307, { location: `${other.url}/taken`, 'content-security-policy': policy }).end();
    });
    servers = [other, named];
    namedUrl = named.url;
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });

  const token = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';
  const key = `sgk_${'0'.repeat(49)}`;
  it.each<[string, Record<string, string>, string[], string, string]>([
    ['a token', { SECRETS_GATEWAY_TOKEN: token }, [], 'proxy-authorization', `Bearer ${token}`],
    ['an API key', { SECRETS_GATEWAY_API_KEY: key }, [], 'x-api-key', key],
    [
      'an API key beside a key of that name for the destination',
      { SECRETS_GATEWAY_API_KEY: key },
      ['-H', 'X-API-Key: of somebody else'],
      'proxy-authorization',
      `Bearer ${key}`,
    ],
  ])('that is %s goes where the settings say, in a header of its own, and follows no redirect', async (...given) => {
    const [, credential, options, header, sent] = given;
    arrived.length = 0;
    const settings = { SECRETS_GATEWAY_URL: namedUrl, ...credential };
    const { code, stdout, stderr } = await shell.run(['use', 'KEY', ...options, '--', '/v1/models?a=b'], settings);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('HTTP 307');
    expect(arrived.map(({ server, request }) => `${server}: ${request.url}`)).toEqual([
      'the one that is named: /graphql',
      `the one that is named: /v1/use/${id}/v1/models?a=b`,
    ]);
    const { headers = {} } = arrived[1]?.request ?? {};
    const credentials = Object.entries(headers).filter(([, text]) =>
      text?.includes(Object.values(credential)[0] ?? ''),
    );
    expect(credentials).toEqual([[header, sent]]);
  });
});

describe('what is typed after use', () => {
  const options = { header: [], timeout: '330' };
  it.each<[string, Partial<UseOptions>, string, string]>([
    ['a whole URL', {}, 'https://hunter22.example.com/v1', 'PATH is a path'],
    ['another method', { method: 'hunter22' }, '/', '--method must be'],
    ['TRACE', { method: 'trace' }, '/', '--method must be'],
    ['a body with GET', { method: 'get', data: '{}' }, '/', 'A GET has no body'],
    ['the name of a file as curl takes it', { data: '@hunter22' }, '/', '--data-file FILE'],
    ['a header without a value', { header: ['hunter22'] }, '/', '--header must be'],
    ['a header of two lines', { header: ['A: b\r\nProxy-Authorization: hunter22'] }, '/', '--header must be'],
    ['a header of bytes', { header: ['A: hunter22é'] }, '/', '--header must be'],
    ['a header of the gateway', { header: ['Proxy-Authorization: hunter22'] }, '/', 'does not send on'],
    ['the length of the body', { header: ['content-length: 22'] }, '/', 'does not send on'],
    ['no time', { timeout: 'hunter22' }, '/', '--timeout must be'],
    ['a time for no timer', { timeout: '10000000' }, '/', '--timeout must be'],
  ])('is refused for %s, and not repeated', (_what, given, path, message) => {
    const parse = () => parseUse({ ...options, ...given }, path);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('hunter22');
  });

  it.each([
    ['v1', '/v1'],
    ['/', '/'],
    ['?a=b', '?a=b'],
    ['/v1/two words?q=déjà&p=%20', '/v1/two%20words?q=d%C3%A9j%C3%A0&p=%20'],
  ])('may be the path %j', (path, sent) => expect(parseUse(options, path).path).toBe(sent));
});

describe('text for a terminal', () => {
  const shown = (pieces: readonly Uint8Array[]) => {
    const text = new TerminalText();
    return pieces.map((piece) => text.push(piece)).join('') + text.end();
  };

  it.each([
    ['line ends and tabs', 'a\tb\r\nc\n', 'a\tb\r\nc\n'],
    ['letters, signs and emoji of several characters', 'déjà 👨‍👩‍👧 ❤️\n', 'déjà 👨‍👩‍👧 ❤️\n'],
    ['escapes', '\x1b]0;owned\x07\x9b2J\n', '\\u{1b}]0;owned\\u{7}\\u{9b}2J\n'],
    ['a line that is written over', 'failed\rfine\n', 'failed\\u{d}fine\n'],
    ['a text that is turned round', 'a\u202eb\u2066c\n', 'a\\u{202e}b\\u{2066}c\n'],
    ['no line end', 'a', 'a\n'],
    ['half a line end', 'a\r', 'a\\u{d}\n'],
    ['nothing', '', ''],
  ])('shows %s', (_what, text, expected) => expect(shown([Buffer.from(text)])).toBe(expected));

  it('is the same wherever the answer is cut into pieces', () => {
    const text = fc.array(fc.constantFrom('a', '\r', '\n', '\x1b', 'é', '👨‍👩‍👧', '\u202e'), { maxLength: 20 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(shown(pieces)).toBe(shown([bytes]));
      }),
    );
  });
});
