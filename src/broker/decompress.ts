import { pipeline, Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { DomainError } from '../errors.ts';

/** Each needs memory of its own. Nobody sends more than one. */
const mostCodings = 3;
/** RFC 9659, section 3. Node would allow 128 MiB. */
const zstdWindowLog = 23;

/** @param first the first byte of the content */
type Decoder = (first: number) => Transform;

const gunzip: Decoder = () => createGunzip();

const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  // Some send it without the header of zlib, which begins with the compression method 8 (RFC 9110, section 8.4.1.2).
  ['deflate', (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } })],
]);

/** What tells of the compressed content only. A strong ETag would, too, for ranges of it. */
const ofCompressed = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-digest',
  'digest',
  'accept-ranges',
]);

interface Content {
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
}

/**
 * The answer as it is without its compression, which nobody asked for: a value cannot be found in compressed bytes. The body is
 * decompressed piece by piece as it is read; it ends with an error where it is broken.
 * @param hasBody false for the answer to HEAD, and for 204 and 304
 * @throws DomainError BAD_GATEWAY for a coding that is not known, too many of them, or a part of compressed content
 */
export function decompressed({ rawHeaders, body }: Content, hasBody = true): Content {
  const codings = codingsOf(rawHeaders);
  if (codings.length === 0) return { rawHeaders, body };
  const known = codings.map((coding) => decoders.get(coding)).filter((decoder) => decoder !== undefined);
  const isReadable =
    known.length === codings.length && known.length <= mostCodings && !has(rawHeaders, 'content-range');
  if (hasBody && !isReadable) throw unreadable();
  const headers = rawHeaders.filter((_, at) => !ofCompressed.has(rawHeaders[at - (at % 2)]?.toLowerCase() ?? ''));
  return { rawHeaders: headers, body: hasBody ? decodedBy(known.toReversed(), body) : body };
}

/** In the order in which they were applied. */
function codingsOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders
    .filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'content-encoding')
    .flatMap((value) => value.toLowerCase().split(','))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

function has(rawHeaders: readonly string[], name: string): boolean {
  return rawHeaders.some((header, at) => at % 2 === 0 && header.toLowerCase() === name);
}

function decodedBy(codings: readonly Decoder[], body: Readable): Readable {
  let chunks: AsyncIterable<Buffer> = body;
  for (const decoder of codings) chunks = decoded(chunks, decoder);
  const readable = Readable.from(chunks, { objectMode: false });
  // Whoever stops to read does not wait for the next bytes of the upstream.
  return readable.once('close', () => body.destroy());
}

async function* decoded(source: AsyncIterable<Buffer>, decoderOf: Decoder): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await firstBytes(chunks);
  // An empty body is no compressed content, and no error either.
  if (!first) return;
  let isSourceBroken = false;
  const decoder = decoderOf(first[0] as number);
  const compressed = async function* () {
    yield first;
    try {
      yield* { [Symbol.asyncIterator]: () => chunks };
    } catch (error) {
      isSourceBroken = true;
      throw error;
    }
  };
  pipeline(compressed, decoder, () => {});
  try {
    yield* decoder;
  } catch (cause) {
    throw isSourceBroken ? cause : broken(cause);
  }
}

async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer | null> {
  for (;;) {
    const next = await chunks.next();
    if (next.done) return null;
    if (next.value.length > 0) return next.value;
  }
}

function unreadable(): DomainError {
  const message = 'The destination compressed its answer in a way that cannot be read here.';
  return new DomainError('BAD_GATEWAY', {
    message,
    description: `${message} It was asked not to: its server must answer without Content-Encoding.`,
    reason: 'content-encoding',
  });
}

function broken(cause: unknown): DomainError {
  return new DomainError('BAD_GATEWAY', { description: 'The compressed answer of the upstream is broken.', cause });
}
