import { ConfigurationError } from '../../errors.ts';
import { nearestWords } from '../../runtime/spelling.ts';

const escapes = '@ as %40, : as %3A, / as %2F, # as %23, ? as %3F, [ as %5B, ] as %5D, % as %25';

/** What people set in a URI. A misspelt one is compared with these. */
const knownOptions = [
  ...['appName', 'authMechanism', 'authMechanismProperties', 'authSource', 'compressors', 'connectTimeoutMS'],
  ...['directConnection', 'heartbeatFrequencyMS', 'journal', 'loadBalanced', 'localThresholdMS', 'maxConnecting'],
  ...['maxIdleTimeMS', 'maxPoolSize', 'minPoolSize', 'readConcernLevel', 'readPreference', 'replicaSet', 'retryReads'],
  ...[
    'retryWrites',
    'serverSelectionTimeoutMS',
    'socketTimeoutMS',
    'srvMaxHosts',
    'srvServiceName',

    'timeoutMS',
  ],
  ...['tls', 'tlsAllowInvalidCertificates', 'tlsAllowInvalidHostnames', 'tlsCAFile', 'tlsCertificateKeyFile'],
  ...['tlsCertificateKeyFilePassword', 'tlsInsecure', 'w', 'waitQueueTimeoutMS', 'wtimeoutMS', 'zlibCompressionLevel'],
];

/** The options of a URI, by their names in lower case: the driver accepts any. */
export function optionsOf(uri: string): ReadonlyMap<string, string> {
  const query = /\?(.*)$/s.exec(uri)?.[1] ?? '';
  return new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]));
}

/** The database in the path of the URI; empty if there is none. */
export function databaseInPath(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(uri)?.[1] ?? '';
}

/**
 * The user or the password has a character that means something else in a URI. The driver may then take a part of the password
 * for a host, or for a database.
 */
export function requireEscaped(uri: string): void {
  const rest = uri.replace(/^mongodb(\+srv)?:\/\//, '');
  const [beforeQuery = '', query = ''] = split(rest, '?');
  const [hosts, path] = split(beforeQuery, '/');
  const isUnescaped = hosts.split('@').length > 2 || path.includes('@') || /#.*@/s.test(rest) || /^[^=&]*@/.test(query);
  if (isUnescaped) throw unescaped();
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function unescaped(): ConfigurationError {
  return new ConfigurationError(
    `DATABASE_URL: the user or the password (or an option) has a character that means something else in a URL. Write ${escapes}.`,
  );
}

/** @param error of the driver, for a URI that it cannot read. Its message may hold a part of the password. */
export function unreadable(error: unknown): ConfigurationError {
  const message = error instanceof Error ? error.message : '';
  if (/unescaped characters|URI malformed/i.test(message)) return unescaped();
  if (/srv URI cannot have (port|multiple)/i.test(message)) {
    return refused('mongodb+srv:// takes one name without a port. Leave the port out, or write mongodb://HOST:PORT,…');
  }
  const unknown = /^options? (\w+)\b.* (?:is|are) not supported/.exec(message)?.[1];
  if (unknown !== undefined) {
    const near = nearestWords(unknown, knownOptions);
    return refused(
      `it has an option that MongoDB does not know.${near.length ? ` Did you mean ${near.join(' or ')}?` : ' Leave it out.'}`,
    );
  }
  if (
    /tls\/ssl|option "|option requires|authMechanism|read preference|cannot be specified|must be|expected/i.test(
      message,
    )
  ) {
    return refused(
      'an option behind the ? has no value, or one that it does not take, or stands there twice. Correct it.',
    );
  }
  return new ConfigurationError('DATABASE_URL is not a MongoDB connection string. Set it to mongodb://HOST/DATABASE.');
}

export function refused(what: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`DATABASE_URL: ${what}`, ...(cause === undefined ? [] : [{ cause }]));
}
