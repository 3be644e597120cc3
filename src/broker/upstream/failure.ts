import { DomainError } from '../../errors.ts';

/** What was wrong with an upstream, and what to do, in fixed words. None of them names an address or says what was sent. */
const faults = {
  unknownName: ['The host name of the destination was not found.', 'Check its origin, or retry later.'],
  lookUp: ['The host name of the destination could not be looked up.', 'Retry later.'],
  forbiddenAddress: [
    'The destination is at an address that the gateway may not reach.',
    'An operator can allow private ones with BROKER_ALLOW_PRIVATE.',
  ],
  insecure: ['The gateway sends values by https: only.', 'Give the secret a destination with an https: origin.'],
  refused: [
    'The destination refused the connection.',
    'Check the host and the port of its origin, or retry later: nothing listens there.',
  ],
  unreachable: ['The gateway could not connect to the destination.', 'Check its origin, or retry later.'],
  certificateName: [
    'The certificate of the destination is for another name.',
    'Check its origin; its server needs a certificate for that name.',
  ],
  certificateTime: [
    'The certificate of the destination has expired, or is not valid yet.',
    'Its server needs another certificate.',
  ],
  certificate: [
    'The gateway does not trust the certificate of the destination.',
    'Its server needs one of a known authority, with the intermediate ones; an operator can add an authority with NODE_EXTRA_CA_CERTS.',
  ],
  tls: ['No TLS connection (1.2 or newer) to the destination could be made.', 'Check the port of its origin.'],
  closed: [
    'The destination closed the connection before it had answered.',
    'It may have received the request: send it again only if it may be carried out twice.',
  ],
  cut: ['The destination closed the connection before its answer was whole.', 'It has received the request.'],
  notHttp: ['The destination did not answer with HTTP/1.1.', 'Check the port of its origin.'],
  headers: [
    'The headers of the answer are too large.',
    'Ask the destination for fewer: 256 headers of 32 KiB may pass.',
  ],
  upgrade: ['The destination answered with another protocol, which nobody asked for.', 'Check its origin.'],
  coding: [
    'The destination answered with a transfer coding other than chunked.',
    'Its server must answer with chunked or a length.',
  ],
} as const;

export type UpstreamFault = keyof typeof faults;

/** @param code a code of the system or of a library, for the operator */
export function badGateway(fault: UpstreamFault, code: string = fault): DomainError {
  const [message, fix] = faults[fault];
  return new DomainError('BAD_GATEWAY', { message, description: `${message} ${fix}`, reason: code });
}

/** What took too long, and what to do. */
const delays = {
  lookUp: ['The look-up of the host name of the destination took too long.', 'Check its origin, or retry later.'],
  connection: [
    'The destination did not accept the connection in time.',
    'Check the host and the port of its origin, or retry later.',
  ],
  answer: [
    'The destination was silent for too long.',
    'It may have received the request: send it again only if it may be carried out twice. An operator sets the time with BROKER_TIMEOUT.',
  ],
} as const;

export type UpstreamDelay = keyof typeof delays;

export function upstreamTimeout(delay: UpstreamDelay): DomainError {
  const [message, fix] = delays[delay];
  return new DomainError('GATEWAY_TIMEOUT', { message, description: `${message} ${fix}`, reason: delay });
}

/** The client has not sent the rest of its request. */
export function requestTimeout(): DomainError {
  return new DomainError('REQUEST_TIMEOUT', {
    description: 'The body of the request stopped coming. Send it without long pauses.',
  });
}

/** Nobody will be told: the client has gone. */
export function clientGone(): DomainError {
  return new DomainError('BAD_REQUEST', { description: 'The client closed the connection.' });
}

/**
 * The refusal for an error of Node's, of which nothing but the code is kept: some messages quote what was sent.
 * @param fault for an error that is not told by its code
 */
export function failureOf(error: unknown, fault: UpstreamFault): DomainError {
  if (error instanceof DomainError) return error;
  const { code } = error as { code?: unknown };
  // Fixed words of the system, of OpenSSL or of the parser. The other side can choose among them, and no others.
  const word = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined;
  // The system's own limit for a connection may be shorter than the gateway's.
  if (word === 'ETIMEDOUT' && fault === 'unreachable') return upstreamTimeout('connection');
  return badGateway(faultOf(word ?? '', fault), word);
}

function faultOf(code: string, fallback: UpstreamFault): UpstreamFault {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers';
  if (code.startsWith('HPE_')) return 'notHttp';
  if (/^(ENOTFOUND|ENODATA)/.test(code)) return 'unknownName';
  if (/^(EAI_|ESERVFAIL)/.test(code)) return 'lookUp';
  if (code === 'ECONNREFUSED' && fallback === 'unreachable') return 'refused';
  if (/^ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH/.test(code)) return 'certificateName';
  if (/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/.test(code)) return 'certificateTime';
  if (/CERT|^UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE|CRL|SIGNATURE_FAILURE/.test(code))
    return 'certificate';
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(code)) return 'tls';
  return fallback;
}
