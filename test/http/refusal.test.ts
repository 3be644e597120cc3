import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError, type ErrorCode, errorTable } from '../../src/errors.ts';
import { type ErrorShape, HttpRefusal, headersOf, jsonErrors, writeRefusal } from '../../src/http/refusal.ts';

const codes = Object.keys(errorTable) as ErrorCode[];
const headersByCode: Partial<Record<ErrorCode, Record<string, string>>> = {
  UNAUTHORIZED: { 'WWW-Authenticate': 'Bearer realm="secrets-gateway"' },
  UPGRADE_REQUIRED: { Upgrade: 'TLS/1.2, HTTP/1.1', Connection: 'Upgrade' },
};

describe('the headers of a refusal', () => {
  it.each(codes)('with the code %s', (code) => {
    expect(headersOf(new DomainError(code))).toEqual(headersByCode[code] ?? {});
  });

  it.each(codes)('have Retry-After when the error with the code %s has retryAfterSeconds', (code) => {
    expect(headersOf(new DomainError(code, { retryAfterSeconds: 7 }))).toEqual({
      ...headersByCode[code],
      'Retry-After': '7',
    });
    expect(headersOf(new DomainError(code, { retryAfterSeconds: 0 }))['Retry-After']).toBe('0');
  });

  it('include its own beside those of its code', () => {
    const refusal = new HttpRefusal('UNAUTHORIZED', { Allow: 'GET' }, { retryAfterSeconds: 1 });
    expect(headersOf(refusal)).toEqual({ ...headersByCode.UNAUTHORIZED, Allow: 'GET', 'Retry-After': '1' });
  });

  it('have its own value where both define the same header', () => {
    const refusal = new HttpRefusal('UPGRADE_REQUIRED', { Connection: 'close' }, {});
    expect(headersOf(refusal).Connection).toBe('close');
  });
});

describe('a refusal as JSON', () => {
  it('has the shape of a GraphQL response, and no data', () => {
    const error = new DomainError('CONFLICT_ERROR', { description: 'Why.', currentVersion: 3, retryAfterSeconds: 2 });
    expect(JSON.parse(jsonErrors.body(error, 'request-1'))).toEqual({
      errors: [
        {
          message: 'The resource conflicts with another.',
          extensions: {
            code: 'CONFLICT_ERROR',
            status: 409,
            type: 'conflict_error',
            requestId: 'request-1',
            description: 'Why.',
            currentVersion: 3,
            retryAfter: 2,
          },
        },
      ],
    });
  });

  it('never includes the cause, which is for the log only', () => {
    const error = new DomainError('BAD_GATEWAY', { cause: new Error('canary-4711') });
    expect(jsonErrors.body(error, 'request-1')).not.toContain('canary-4711');
  });
});

describe('writeRefusal', () => {
  let url: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const server = createServer((request, response) => answer(request, response));

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.close();
  });

  const shape: ErrorShape = {
    contentType: (request) => `application/x${request?.method?.toLowerCase()}; charset=utf-8`,
    body: ({ code }, requestId) => `${code} für ${requestId}`,
  };

  it('writes the status, the headers and the body of the error, in the format of the route', async () => {
    answer = (request, response) => {
      writeRefusal(request, response, new DomainError('UNAUTHORIZED'), 'request-1', shape);
      response.end();
    };
    const response = await fetch(url, { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="secrets-gateway"');
    expect(response.headers.get('content-type')).toBe('application/xpost; charset=utf-8');
    expect(response.headers.get('content-length')).toBe('27');
    expect(await response.text()).toBe('UNAUTHORIZED für request-1');
  });

  it('keeps the headers that were set before', async () => {
    answer = (request, response) => {
      response.setHeader('X-Request-Id', 'request-1');
      writeRefusal(request, response, new DomainError('NOT_FOUND'), 'request-1', jsonErrors);
      response.end();
    };
    const response = await fetch(url);
    expect(response.headers.get('x-request-id')).toBe('request-1');
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  it('leaves the response open: the caller ends it when the rest of the body has been read', async () => {
    let isOpen = false;
    answer = (request, response) => {
      writeRefusal(request, response, new DomainError('NOT_FOUND'), 'request-1', jsonErrors);
      isOpen = !response.writableEnded;
      response.end();
    };
    await (await fetch(url)).text();
    expect(isOpen).toBe(true);
  });
});
