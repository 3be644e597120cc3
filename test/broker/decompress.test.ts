import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompressed } from '../../src/broker/decompress.ts';

const text = Buffer.from('{"text":"an answer that nobody asked to be compressed"}'.repeat(500));
const mebibyte = 1024 * 1024;

/** In pieces of some bytes. */
const bodyOf = (bytes: Buffer, pieceBytes = 7) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
      bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
    ),
    { objectMode: false },
  );

const answer = (coding: string, bytes: Buffer) => ({
  rawHeaders: ['Content-Type', 'application/json', 'Content-Encoding', coding, 'content-length', `${bytes.length}`],
  body: bodyOf(bytes),
});

describe('an answer that is compressed', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['GZip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity, deflate , zstd', zstdCompressSync(deflateSync(text))],
    ['gzip', Buffer.concat([gzipSync(text.subarray(0, 999)), gzipSync(text.subarray(999))])],
  ])('with %s is decompressed, and says nothing of it', async (coding, bytes) => {
    const { rawHeaders, body } = decompressed(answer(coding, bytes));
    expect(rawHeaders).toEqual(['Content-Type', 'application/json']);
    expect((await buffer(body)).equals(text)).toBe(true);
  });

  it('by several headers in a row is decompressed', async () => {
    const body = bodyOf(brotliCompressSync(gzipSync(text)));
    const found = decompressed({ rawHeaders: ['content-encoding', 'gzip', 'content-encoding', 'br'], body });
    expect((await buffer(found.body)).equals(text)).toBe(true);
  });

  it.each(['compress', 'gzip, unknown', 'aes128gcm', 'dcb', 'gzip, gzip, gzip, gzip', 'gzip;q=1'])(
    'with %s is refused',
    (coding) => {
      expect(() => decompressed(answer(coding, text))).toThrow(expect.objectContaining({ code: 'BAD_GATEWAY' }));
    },
  );

  it('is refused where it is a part only', () => {
    const { rawHeaders, body } = answer('gzip', gzipSync(text));
    const part = { rawHeaders: [...rawHeaders, 'Content-Range', 'bytes 5-9/100'], body };
    expect(() => decompressed(part)).toThrow(expect.objectContaining({ code: 'BAD_GATEWAY' }));
  });

  it.each([
    ['gzip', text],
    ['deflate', text],
    ['br', text],
    ['zstd', text],
    ['gzip', gzipSync(text).subarray(0, 60)],
    ['br', brotliCompressSync(text).subarray(0, 30)],
    ['zstd', zstdCompressSync(text).subarray(0, 40)],
    ['deflate', deflateRawSync(text).subarray(0, 40)],
  ])('with broken %s ends with an error', async (coding, bytes) => {
    const { body } = decompressed(answer(coding, bytes));
    await expect(buffer(body)).rejects.toMatchObject({ code: 'BAD_GATEWAY' });
  });

  it('with zstd that needs more than 8 MiB ends with an error', async () => {
    // RFC 8878, section 3.1.1: no flags, the size of the window as a power of two, and one raw block.
    const frame = (windowLog: number) =>
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3, 0x09, 0x00, 0x00, 0x61]);
    expect(String(await buffer(decompressed(answer('zstd', frame(23))).body))).toBe('a');
    const { body } = decompressed(answer('zstd', frame(24)));
    await expect(buffer(body)).rejects.toMatchObject({ code: 'BAD_GATEWAY' });
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('with %s and empty is empty', async (coding) => {
    const { body } = decompressed(answer(coding, Buffer.alloc(0)));
    expect(await buffer(body)).toHaveLength(0);
  });

  it('passes on the error of the upstream', async () => {
    const error = new Error('gone');
    const broken = async function* () {
      yield gzipSync(text).subarray(0, 100);
      throw error;
    };
    const { body } = decompressed({
      rawHeaders: ['content-encoding', 'gzip'],
      body: Readable.from(broken(), { objectMode: false }),
    });
    await expect(buffer(body)).rejects.toBe(error);
  });

  it('keeps streaming', async () => {
    const gzip = createGzip();
    const { body } = decompressed({ rawHeaders: ['content-encoding', 'gzip'], body: gzip });
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      gzip.write(event);
      gzip.flush();
      const [chunk] = await once(body, 'data');
      expect(String(chunk)).toBe(event);
    }
    gzip.end();
    await once(body, 'end');
  });

  it('is read no faster than its reader reads', async () => {
    // 64 MiB in 64 KiB.
    const bomb = bodyOf(gzipSync(Buffer.alloc(64 * mebibyte)), 8192);
    const { body } = decompressed({ rawHeaders: ['content-encoding', 'gzip'], body: bomb });
    await once(body, 'readable');
    for (let round = 0; round < 50; round += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(body.readableLength).toBeLessThan(mebibyte);
    const before = process.memoryUsage().arrayBuffers;
    let [bytes, most] = [0, 0];
    for await (const chunk of body) {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(bytes).toBe(64 * mebibyte);
    expect(most).toBeLessThan(40 * mebibyte);
  });

  it('stops its upstream when nobody reads on, even while it waits for more', async () => {
    const upstream = new Readable({ read() {} });
    const { body } = decompressed({ rawHeaders: ['content-encoding', 'gzip'], body: upstream });
    body.resume();
    upstream.push(gzipSync(text).subarray(0, 50));
    await new Promise((resolve) => setImmediate(resolve));
    body.destroy();
    await once(upstream, 'close');
    expect(upstream.destroyed).toBe(true);
  });

  it('ends with its content, whatever follows', async () => {
    const upstream = new Readable({ read() {} });
    upstream.on('error', () => {});
    const { body } = decompressed({ rawHeaders: ['content-encoding', 'br'], body: upstream });
    upstream.push(Buffer.concat([brotliCompressSync(text), Buffer.alloc(100_000)]));
    expect((await buffer(body)).equals(text)).toBe(true);
    expect(upstream.destroyed).toBe(true);
  });
});

describe('an answer', () => {
  it.each([[[]], [['Content-Encoding', 'identity']], [['content-encoding', '']]])(
    'that is not compressed stays as it is: %j',
    (rawHeaders) => {
      const body = bodyOf(text);
      expect(decompressed({ rawHeaders, body })).toEqual({ rawHeaders, body });
    },
  );

  it('without a body tells nothing of the compression that a body would have', () => {
    const { rawHeaders, body } = answer('gzip', text);
    const found = decompressed({ rawHeaders, body }, false);
    expect(found.rawHeaders).toEqual(['Content-Type', 'application/json']);
    expect(found.body).toBe(body);
    expect(decompressed(answer('unknown', text), false).rawHeaders).toEqual(['Content-Type', 'application/json']);
  });
});
