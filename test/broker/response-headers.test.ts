import { validateHeaderName, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { responseHeaders } from '../../src/broker/response-headers.ts';
import { Scrubber } from '../../src/broker/scrub/scrub.ts';

const value = 'sk-test_0123456789';
const page = ['Content-Security-Policy', "sandbox; default-src 'none'"];

const place = {
  origin: 'https://api.example.com',
  path: '/items/list?page=1',
  useUrl: 'https://gateway.test/v1/use/1',
  gatewayHost: 'gateway.internal:4000',
};
const passed = (...rawHeaders: string[]) => {
  const headers = responseHeaders(rawHeaders, new Scrubber(value), place);
  expect(headers.slice(-2)).toEqual(page);
  return headers.slice(0, -2);
};

describe('a header of the upstream', () => {
  it('passes as it was sent, with its order and its doubles', () => {
    const headers = [
      ...[
        'Content-Type',
        'text/event-stream',
        'x-ratelimit-remaining',
        '59',
        'Link',
        '<https://api.test/2>; rel="next"',
      ],
      ...[
        'WWW-Authenticate',
        'Bearer',
        'WWW-Authenticate',
        'Basic realm="x"',
        'retry-after',
        '5',
        'Location',
        'https://other.test/v1/x?y=1',
      ],
      ...[
        'Content-Length',
        '10',
        'ETag',
        '"1"',
        'Vary',
        'Accept',
        'X-Empty',
        '',
        'X-Latin',
        'caf\xe9',
        'X-Accel-Buffering',
        'no',
      ],
    ];
    expect(passed(...headers)).toEqual(headers);
  });

  it.each([
    ...[
      'Set-Cookie',
      'set-cookie2',
      'ALT-SVC',
      'Strict-Transport-Security',
      'Clear-Site-Data',
      'Access-Control-Allow-Origin',
    ],
    ...['access-control-anything', 'Secrets-Gateway-Error', 'Cross-Origin-Opener-Policy', 'Content-Security-Policy'],
    ...['Service-Worker-Allowed', 'Refresh', 'Report-To', 'NEL', 'Origin-Agent-Cluster', 'Sec-Session-Registration'],
    ...[
      'Connection',
      'Keep-Alive',
      'Transfer-Encoding',
      'Upgrade',
      'Trailer',
      'TE',
      'Proxy-Authenticate',
      'Proxy-Status',
      'Via',
    ],
    ...['Cache-Control', 'Expires', 'X-Content-Type-Options', 'CDN-Cache-Control', 'Surrogate-Control'],
    ...['X-Accel-Redirect', 'X-Sendfile', 'X-Envoy-Immediate-Health-Check-Fail', 'X-Upstream-Request-Id'],
  ])('that speaks for the gateway, or for one hop, does not pass: %s', (name) => {
    expect(passed('A', '1', name, 'x', 'B', '2')).toEqual(['A', '1', 'B', '2']);
  });

  it('that Connection names does not pass', () => {
    const headers = ['X-Hop', '1', 'Connection', 'close, x-HOP', 'connection', ' other ', 'Other', '2', 'Kept', '3'];
    expect(passed(...headers)).toEqual(['Kept', '3']);
  });

  it('with the value passes without it', () => {
    const encoded = Buffer.from(`user:${value}`).toString('base64');
    expect(passed('Location', `https://other.test/?key=${value}&x=1`)).toEqual([
      'Location',
      `https://other.test/?key=${'*'.repeat(value.length)}&x=1`,
    ]);
    const [, echoed = ''] = passed('X-Echo', `Basic ${encoded}`);
    expect(echoed).toMatch(/^Basic [A-Za-z\d+/=]+\*{20,}[A-Za-z\d+/=]*$/);
    expect(echoed).toHaveLength(`Basic ${encoded}`.length);
  });

  it('links to the upstream through the broker, so that nobody sends the gateway’s credential there', () => {
    const pages =
      '<https://api.example.com/items?page=2&per=5>; rel="next", <HTTPS://API.example.com:443>; rel="first", <//api.example.com/last>';
    expect(passed('Link', pages)).toEqual([
      'Link',
      '<https://gateway.test/v1/use/1/items?page=2&per=5>; rel="next", <https://gateway.test/v1/use/1/>; rel="first", <https://gateway.test/v1/use/1/last>',
    ]);
    expect(passed('location', 'https://api.example.com/items/7#top')).toEqual([
      'location',
      'https://gateway.test/v1/use/1/items/7#top',
    ]);
  });

  it('that links to the upstream has no value that comes together only in the link through the broker', () => {
    const [begin, end] = [value.slice(0, 9), value.slice(9)];
    const split = `https://api.example.com/items?key=${begin}\t${end}`;
    const through = `https://gateway.test/v1/use/1/items?key=${'*'.repeat(value.length)}`;
    expect(passed('Location', split)).toEqual(['Location', through]);
    expect(passed('Link', `<${split}>; rel="next"`)).toEqual(['Link', `<${through}>; rel="next"`]);
  });

  it('links without an origin where it came from, and never to another route or another secret of the gateway', () => {
    for (const [link, through] of [
      ['/graphql', '/graphql'],
      ['/v1/use/2/items', '/v1/use/2/items'],
      ['next', '/items/next'],
      ['?page=2', '/items/list?page=2'],
      ['../../../../graphql', '/graphql'],
    ] as const) {
      expect(passed('Location', link)).toEqual(['Location', `${place.useUrl}${through}`]);
      expect(passed('Link', `<${link}>; rel="next"`)).toEqual(['Link', `<${place.useUrl}${through}>; rel="next"`]);
    }
  });

  it('links to the gateway to where a link without an origin leads, and never to another route or another secret', () => {
    for (const [link, through] of [
      ['https://gateway.test/graphql', '/graphql'],
      ['https://gateway.test/v1/use/2/items?a=b#c', '/v1/use/2/items?a=b#c'],
      ['https://gateway.test/v1/use/1/../2/items', '/v1/use/2/items'],
      ['https://gateway.test/v1/use/12', '/v1/use/12'],
      ['https://gateway.test', '/'],
      ['HTTPS://GATEWAY.test.:443/graphql', '/graphql'],
      ['http://gateway.test/graphql', '/graphql'],
      ['//gateway.test/graphql', '/graphql'],
      ['/\\gateway.test\\graphql', '/graphql'],
      ['https://a:b@gateway.test/graphql', '/graphql'],
      ['https://gateway.test\\@other.test/graphql', '/@other.test/graphql'],
      ['http://gateway.internal:4000/graphql', '/graphql'],
      ['https://gateway.internal:4000/graphql', '/graphql'],
      // Where the upstream knows how it is reached.
      ['https://gateway.test/v1/use/1/items?page=2', '/items?page=2'],
      ['http://gateway.internal:4000/v1/use/1', ''],
    ] as const) {
      expect(passed('Location', link), link).toEqual(['Location', `${place.useUrl}${through}`]);
      expect(passed('Link', `<${link}>; rel="next"`)).toEqual(['Link', `<${place.useUrl}${through}>; rel="next"`]);
    }
  });

  it('links to other places as it was sent', () => {
    const others = [
      ...[
        'https://api.example.com.other.test/',
        'https://other.test/https://api.example.com/',
        'http://api.example.com/',
      ],
      ...['https://api.example.com:444/', 'https://a:b@api.example.com/', 'https://other.test/caf\xe9?a=%2e#d', ''],
      ...[
        'https://gateway.test:444/',
        'https://not.gateway.test/',
        'https://gateway.test.other.test/',
        'mailto:a@b.test',
      ],
    ];
    for (const other of others) {
      expect(passed('Location', other)).toEqual(['Location', other]);
      expect(passed('Link', `<${other}>; rel="next"`)).toEqual(['Link', `<${other}>; rel="next"`]);
    }
    const elsewhere = ['Content-Location', 'https://api.example.com/items'];
    expect(passed(...elsewhere)).toEqual(elsewhere);
  });

  it('links to other places in a form in which no client takes the path for one of the gateway', () => {
    for (const [link, whole] of [
      ['//other.test/x', 'https://other.test/x'],
      ['///x/../graphql', 'https://x/graphql'],
      ['/\\x/../graphql', 'https://x/graphql'],
      ['https:///x/../graphql', 'https://x/graphql'],
      ['https://other.test\\@gateway.test/graphql', 'https://other.test/@gateway.test/graphql'],
      ['ht\ttps://other.test/x', 'https://other.test/x'],
    ] as const) {
      expect(passed('Location', link), link).toEqual(['Location', whole]);
      expect(passed('Link', `<${link}>; rel="next"`)).toEqual(['Link', `<${whole}>; rel="next"`]);
    }
  });

  it('links to what is no place, or outside of angle brackets, does not pass', () => {
    for (const link of ['https://', '/\\ /../graphql', '//a b/../graphql', 'https:///?/../graphql']) {
      expect(passed('Location', link, 'Link', `</1>; rel="next", <${link}>; rel="last"`), link).toEqual([]);
    }
    for (const links of [
      'https://gateway.test/graphql; rel="next"',
      'https://gateway.test/graphql>; rel="next"',
      '</1>; rel="first", <https://gateway.test/graphql; rel="next"',
      '/graphql; rel="next", </1>; rel="first"',
    ]) {
      expect(passed('Link', links), links).toEqual([]);
    }
  });

  it('with the value in its name does not pass', () => {
    expect(passed(`X-${value}`, '1', `x-${value.toUpperCase()}`, '2', 'X-Other', '3')).toEqual(['X-Other', '3']);
  });

  it('that names its request passes under another name', () => {
    expect(passed('x-request-id', 'req_1')).toEqual(['X-Upstream-Request-Id', 'req_1']);
  });

  it('that cannot be written does not pass, whatever it is made of', () => {
    expect(passed('a b', '1', 'c', 'x\r\nSet-Cookie: y', '', '2', 'd:', '3', 'e', 'x\0', 'f', '\u2022')).toEqual([]);
    const scrubber = new Scrubber(value);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (rawHeaders) => {
        const headers = responseHeaders(rawHeaders, scrubber, place);
        for (let at = 0; at < headers.length; at += 2) {
          validateHeaderName(headers[at] as string);
          validateHeaderValue(headers[at] as string, headers[at + 1] as string);
        }
      }),
    );
  });
});
