import { METHODS } from 'node:http';
import { isForwarded } from '../../broker/request-headers.ts';
import { isHeaderName } from '../../rules/header-syntax.ts';
import { UsageError } from '../usage-error.ts';

export interface UseOptions {
  readonly method?: string;
  readonly header: readonly string[];
  readonly data?: string;
  readonly dataFile?: string;
  readonly timeout: string;
}

/** Where the body comes from. */
export type BodySource =
  | { readonly kind: 'none' | 'stdin' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly file: string };

/** What was asked for at the command line. */
export interface UseRequest {
  readonly method: string;
  /** The names as they were typed, by their names in lower case. */
  readonly headers: ReadonlyMap<string, { readonly name: string; readonly values: readonly string[] }>;
  readonly source: BodySource;
  /** Begins with a slash; encoded, so that it can stand in a request. */
  readonly path: string;
  /** 0: without a limit. */
  readonly silenceMs: number;
}

/** @throws UsageError that does not repeat what was typed */
export function parseUse(options: UseOptions, path: string): UseRequest {
  const source = sourceOf(options);
  const method = methodOf(options, source);
  if (source.kind !== 'none' && (method === 'GET' || method === 'HEAD')) {
    throw new UsageError(`A ${method} has no body. Leave out --data, or name another method.`);
  }
  return {
    method,
    source,
    headers: headersOf(options.header),
    path: encodedPath(path),
    silenceMs: silenceMsOf(options.timeout),
  };
}

function sourceOf({ data, dataFile }: UseOptions): BodySource {
  if (data === '-' || dataFile === '-') return { kind: 'stdin' };
  if (dataFile !== undefined) return { kind: 'file', file: dataFile };
  if (data === undefined) return { kind: 'none' };
  // Who knows curl means a file, and would send its name.
  if (data.startsWith('@')) {
    throw new UsageError(
      '--data is the body itself. For a file: --data-file FILE. A body that begins with @ can come from standard input.',
    );
  }
  return { kind: 'text', text: data };
}

const methods = new Set(METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE'));

function methodOf({ method }: UseOptions, { kind }: BodySource): string {
  const name = method?.toUpperCase() ?? (kind === 'none' ? 'GET' : 'POST');
  if (methods.has(name)) return name;
  throw new UsageError('--method must be a method of HTTP, such as GET, POST, PUT, PATCH or DELETE.');
}

function headersOf(given: readonly string[]): UseRequest['headers'] {
  const headers = new Map<string, { name: string; values: string[] }>();
  for (const text of given) {
    const [, name = '', value = ''] = /^([^:]*):\s*(.*?)\s*$/s.exec(text) ?? [];
    if (!isHeaderName(name) || !/^[\t -~]*$/.test(value)) {
      throw new UsageError("--header must be a name, a colon and a value in ASCII: --header 'Accept: text/plain'");
    }
    if (!isForwarded(name)) {
      throw new UsageError(
        'A --header is one that the gateway does not send on, or makes itself, such as Host, Cookie, Accept-Encoding or X-Forwarded-For. docs/broker.md has them. Leave it out.',
      );
    }
    const key = name.toLowerCase();
    const values = headers.get(key)?.values ?? [];
    headers.set(key, { name, values: [...values, value] });
  }
  return headers;
}

/** A path that is typed as people write it: without a slash at the beginning, with spaces and with letters of any language. */
function encodedPath(path: string): string {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path)) {
    throw new UsageError(
      'PATH is a path at the destination of the secret, such as /v1/models, without https:// and the host.',
    );
  }
  const encoded = path.replaceAll(/[^!-~]+/gu, encodeURIComponent);
  return /^[/?]/.test(encoded) ? encoded : `/${encoded}`;
}

function silenceMsOf(text: string): number {
  // A timer of Node has 31 bits.
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  throw new UsageError('--timeout must be a number of seconds, at most 999999, or 0 for no limit.');
}
