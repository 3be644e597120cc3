import { expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';
import { postHead, raw } from '../support/http.ts';

it('unreadable bytes after a request do not affect its answer', async () => {
  const gateway = await TestGateway.start();
  try {
    const token = await gateway.issuer.token();
    const body = JSON.stringify({ query: createSecret(), variables: { input: newSecret() } });
    const request = `${postHead}Authorization: Bearer ${token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const text = await raw(gateway, `${request}NONSENSE\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('"createSecret"');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  } finally {
    await gateway.close();
  }
});
