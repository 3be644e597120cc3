import { ConfigurationError } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import type { Trace } from '../runtime/trace.ts';
import { discoverJwks, discoveryUrl } from './discovery.ts';
import type { Issuer } from './issuer.ts';
import { IssuerFault } from './issuer-fault.ts';
import type { IssuerSettings, KeyLocation } from './issuer-settings.ts';
import { jwksFromFile } from './jwks-from-file.ts';
import { jwksFromUrl } from './jwks-from-url.ts';
import { KeySet } from './key-set.ts';

/** The issuers of the settings, with their keys. */
export interface OpenIssuers {
  readonly issuers: readonly Issuer[];
  /**
   * Whether tokens can be verified.
   * @returns what is wrong with one of the issuers, while another works
   * @throws IssuerFault when no issuer has keys
   */
  check(): Promise<string | undefined>;
  /** How many keys each issuer has. */
  keyCounts(): { readonly issuer: string; readonly usable: number; readonly unusable: number }[];
  close(): void;
}

const loadMs = 5000;

/**
 * Opens the issuers, and begins to load their keys. An issuer that cannot be reached does not stop the start: the log says so.
 * @throws ConfigurationError for a file of keys that cannot be read
 */
export async function openIssuers(settings: readonly IssuerSettings[], log: Log, trace: Trace): Promise<OpenIssuers> {
  const closing = new AbortController();
  const opened = settings.map((one) => open(one, log, trace, closing.signal));
  for (const { jwks } of settings) {
    if (jwks && 'file' in jwks) await checkFile(jwks);
  }
  async function check(): Promise<string | undefined> {
    // It does not wait for a slow issuer: the users of another must not suffer from it.
    await Promise.any(opened.map(({ keySet }) => keySet.check())).catch(({ errors: [first] }: AggregateError) => {
      throw first;
    });
    return opened.map(({ keySet }) => keySet.fault).find((reason) => reason !== undefined);
  }
  // Nobody waits for it: a slow issuer must not delay the start. What fails is logged.
  check().catch(() => {});
  return {
    issuers: opened,
    check,
    keyCounts: () => opened.map(({ issuer, keySet }) => ({ issuer, ...keySet.counts })),
    close: () => closing.abort(),
  };
}

function open(settings: IssuerSettings, log: Log, trace: Trace, closing: AbortSignal): Issuer & { keySet: KeySet } {
  const { issuer, jwks, allowHttp, claims } = settings;
  if (claims.grants.some(({ subject }) => subject === '*')) {
    log.warn({ issuer }, 'a grant is for every subject of this issuer');
  }
  const source = jwks === null ? discoveryUrl(issuer) : 'url' in jwks ? jwks.url : jwks.file;
  const load = () => {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(loadMs)]);
    if (jwks === null) return discoverJwks(issuer, allowHttp, signal);
    return 'url' in jwks ? jwksFromUrl(jwks.url, signal) : reloadFile(jwks);
  };
  const keySet = new KeySet({
    source,
    load: () => trace('jwks.load', load),
    onFault(error) {
      if (closing.aborted) return;
      const line = error instanceof IssuerFault ? error.line : { cause: describeError(error) };
      log.warn({ issuer, ...line }, 'key set not loaded');
    },
    onUnusable(keys) {
      // The ids of the keys are the issuer's text.
      const told = keys.map(({ index, reason }) => ({ index, reason }));
      log.warn({ issuer, [jwks && 'file' in jwks ? 'file' : 'url']: source, keys: told }, 'keys not used');
    },
  });
  return { ...settings, keySet };
}

type KeyFile = Extract<KeyLocation, { file: string }>;

/** @throws ConfigurationError at the start, so that a wrong file is noticed before the first request */
async function checkFile({ file, variable }: KeyFile): Promise<void> {
  await jwksFromFile(file, variable).catch((error: unknown) => {
    if (!(error instanceof IssuerFault)) throw error;
    throw new ConfigurationError(`${variable} ${file}: it is not a JWK set. Put {"keys":[…]} there (RFC 7517).`);
  });
}

/** A file that was good at the start is a fault of its issuer later. */
async function reloadFile({ file, variable }: KeyFile): Promise<readonly unknown[]> {
  return jwksFromFile(file, variable).catch((error: unknown) => {
    throw error instanceof IssuerFault ? error : new IssuerFault('file', { source: file }, error);
  });
}
