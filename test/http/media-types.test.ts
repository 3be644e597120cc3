import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { expectRefusal } from '../support/refusal.ts';

const graphqlType = 'application/graphql-response+json';
const deleteSecret = 'mutation { deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id } }';

describe.each(storeNames)('the media types of a request on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  describe('bodies', () => {
    const form = new FormData();
    form.append('operations', JSON.stringify({ query: deleteSecret }));
    it.each<[string, BodyInit, string | undefined]>([
      ['a form', new URLSearchParams({ query: deleteSecret }), undefined],
      ['a multipart form', form, undefined],
      ['plain text', JSON.stringify({ query: deleteSecret }), 'text/plain'],
      ['a bare document', deleteSecret, 'application/graphql'],
      ['no media type', new Blob([JSON.stringify({ query: deleteSecret })]), undefined],
      ['a media type that only ends in json', JSON.stringify({ query: deleteSecret }), 'application/problem+json'],
      ['JSON in another encoding', JSON.stringify({ query: deleteSecret }), 'application/json; charset=utf-16'],
      ['two media types', JSON.stringify({ query: deleteSecret }), 'text/plain, application/json'],
    ])('refuses a POST of %s', async (_what, body, contentType) => {
      const response = await fetch(gateway.url, {
        method: 'POST',
        body,
        headers: {
          authorization: `Bearer ${await gateway.issuer.token()}`,
          ...(contentType !== undefined && { 'content-type': contentType }),
        },
      });
      const requestId = response.headers.get('x-request-id');
      expect(response.status).toBe(415);
      expect(response.headers.get('accept-post')).toBe('application/json');
      expect(await response.json()).toMatchObject({
        errors: [
          {
            message: 'The media type is not supported.',
            extensions: {
              code: 'UNSUPPORTED_MEDIA_TYPE',
              status: 415,
              type: 'unsupported_media_type_error',
              requestId,
            },
          },
        ],
      });
    });

    it.each(['application/json', 'APPLICATION/JSON; Charset="UTF-8"', 'application/json;charset=utf8'])(
      'accepts %s',
      async (type) => {
        const answer = await gateway.run('{ __typename }', {}, { headers: { 'content-type': type } });
        expect(answer.status).toBe(200);
      },
    );

    it('refuses a compressed body', async () => {
      const answer = await gateway.send({ body: '{}' }, { headers: { 'content-encoding': 'gzip' } });
      expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', 'unsupported_media_type_error');
      expect(answer.headers.get('accept-encoding')).toBe('identity');
    });

    it('takes no document from the URL of a POST', async () => {
      const path = `?${new URLSearchParams({ query: '{ __typename }' })}`;
      expectRefusal(await gateway.send({ body: '{}' }, {}, path), 400, 'BAD_REQUEST', 'invalid_request_error');
    });
  });

  describe('Accept', () => {
    const of = async (accept: string) => {
      const { status, headers } = await gateway.run('{ __typename }', {}, { headers: { accept } });
      return { status, type: headers.get('content-type') };
    };
    const inJson = { status: 200, type: 'application/json; charset=utf-8' };
    const inGraphql = { status: 200, type: `${graphqlType}; charset=utf-8` };

    it.each([
      '*/*',
      'application/*',
      'application/json',
      `application/json, ${graphqlType}`,
      `${graphqlType};q=0.4, application/json;q=0.5`,
      `${graphqlType};q=0, */*`,
      'text/html, application/xhtml+xml, */*;q=0.1',
      'application/json;charset=utf-8',
    ])('%s is answered with application/json', async (accept) => expect(await of(accept)).toEqual(inJson));

    it.each([
      graphqlType,
      `${graphqlType}, application/json;q=0.9`,
      `${graphqlType}, application/json`,
      `application/json;q=0.1, ${graphqlType};q=0.2`,
      `application/json;q=0, application/*`,
      `multipart/mixed, ${graphqlType}`,
      `text/event-stream, ${graphqlType.toUpperCase()}`,
    ])('%s is answered with application/graphql-response+json', async (accept) =>
      expect(await of(accept)).toEqual(inGraphql),
    );

    it.each([
      'text/html',
      'application/json;q=0',
      'application/xml, text/*',
      `${graphqlType};q=0, application/json;q=0.0`,
      'application/json;charset=utf-16',
    ])('%s is NOT_ACCEPTABLE', async (accept) => {
      const answer = await gateway.run('{ __typename }', {}, { headers: { accept } });
      expectRefusal(answer, 406, 'NOT_ACCEPTABLE', 'not_acceptable_error');
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    });
  });
});
