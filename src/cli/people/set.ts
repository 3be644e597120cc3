import { Argument, Option } from 'commander';
import type { DestinationInput, UpdateSecretInput } from '../../client/documents.ts';
import type { Command } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import type { GatewayClient } from './client.ts';
import type { Secret } from './gateway.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings, repeatable } from './options.ts';

interface Options extends GatewayOptions {
  readonly file?: string;
  readonly exact?: boolean;
  readonly provider?: string;
  readonly tag: readonly string[];
  readonly expires?: string;
  readonly destination?: string;
  readonly header?: string;
  readonly format?: string;
  readonly path: readonly string[];
  readonly verify?: boolean;
  readonly yes?: boolean;
}

const valueIsNoArgument =
  'A value is never an argument: others on this machine can read arguments, and the shell keeps them. ' +
  'Give it at the prompt, on standard input or with --file. If this was a real value, replace it where it comes from.';

export const set: Command<Options> = {
  summary: 'create a secret, or replace its value',
  details:
    'The value comes from a prompt without echo, from standard input or from --file, never from an argument: others on the machine can read arguments, and the shell keeps them. ' +
    'It is sealed before it leaves this machine. At a terminal it asks before it replaces a value. It needs secrets:read and secrets:write.',
  arguments: [new Argument('<NAME>', 'the name of the secret')],
  options: [
    ...gatewayOptions(),
    new Option('--file <FILE>', 'read the value from a file'),
    new Option('--exact', 'keep a newline at the end of standard input or of the file (default: one is dropped)'),
    new Option('--provider <P>', 'whose service it is for (default: from the name, such as OPENAI_…, else custom)'),
    repeatable('--tag <T>', 'a tag; replaces the existing tags'),
    new Option('--expires <DATE>', 'a reminder to replace it: a day, a time or never'),
    new Option(
      '--destination <ORIGIN>',
      'where the gateway may send it, such as https://api.example.com, or none (default: that of the provider)',
    ),
    new Option('--header <H>', 'the header for the value (default: Authorization)'),
    new Option('--format <F>', 'the content of the header (default: Bearer {value})'),
    repeatable('--path <P>', 'a prefix of the paths that it may be sent to; without any, all'),
    new Option('--verify', 'ask the provider first, and write nothing if it refuses the value; needs secrets:use'),
    new Option('-y, --yes', 'replace without a question'),
  ],
  settings: gatewaySettings,
  tooMany: valueIsNoArgument,
  run,
};

/** Somebody who types this means an assignment: the value would become a part of the name, which everybody may see. */
const assignment = /^[A-Za-z_]\w*=/;

async function run(options: Options, name = ''): Promise<void> {
  if (assignment.test(name)) throw new UsageError(valueIsNoArgument);
  const destination = destinationOf(options);
  const { parseMoment } = await import('./moment.ts');
  const { expires } = options;
  const expiresAt = expires === undefined || expires === 'never' ? null : parseMoment('--expires', expires);
  const { openClient } = await import('./client.ts');
  const { confirm, isAtTerminal } = await import('../confirm.ts');
  const { readValue } = await import('./read-value.ts');
  const gateway = await openClient(options);
  const before = await lookUp(gateway, name);
  const asks = before !== null && before.maskedValue !== null && !options.yes && isAtTerminal();
  if (asks) {
    const what = `${printable(name)} has a value (${printable(before.maskedValue ?? '')}, version ${before.version}).`;
    if (!(await confirm(`${what} Replace it?`))) throw new CommandFailure('Nothing was changed.');
  }
  const value = await readValue(name, options);
  const chosen = {
    ...(expires !== undefined && { expiresAt }),
    ...(destination !== undefined && { destination }),
    ...(options.verify && { verify: true }),
  };
  try {
    await write(gateway, before, options, chosen, asks, name, value);
  } catch (error) {
    throw await asOption(error, name);
  }
}

/** @returns undefined where nothing is said of it, null for none */
function destinationOf({ destination: origin, header, format, path }: Options): DestinationInput | null | undefined {
  const hasMore = header !== undefined || format !== undefined || path.length > 0;
  if (hasMore && (origin === undefined || origin === 'none'))
    throw new UsageError('--header, --format and --path need the destination that they are for: --destination ORIGIN');
  if (origin === undefined) return undefined;
  if (origin === 'none') return null;
  return {
    origin,
    ...(header !== undefined && { header }),
    ...(format !== undefined && { format }),
    ...(path.length > 0 && { paths: [...path] }),
  };
}

/** The gateway says what a client would send; here it is an option. */
async function asOption(error: unknown, name: string): Promise<unknown> {
  const { isGatewayError } = await import('../../client/gateway-error.ts');
  const types = isGatewayError(error) ? error.errors.map(({ type }) => type) : [];
  if (types.includes('rejected_by_provider')) {
    return new CommandFailure(
      'The provider refuses the value. Nothing was written. Is all of it there, and nothing else? Without --verify it is written all the same.',
    );
  }
  if (!types.includes('destination_required')) return error;
  return new CommandFailure(
    `${printable(name)} has a destination that was given by hand, and a new value needs it again: --destination ORIGIN, with --header, --format and --path, or --destination none. "secrets-gateway get" shows it.`,
  );
}

/** Credentials that may only write cannot look it up: for them it is new. */
async function lookUp(gateway: GatewayClient, name: string): Promise<Secret | null> {
  const { findSecret } = await import('./secret.ts');
  const { isGatewayError } = await import('../../client/gateway-error.ts');
  try {
    return await findSecret(gateway, name);
  } catch (error) {
    if (isGatewayError(error, 'PERMISSION_ERROR')) return null;
    throw error;
  }
}

/** The client seals the value. */
async function write(
  { client, owner }: GatewayClient,
  before: Secret | null,
  { provider, tag }: Options,
  chosen: Pick<UpdateSecretInput, 'expiresAt' | 'destination' | 'verify'>,
  expects: boolean,
  name: string,
  value: string,
): Promise<void> {
  const { providerOfName } = await import('./provider-of-name.ts');
  const { secret, warnings } = before
    ? await client.updateSecret({
        id: before.id,
        owner,
        value,
        // What the user has agreed to replace, and nothing newer.
        ...(expects && { expectedVersion: before.version }),
        ...(provider !== undefined && { provider }),
        ...(tag.length > 0 && { tags: [...tag] }),
        ...chosen,
      })
    : await client.createSecret({
        owner,
        name: name.normalize('NFC'),
        value,
        provider: provider ?? providerOfName(name),
        tags: [...tag],
        ...chosen,
      });
  for (const { message } of warnings) process.stderr.write(`Warning: ${printable(message)}\n`);
  const isVerified = chosen.verify && warnings.every(({ type }) => type !== 'not_verified');
  const verdict = isVerified ? ' Its provider knows the value.' : '';
  process.stdout.write(
    `${printable(secret.name)} is ${before ? 'replaced' : 'created'}: version ${secret.version}, placeholder ${secret.placeholder}.${verdict}\n`,
  );
}
