import { DomainError, type ErrorCode } from '../errors.ts';

/** What is wrong with an issuer's keys: a word for the log and `/readyz`, and a sentence that says what to do. */
const faults = {
  unreachable: 'It cannot be reached. Check the URL, the name server, the certificate and the network.',
  timeout: 'It does not answer in time. Check the URL and the network.',
  redirect: 'It redirects, which is not followed. Set the URL to where it leads.',
  status: 'It answers with an error. Check the URL.',
  'too-large': 'It answers with more than a key set can be. Check the URL.',
  page: 'It answers with a page, such as one to log in, and not with JSON. Check the URL.',
  'not-json': 'It answers with something that is not JSON. Check the URL.',
  'discovery-document':
    'It is the discovery document, and not the keys. Set the URL to what the document has in "jwks_uri", or leave the URL out: then the gateway finds it.',
  'not-a-key-set': 'It is not a JWK set: {"keys":[…]} (RFC 7517). Check the URL or the file.',
  'no-keys': 'The key set is empty. The issuer must publish the keys that it signs with.',
  'no-usable-keys': 'No key in the set can be used. The line "keys not used" says why.',
  'unusable-key': 'The token names a key that the issuer publishes, and that cannot be used.',
  'not-a-discovery-document': 'It is not an OpenID discovery document. Set the URL of the keys instead.',
  'issuer-differs':
    'The discovery document is of another issuer. Write the issuer exactly as the document has it in "issuer".',
  'issuer-slash':
    'The discovery document has the issuer with a slash at its end where the setting has none, or the other way round. Did you mean the one in the document? Tokens have the same.',
  'jwks-uri': 'The discovery document has no "jwks_uri" that is an https: URL. Set the URL of the keys instead.',
  file: 'The file cannot be read.',
} as const;

export type FaultReason = keyof typeof faults;

/** What is known of a fault, for the log. */
export interface FaultSource {
  /** Where the keys should be: a URL or a file of the settings. */
  readonly source: string;
  readonly status?: number;
  /** The system's code for why there was no answer. */
  readonly code?: string;
}

/** An issuer does not publish keys that tokens could be verified with. It is not the fault of who calls. */
export class IssuerFault extends DomainError {
  readonly reason: FaultReason;
  readonly source: FaultSource;

  constructor(reason: FaultReason, source: FaultSource, cause?: unknown) {
    const code: ErrorCode = reason === 'timeout' ? 'GATEWAY_TIMEOUT' : 'BAD_GATEWAY';
    super(code, {
      description: 'The keys of the token’s issuer cannot be used at the moment.',
      reason,
      hint: `${faults[reason]} (reason: ${reason})`,
      retryAfterSeconds: 5,
      cause,
    });
    this.reason = reason;
    this.source = source;
  }

  /** What a line of the log says of it. */
  get line(): Record<string, unknown> {
    const { source, ...known } = this.source;
    return {
      [/^https?:/.test(source) ? 'url' : 'file']: source,
      ...known,
      reason: this.reason,
      hint: faults[this.reason],
    };
  }
}
