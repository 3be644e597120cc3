import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

describe('a body has at most 1 MiB', () => {
  const mebibyte = 1024 * 1024;
  const body = (bytes: number) => '{"query":"{ __typename }"}'.padEnd(bytes);

  it('and a larger one does not affect the next request', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { status, headers } = await gateway.send({ body: body(mebibyte * 2) });
      expect([status, headers.get('connection')]).toEqual([413, 'close']);
      expect((await gateway.send({ body: body(100) })).data).toEqual({ __typename: 'Query' });
    }
  });

  it('as its Content-Length says', async () => {
    expect((await gateway.send({ body: body(mebibyte) })).data).toEqual({ __typename: 'Query' });
    const { status, errors, headers } = await gateway.send({ body: body(mebibyte + 1) });
    expect(status).toBe(413);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      status: 413,
      type: 'payload_too_large_error',
      requestId: headers.get('x-request-id'),
    });
    expect(errors[0]?.extensions.description).toMatch(/1 MiB/);
  });

  it('in bytes, not in characters', async () => {
    const query = `{"query":"{ __typename } #${'é'.repeat(mebibyte / 2)}"}`;
    expect(query.length).toBeLessThan(mebibyte);
    expect((await gateway.send({ body: query })).status).toBe(413);
  });

  /** Sends the text in chunks, without a Content-Length. */
  async function chunked(text: string): Promise<{ status: number; text: string }> {
    const token = await gateway.issuer.token();
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const outgoing = request(gateway.url, { method: 'POST', headers }, async (response) => {
        let answer = '';
        for await (const chunk of response) answer += chunk;
        resolve({ status: response.statusCode ?? 0, text: answer });
      });
      outgoing.on('error', reject);
      for (let at = 0; at < text.length; at += 100_000) outgoing.write(text.slice(at, at + 100_000));
      outgoing.end();
    });
  }

  it('when it arrives in chunks', async () => {
    expect(await chunked(body(mebibyte))).toMatchObject({ status: 200, text: '{"data":{"__typename":"Query"}}' });
    const { status, text } = await chunked(body(mebibyte + 1));
    expect(status).toBe(413);
    expect(JSON.parse(text).errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
  });
});
