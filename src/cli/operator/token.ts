import { resolve } from 'node:path';
import { Option } from 'commander';
import { type Config, readConfig } from '../../config.ts';
import { ConfigurationError } from '../../errors.ts';
import { isIdentifier } from '../../identity/identifier.ts';
import { type Membership, type Scope, scopes } from '../../model/principal.ts';
import { exists } from '../../runtime/private-file.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly sub?: string;
  readonly team: readonly string[];
  readonly scope: string;
  readonly ttl: string;
}

export const token: Command<Options> = {
  summary: 'print a development token',
  details:
    'It is signed by the development issuer of the gateway that runs in this folder (.data/development-issuer.json). Refused where a real issuer is configured.',
  options: [
    new Option('--sub <U>', 'the subject: the user who calls (required)'),
    new Option(
      '--team <T[:role]>',
      'a team of the subject; role is admin or member (member when left out); may be repeated',
    )
      .argParser((team: string, before: readonly string[]) => [...before, team])
      .default([], 'none'),
    new Option('--scope <scopes>', 'what the token allows, separated by spaces').default(scopes.join(' ')),
    new Option('--ttl <time>', 'how long it is valid: a number and s, m, h or d; at most 30d').default('1h'),
  ],
  settings: ['NODE_ENV', 'HOST', 'KEYRING_FILE', 'JWT_ISSUER', 'ISSUERS_FILE'],
  run,
};

async function run({ sub, team, scope, ttl }: Options): Promise<void> {
  if (!sub) throw new UsageError('--sub is missing. Say whose token to make: --sub U');
  if (!isIdentifier(sub)) throw new UsageError('--sub must have at most 255 characters.');
  const claims = {
    subject: sub,
    teams: team.map(parseTeam),
    scopes: parseScopes(scope),
    ttlSeconds: parseTtl(ttl),
  };
  const config = readConfig();
  if (config.issuer) {
    throw new ConfigurationError(
      'A real issuer is configured (JWT_ISSUER or ISSUERS_FILE), so that the development issuer makes no tokens. Get a token from that issuer.',
    );
  }
  const { openDevelopmentIssuer } = await import('../../identity/development-issuer.ts');
  const { maxTokenLength } = await import('../../identity/verify-token.ts');
  const isNew = !(await exists(config.developmentIssuerFile));
  const issued = await (await openDevelopmentIssuer(config.developmentIssuerFile)).issue(claims);
  if (issued.length > maxTokenLength)
    throw new UsageError('The token would be too long to be accepted. Name fewer teams.');
  await tellIssuer(config, isNew);
  process.stdout.write(`${issued}\n`);
}

/** Only the gateway of this folder accepts the token. Where none has run, it may not be the folder that is meant. */
async function tellIssuer({ developmentIssuerFile, keyringFile }: Config, isNew: boolean): Promise<void> {
  if (await exists(keyringFile)) return;
  process.stderr.write(
    `Signed by ${isNew ? 'a new' : 'the'} development issuer, ${resolve(developmentIssuerFile)}. No gateway has run in this folder: ` +
      'one that runs elsewhere does not accept this token. Run this in the folder of the gateway.\n',
  );
}

function parseTeam(text: string): Membership {
  const colon = text.lastIndexOf(':');
  const [id, role] = colon < 0 ? [text, 'member'] : [text.slice(0, colon), text.slice(colon + 1)];
  if (!isIdentifier(id) || (role !== 'admin' && role !== 'member')) {
    throw new UsageError(
      '--team must be a team id of at most 255 characters, optionally followed by :admin or :member.',
    );
  }
  return { id, role };
}

function parseScopes(text: string): Scope[] {
  const named = text.split(/\s+/).filter(Boolean);
  if (!named.every((scope) => scopes.includes(scope as Scope))) {
    throw new UsageError(`--scope must be some of these, separated by spaces: ${scopes.join(' ')}.`);
  }
  return scopes.filter((scope) => named.includes(scope));
}

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function parseTtl(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds = match ? Number(match[1]) * secondsOf[match[2] as keyof typeof secondsOf] : 0;
  if (seconds < 1 || seconds > 30 * secondsOf.d) {
    throw new UsageError('--ttl must be a number and s, m, h or d, such as 90m, and at most 30d.');
  }
  return seconds;
}
