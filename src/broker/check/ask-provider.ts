import { Readable } from 'node:stream';
import { DomainError } from '../../errors.ts';
import { shuttingDown } from '../../http/server-refusals.ts';
import { ownerKey } from '../../model/owner.ts';
import type { CheckResult } from '../../model/secret-health.ts';
import type { AskProvider, KeyToCheck } from '../../secrets/dependencies.ts';
import { decompressed } from '../decompress.ts';
import type { OpenUses } from '../open-uses.ts';
import type { UpstreamResponse } from '../upstream/exchange.ts';
import type { Forwarder, RequestBody } from '../upstream/forward.ts';
import { needsBody, resultOf } from './result-of.ts';

export interface AskOptions {
  readonly forwarder: Forwarder;
  /** A check is one of them. */
  readonly uses: OpenUses;
  /** Of the gateway. */
  readonly version: string;
  readonly onCheck: OnCheck;
  /** For all of a check. */
  readonly deadlineMs?: number;
}

/** @param result what the provider said, or FAILED where it was not asked or the gateway ended */
export type OnCheck = (result: CheckResult | 'FAILED', seconds: number) => void;

const usualDeadlineMs = 5000;
const maxBodyBytes = 64 * 1024;

/** Nothing of an answer leaves this but the result. */
export function createAskProvider(options: AskOptions): AskProvider {
  const { onCheck } = options;
  return async (key) => {
    const startedAtMs = performance.now();
    let result: CheckResult | 'FAILED' = 'FAILED';
    try {
      result = await askInTime(options, key);
      return result;
    } finally {
      onCheck(result, (performance.now() - startedAtMs) / 1000);
    }
  };
}

async function askInTime(options: AskOptions, key: KeyToCheck): Promise<CheckResult> {
  const { uses, deadlineMs = usualDeadlineMs } = options;
  const controller = new AbortController();
  const { signal } = controller;
  let isCutOff = false;
  const open = uses.begin(() => {
    isCutOff = true;
    controller.abort();
  });
  const timer = setTimeout(() => controller.abort(), deadlineMs);
  try {
    open.admit(key.owner);
    return await ask(options, key, signal);
  } catch (error) {
    if (isCutOff) throw shuttingDown();
    if (signal.aborted || isOfUpstream(error)) return 'UNREACHABLE';
    throw error;
  } finally {
    clearTimeout(timer);
    // What is left of the answer is not wanted, and its connection is closed.
    controller.abort();
    open.end();
  }
}

function isOfUpstream(error: unknown): boolean {
  return error instanceof DomainError && (error.code === 'BAD_GATEWAY' || error.code === 'GATEWAY_TIMEOUT');
}

async function ask({ forwarder, version }: AskOptions, key: KeyToCheck, signal: AbortSignal): Promise<CheckResult> {
  const { owner, destination, check } = key;
  const answer = await forwarder.send({
    ownerKey: ownerKey(owner),
    origin: destination.origin,
    method: check.method,
    path: check.path,
    headers: headersOf(key, version),
    body: bodyOf(check.body),
    signal,
    isAlone: true,
  });
  const { status } = answer;
  // Without rules for it the body says nothing, and is not waited for.
  const body = needsBody(status, check) ? await textOf(answer) : null;
  return resultOf({ status, body, key: key.value }, check);
}

/** The header of the destination is there exactly once: no row has one of that name. */
function headersOf({ value, destination, check }: KeyToCheck, version: string): string[] {
  const defaults = { 'User-Agent': `secrets-gateway/${version}`, Accept: 'application/json' };
  const named = new Set(Object.keys(check.headers).map((name) => name.toLowerCase()));
  const all = [
    ...Object.entries(defaults).filter(([name]) => !named.has(name.toLowerCase())),
    ...Object.entries(check.headers),
    ['Accept-Encoding', 'identity'],
    [destination.header, destination.format.replace('{value}', () => value)],
  ];
  return all.flat();
}

function bodyOf(text: string | null): RequestBody | null {
  if (text === null || text === '') return null;
  const bytes = Buffer.from(text);
  const headers = { 'content-length': String(bytes.length) };
  return Object.assign(Readable.from([bytes]), { headers });
}

/** The body as text; null where it is longer than a provider needs to say something about a key. */
async function textOf(answer: UpstreamResponse): Promise<string | null> {
  const { body } = decompressed(answer, answer.status !== 204 && answer.status !== 304);
  // It may fail once nobody reads it any more.
  body.on('error', () => {});
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
