import type { IncomingMessage } from 'node:http';
import { answerPolicy } from '../../broker/response-headers.ts';
import { type AnsweredError, type FieldError, GatewayError, isOfGateway } from '../../client/gateway-error.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { noDestination, type UseTarget } from './use-target.ts';

const maxLength = 64 * 1024;

/**
 * What the gateway itself answers instead of the destination, or something before it, such as a proxy.
 * @returns null for an answer of the destination, of which nothing is read
 */
export async function readRefusal(answer: IncomingMessage, target: UseTarget): Promise<Error | null> {
  const { statusCode: status = 0, headers } = answer;
  const code = headers['secrets-gateway-error'];
  const isOfBroker = headers['content-security-policy']?.includes(answerPolicy);
  if (code === undefined && (status < 300 || isOfBroker)) return null;
  const said = await readJson(answer);
  if (code === undefined) {
    const error = Array.isArray(said.errors) ? (said.errors[0] as AnsweredError | undefined) : undefined;
    const isHere = error && isOfGateway(error) && error.extensions?.code !== 'NOT_FOUND';
    return isHere ? new GatewayError(error, {}) : notTheBroker(status, target);
  }
  const { title, detail, errors, ...members } = said;
  const fields = Array.isArray(errors) ? (errors as FieldError[]) : [];
  if (fields.some(({ type }) => type === 'no_destination')) return noDestination(target.shownName);
  const description = detail === title ? undefined : detail;
  const message = typeof title === 'string' ? title : 'The gateway refused.';
  return new GatewayError({ message, extensions: { ...members, code, description, errors: fields } }, {});
}

/** @returns nothing of what is no object, or too long */
async function readJson(answer: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  try {
    for await (const piece of answer.setEncoding('utf8')) {
      text += piece;
      if (text.length > maxLength) return {};
    }
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function notTheBroker(status: number, { broker, secret }: UseTarget): CommandFailure {
  const told = secret?.useUrl ? new URL(secret.useUrl).origin : undefined;
  const fix =
    told === undefined || told === new URL(broker.url).origin
      ? 'SECRETS_GATEWAY_BROKER_URL says where the broker is, if it is not where SECRETS_GATEWAY_URL is.'
      : `The gateway says that its broker is at ${printable(told)}. Your credential goes there only if you say so: set SECRETS_GATEWAY_BROKER_URL.`;
  return new CommandFailure(
    `${broker.url} answered with HTTP ${status}, not as the broker does. ${fix}`,
    'unreachable',
  );
}
