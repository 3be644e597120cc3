import { type GatewayError, isGatewayError } from '../../client/gateway-error.ts';
import { isTransportError } from '../../client/transport-error.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';

/** What the client throws, as people read it; anything else is returned as it is. */
export function clientFailure(error: unknown): unknown {
  if (isGatewayError(error))
    return new CommandFailure(told(error), error.code === 'UNAUTHORIZED' ? 'unauthenticated' : 'failed');
  if (isTransportError(error)) {
    return new CommandFailure(
      `${error.message} Is it running there? SECRETS_GATEWAY_URL says where it is.`,
      'unreachable',
    );
  }
  return error;
}

/** The gateway's own words, which repeat no value. */
function told({ code, message, description, retryAfter, errors }: GatewayError): string {
  const fix = description ?? (code === 'UNAUTHORIZED' ? 'The credential is wrong, has expired or was revoked.' : '');
  const wait = retryAfter === undefined ? '' : `Try again in ${retryAfter} s.`;
  const head = [`${code}: ${message}`, fix, wait].filter(Boolean).join(' ');
  return [head, ...errors.map((one) => `${one.field}: ${one.message}`)].map(printable).join('\n  ');
}
