import { ConfigurationError } from '../errors.ts';
import { editDistance, nearestNames } from './spelling.ts';

/** Begins the names of no tool's variables but ours. */
const ownPrefix = 'JWT_';
/** What people put before the names of settings, since other programs ask for it. */
const productPrefix = 'SECRETS_GATEWAY_';
/** Fewer letters are near too many words: PORT is near POST, PATH and SORT. */
const minLetters = 5;

/**
 * Refuses an environment with a variable that was meant to be a setting: without this a misspelt DATABASE_URL would start the
 * gateway on an empty store, and a misspelt JWT_JWKS_URL on its development issuer. Variables of others are left alone.
 * @throws ConfigurationError
 */
export function refuseMisspelt(env: Readonly<Record<string, string | undefined>>, settings: readonly string[]): void {
  const refusals = Object.keys(env)
    .sort()
    .flatMap((name) => {
      const value = env[name];
      if (!value?.trim() || settings.includes(name) || !/^[A-Za-z][\w.-]*$/.test(name)) return [];
      if (isServiceLink(name, value)) return [];
      const meant = settingsMeant(name, settings);
      if (meant.length > 0) return [`${name} is not a setting. Did you mean ${meant.join(' or ')}?`];
      if (!name.startsWith(ownPrefix)) return [];
      const own = settings.filter((setting) => setting.startsWith(ownPrefix));
      return [`${name} is not a setting. There are: ${own.join(', ')}.`];
    });
  if (refusals.length > 0)
    throw new ConfigurationError(`${refusals.join(' ')} Rename or remove what is not a setting.`);
}

function settingsMeant(name: string, settings: readonly string[]): readonly string[] {
  if (name.startsWith(productPrefix)) {
    const rest = name.slice(productPrefix.length);
    return settings.includes(rest) ? [rest] : settingsMeant(rest, settings);
  }
  const short = settings.filter((setting) => lettersOf(setting).length < minLetters && isShortMeant(name, setting));
  if (short.length > 0 || lettersOf(name).length < minLetters) return short;
  const near = nearestNames(
    name,
    settings.filter((setting) => lettersOf(setting).length >= minLetters),
  );
  if (near.length > 0) return near;
  return settings.filter(
    (setting) =>
      // KEYRING, KEYRING_PATH
      (setting.endsWith('_FILE') && withoutFile(name) === withoutFile(setting)) ||
      // JWKS_URL
      (setting.endsWith(`_${name}`) && name.includes('_')) ||
      // JWT_AUD, JWT_JWKS
      (name.startsWith(ownPrefix) && lettersOf(name).length > ownPrefix.length && setting.startsWith(name)),
  );
}

/** Exactly the letters of a short name, one of them doubled or two neighbours swapped: PROT, POORT, PORT_, port. */
function isShortMeant(name: string, setting: string): boolean {
  const [written, expected] = [lettersOf(name).toUpperCase(), lettersOf(setting)];
  if (written.replace(/(.)\1/, '$1') === expected) return true;
  return sorted(written) === sorted(expected) && editDistance(written, expected) <= 1;
}

function sorted(letters: string): string {
  return [...letters].sort().join('');
}

function lettersOf(name: string): string {
  return name.replaceAll(/[_.-]/g, '');
}

function withoutFile(name: string): string {
  return name.replace(/_(FILE|PATH)$/, '');
}

/**
 * What Kubernetes sets in every pod for each service of its namespace: for one that is named secrets-gateway,
 * SECRETS_GATEWAY_PORT=tcp://10.0.0.1:4000 and SECRETS_GATEWAY_SERVICE_HOST among others.
 */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  );
}
