import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';

describe('the page of GraphiQL', () => {
  let shell: CommandLine;
  let gateway: RunningGateway;
  beforeAll(async () => {
    shell = await CommandLine.open();
    gateway = await shell.serve();
  });
  afterAll(() => shell.close());

  it('comes compressed to a client that accepts it, and as it is to another', async () => {
    const pageFor = async (encoding: string) => {
      const headers = { accept: 'text/html', 'accept-encoding': encoding };
      const response = await fetch(gateway.url, { headers });
      return { headers: Object.fromEntries(response.headers), text: await response.text() };
    };
    const [small, plain] = [await pageFor('gzip, deflate, br'), await pageFor('gzip;q=0, identity')];
    expect(small.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(Number(small.headers['content-length'])).toBeLessThan(Number(plain.headers['content-length']) / 3);
    const withoutToken = (text: string) => text.replace(/Bearer [\w.-]+/, '');
    expect(withoutToken(small.text)).toBe(withoutToken(plain.text));
  });
});
