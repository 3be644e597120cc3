import { DomainError } from '../../errors.ts';

/** What was wrong with an upstream, in fixed words. None of them names an address or says what was sent. */
const descriptions = {
  unknownName: 'The host name of the destination was not found. Check its origin, or retry later.',
  forbiddenAddress:
    'The destination is at an address that the gateway may not reach. An operator can allow private ones with BROKER_ALLOW_PRIVATE.',
  refused: 'The gateway could not connect to the destination. Check its origin, or retry later.',
  certificate:
    'The destination has no certificate that is valid for its name. Check its origin; its server needs another certificate.',
  tls: 'No TLS connection (1.2 or newer) to the destination could be made. Check the port of its origin.',
  closed: 'The destination closed the connection before it had answered. It may have received the request.',
  cut: 'The destination closed the connection before its answer was whole.',
  notHttp: 'The destination did not answer with HTTP/1.1. Check the port of its origin.',
  headers: 'The headers of the answer are too large.',
  upgrade: 'The destination answered with another protocol, which nobody asked for.',
  coding: 'The destination answered with a transfer coding other than chunked.',
} as const;

export type UpstreamFault = keyof typeof descriptions;

/** @param code a code of the system or of a library, for the operator */
export function badGateway(fault: UpstreamFault, code?: string): DomainError {
  return new DomainError('BAD_GATEWAY', { description: descriptions[fault], ...(code && { reason: code }) });
}

export function upstreamTimeout(): DomainError {
  return new DomainError('GATEWAY_TIMEOUT', { description: 'The destination took too long. Retry later.' });
}

/** The client has not sent the rest of its request. */
export function requestTimeout(): DomainError {
  return new DomainError('REQUEST_TIMEOUT');
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
  return badGateway(faultOf(word ?? '', fault), word);
}

function faultOf(code: string, fallback: UpstreamFault): UpstreamFault {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers';
  if (code.startsWith('HPE_')) return 'notHttp';
  if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)/.test(code)) return 'unknownName';
  if (/CERT|^UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE|CRL|SIGNATURE_FAILURE/.test(code))
    return 'certificate';
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(code)) return 'tls';
  return fallback;
}
