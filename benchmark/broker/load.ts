import { connect, type Socket } from 'node:net';

// The load generator, in its own process. It writes prepared bytes, one request at a time on each connection.

export interface Load {
  readonly port: number;
  readonly seconds: number;
  /** The whole request of each connection. */
  readonly requests: readonly string[];
  /** What the body of each answer has. */
  readonly answerBytes: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Microseconds: number;
}

const endOfHead = Buffer.from('\r\n\r\n');
const endOfChunks = '\r\n0\r\n\r\n';

/** One answer, as far as it has arrived. */
class Answer {
  closes = false;
  #head: Buffer | null = Buffer.alloc(0);
  #length: number | null = null;
  #received = 0;
  #tail = '';

  /** @returns whether it is whole */
  add(chunk: Buffer, answerBytes: number): boolean {
    let body = chunk;
    if (this.#head) {
      const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = bytes.indexOf(endOfHead);
      this.#head = bytes;
      if (end < 0) return false;
      this.#readHead(bytes.toString('latin1', 0, end));
      body = bytes.subarray(end + endOfHead.length);
      this.#head = null;
    }
    this.#received += body.length;
    if (this.#length !== null) {
      if (this.#length !== answerBytes)
        throw new Error(`an answer has ${this.#length} bytes instead of ${answerBytes}`);
      return this.#received >= this.#length;
    }
    this.#tail = (this.#tail + body.toString('latin1', Math.max(0, body.length - 7))).slice(-7);
    if (this.#tail !== endOfChunks) return false;
    if (this.#received < answerBytes)
      throw new Error(`an answer has ${this.#received} bytes instead of ${answerBytes}`);
    return true;
  }

  #readHead(head: string): void {
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(`an answer was wrong:\n${head}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#length = length === undefined ? null : Number(length);
    this.closes = /\r\nconnection: *close/i.test(head);
  }
}

async function run({ port, seconds, requests, answerBytes }: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;

  const connection = (request: string) =>
    new Promise<void>((resolve, reject) => {
      const bytes = Buffer.from(request);
      let sentAtMs = 0;
      const send = (socket: Socket, since = performance.now()) => {
        sentAtMs = since;
        socket.write(bytes);
      };
      const open = (since?: number) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        let answer = new Answer();
        socket.on('connect', () => send(socket, since));
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('a connection was closed before its answer')));
        socket.on('data', (chunk: Buffer) => {
          try {
            if (!answer.add(chunk, answerBytes)) return;
          } catch (error) {
            socket.destroy();
            reject(error);
            return;
          }
          const now = performance.now();
          latencies.push(now - sentAtMs);
          const { closes } = answer;
          answer = new Answer();
          if (now < endMs && !closes) return send(socket);
          socket.removeAllListeners('close').destroy();
          if (now < endMs) open(now);
          else resolve();
        });
      };
      open();
    });
  await Promise.all(requests.map(connection));

  const took = performance.now() - startedMs;
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    seconds: took / 1000,
    p50Microseconds: (latencies[Math.floor(latencies.length / 2)] ?? Number.NaN) * 1000,
  };
}

process.on('message', async (load: Load) => {
  process.send?.(await run(load).catch((error: unknown) => ({ failed: String(error) })));
});
process.on('disconnect', () => process.exit(0));
