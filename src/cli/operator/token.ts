import { parseArgs } from 'node:util';
import { readConfig } from '../../config.ts';
import { ConfigurationError } from '../../errors.ts';
import { openDevelopmentIssuer } from '../../identity/development-issuer.ts';
import { isIdentifier } from '../../identity/identifier.ts';
import { maxTokenLength } from '../../identity/verify-token.ts';
import { type Membership, type Scope, scopes } from '../../model/principal.ts';
import { UsageError } from '../usage-error.ts';

const help = `Usage: secrets-gateway token --sub U [--team T[:role]]… [--scope "…"] [--ttl 1h]

Prints a token from the development issuer. Refused where a real issuer is configured.

  --sub U          the subject: the user who calls
  --team T[:role]  a team of the subject; role is admin or member (default: member); may be repeated
  --scope "…"      what the token allows, separated by spaces (${scopes.join(' ')})
  --ttl 1h         how long it is valid: a number and s, m, h or d; at most 30d (1h)
`;

export const token = { help, run };

/** Prints a development token. */
async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      sub: { type: 'string' },
      team: { type: 'string', multiple: true, default: [] },
      scope: { type: 'string', default: scopes.join(' ') },
      ttl: { type: 'string', default: '1h' },
    },
  });
  if (!values.sub) throw new UsageError('--sub is missing. Say whose token to make: --sub U');
  if (!isIdentifier(values.sub)) throw new UsageError('--sub must have at most 255 characters.');
  const claims = {
    subject: values.sub,
    teams: values.team.map(parseTeam),
    scopes: parseScopes(values.scope),
    ttlSeconds: parseTtl(values.ttl),
  };
  const config = readConfig();
  if (config.issuer) {
    throw new ConfigurationError(
      'A real issuer is configured (JWT_ISSUER or ISSUERS_FILE), so that the development issuer makes no tokens. Get a token from that issuer.',
    );
  }
  const issuer = await openDevelopmentIssuer(config.developmentIssuerFile);
  const issued = await issuer.issue(claims);
  if (issued.length > maxTokenLength)
    throw new UsageError('The token would be too long to be accepted. Name fewer teams.');
  process.stdout.write(`${issued}\n`);
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
