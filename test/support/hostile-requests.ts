/** Bytes that a hostile client writes to one connection. */
export interface HostileRequest {
  readonly bytes: string;
  /**
   * refused: nothing arrives at the upstream. passes: each request is answered with 200. cut: what arrived at the upstream, if
   * anything did, is not whole, and the client is not told 200.
   */
  readonly verdict: 'refused' | 'passes' | 'cut';
  /** How many answers there are where it passes; 1 by default. */
  readonly answers?: number;
}

/** @param elsewhere a host where nothing may arrive */
export function hostileRequests(id: string, credential: string, elsewhere: string): Record<string, HostileRequest> {
  const signedIn = `Host: 127.0.0.1\r\nAuthorization: Bearer ${credential}\r\n`;
  const to = (path: string, method = 'POST') => `${method} /v1/use/${id}/v1/${path} HTTP/1.1\r\n`;
  const second = `${to('smuggled', 'GET')}${signedIn}Connection: close\r\n\r\n`;
  /** A request with these lines, and what comes after its head. */
  const post = (lines: string, rest: string) =>
    `${to('record')}${signedIn}Connection: close\r\n${lines}\r\n\r\n${rest}`;
  const get = (target: string, lines = '', method = 'GET') =>
    `${method} ${target} HTTP/1.1\r\n${signedIn}Connection: close\r\n${lines}\r\n`;
  const path = `/v1/use/${id}/v1/ok`;
  const refused = (bytes: string): HostileRequest => ({ bytes, verdict: 'refused' });
  const cut = (bytes: string): HostileRequest => ({ bytes, verdict: 'cut' });
  const passes = (bytes: string, answers = 1): HostileRequest => ({ bytes, verdict: 'passes', answers });
  return {
    ...framing(post, second, refused, cut),
    'a header that is folded': refused(post('X-A: 1\r\n Authorization: Bearer x\r\nContent-Length: 0', '')),
    'a space before the colon of a header': refused(post('X-A : 1\r\nContent-Length: 0', '')),
    'a header without a name': refused(post(': 1\r\nContent-Length: 0', '')),
    'a NUL in a header': refused(post('X-A: a\0b\r\nContent-Length: 0', '')),
    'a CR in a header': refused(post('X-A: a\rX-Injected: 1\r\nContent-Length: 0', '')),
    'a line that ends with LF alone': refused(post('X-A: a\nX-Injected: 1\r\nContent-Length: 0', '')),
    'a LF between the head and the body': refused(`${to('ok', 'GET')}${signedIn}Connection: close\n\n${second}`),
    'no Host': refused(`${to('ok', 'GET')}Authorization: Bearer ${credential}\r\nConnection: close\r\n\r\n`),
    'two Hosts': refused(get(path, `Host: ${elsewhere}\r\n`)),
    'a Host that names somebody else, which nobody is sent to': passes(
      get(path).replace('Host: 127.0.0.1', 'Host: evil.example'),
    ),
    'a target that names another host, which nobody is sent to': passes(get(`http://evil.example${path}`)),
    'a target with an address in it': refused(get(`//${elsewhere}${path}`)),
    'an asterisk': refused(get('*', '', 'OPTIONS')),
    'CONNECT to another host': refused(get(elsewhere, '', 'CONNECT')),
    'CONNECT to the path of the broker': refused(get(path, '', 'CONNECT')),
    TRACE: refused(get(path, '', 'TRACE')),
    'an upgrade to a WebSocket': refused(
      get(path, 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n'),
    ),
    'an upgrade to HTTP/2': refused(
      get(path, 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
    ),
    'the preface of HTTP/2': refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'trailers that are announced': refused(
      post('Trailer: X-T\r\nTransfer-Encoding: chunked', '2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n'),
    ),
    'trailers that are not announced': cut(
      post('Transfer-Encoding: chunked', '2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n\r\n'),
    ),
    'a space in the target': refused(get(`${path} x`)),
    'a target of 40 KB': refused(get(`${path}?${'x'.repeat(40_000)}`)),
    '5,000 headers': refused(
      get(path, Array.from({ length: 5000 }, (_, index) => `X-${index}: ${index}\r\n`).join('')),
    ),
    'an expectation that nobody knows': passes(get(path, 'Expect: the best\r\n')),
    'two requests in one packet': passes(`${to('ok', 'GET')}${signedIn}\r\n${get(`/v1/use/${id}/v1/ok?2`)}`, 2),
    'a body for which the client waits to be asked': passes(post('Expect: 100-continue\r\nContent-Length: 5', 'hello')),
    'headers of the connection that it names': passes(
      get(path, 'X-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: close\r\n').replace(
        'Connection: close',
        'Connection: close, X-Hop',
      ),
    ),
    'the header of the destination as one of the connection': passes(
      get(path).replace('Connection: close', 'Connection: close, Authorization, Host'),
    ),
    'a body of chunks': passes(post('Transfer-Encoding: chunked', '2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\n\r\n')),
  };
}

/** Bodies whose end two servers could see in two places. */
function framing(
  post: (lines: string, rest: string) => string,
  second: string,
  refused: (bytes: string) => HostileRequest,
  cut: (bytes: string) => HostileRequest,
): Record<string, HostileRequest> {
  const length = second.length;
  return {
    'a length and chunks': refused(post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${second}`)),
    'chunks and a length': refused(
      post(`Transfer-Encoding: chunked\r\nContent-Length: ${length}`, `0\r\n\r\n${second}`),
    ),
    'two lengths': refused(post(`Content-Length: 0\r\nContent-Length: ${length}`, second)),
    'two lengths in one line': refused(post(`Content-Length: 0, ${length}`, second)),
    'a length below zero': refused(post('Content-Length: -1', second)),
    'a length with a sign': refused(post('Content-Length: +5', 'hello')),
    'a length in hexadecimal': refused(post('Content-Length: 0x5', 'hello')),
    'a length that no number holds': refused(post('Content-Length: 99999999999999999999', 'hello')),
    'chunks by another name': refused(post('Transfer-Encoding: xchunked', `0\r\n\r\n${second}`)),
    'chunks that are not the last encoding': refused(
      post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${second}`),
    ),
    'chunks behind a vertical tab': refused(post('Transfer-Encoding: \x0bchunked', `0\r\n\r\n${second}`)),
    'chunks behind a space before the colon': refused(post('Transfer-Encoding : chunked', `0\r\n\r\n${second}`)),
    'a compressed transfer': refused(post('Transfer-Encoding: gzip, chunked', `0\r\n\r\n${second}`)),
    'a chunk of no size': cut(post('Transfer-Encoding: chunked', `zz\r\nhello\r\n0\r\n\r\n${second}`)),
    'a chunk of a size that no number holds': cut(post('Transfer-Encoding: chunked', `FFFFFFFFFFFFFFFFF\r\nhello`)),
    'a chunk that is longer than it says': cut(post('Transfer-Encoding: chunked', `2\r\nhello\r\n0\r\n\r\n${second}`)),
    'a chunk whose size ends with LF alone': cut(post('Transfer-Encoding: chunked', `5\nhello\r\n0\r\n\r\n${second}`)),
    'a chunk with a LF in its extension': cut(post('Transfer-Encoding: chunked', `5;a\nhello\r\n0\r\n\r\n${second}`)),
  };
}
