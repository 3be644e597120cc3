import { connect } from 'node:net';
import { answerIn } from './http-answer.ts';

// The load generator, in its own process. It implements only the HTTP/1.1 that it needs: on two cores it shares one
// with mongod, and its CPU time is not available to the contenders.

/** Each request has its own number in place of this text in the body. */
export const counter = '#'.repeat(12);

export interface Load {
  readonly port: number;
  readonly seconds: number;
  /** One for each connection. */
  readonly requests: readonly { readonly token: string | null; readonly body: string }[];
  readonly refused: boolean;
  /** The numbers in place of `counter` repeat in a mixed order below this; null: each is used once. */
  readonly cycle: number | null;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Wrong answers. */
  readonly wrong: number;
  readonly firstWrong: string | null;
  readonly cpuMicroseconds: number;
}

let counted = 0;
/** A prime: it reaches every number below a cycle that it does not divide. */
const stride = 7919;

function requestBytes(port: number, token: string | null, body: string): { bytes: Buffer; counterAt: number[] } {
  const head = [
    'POST /graphql HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    'Accept: application/graphql-response+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
  ];
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  const counterAt: number[] = [];
  const bodyAt = bytes.length - Buffer.byteLength(body);
  for (let at = bytes.indexOf(counter, bodyAt); at >= 0; at = bytes.indexOf(counter, at + 1)) counterAt.push(at);
  return { bytes, counterAt };
}

async function run({ port, seconds, requests, refused, cycle }: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  let wrong = 0;
  let firstWrong: string | null = null;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + seconds * 1000;

  const connection = ({ token, body }: Load['requests'][number]) =>
    new Promise<void>((resolve, reject) => {
      const { bytes, counterAt } = requestBytes(port, token, body);
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let received: Buffer = Buffer.alloc(0);
      let sentAt = 0;
      const send = () => {
        if (counterAt.length > 0) {
          counted += 1;
          const digits = String(cycle === null ? counted : (counted * stride) % cycle).padStart(counter.length, '0');
          for (const at of counterAt) bytes.write(digits, at, 'latin1');
        }
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const answer = answerIn(received);
        if (!answer) return;
        const now = performance.now();
        latencies.push(now - sentAt);
        const isData = answer.status === 200 && !answer.hasErrors && !answer.isEmpty;
        if (refused ? !answer.hasErrors : !isData) {
          wrong += 1;
          firstWrong ??= received.toString('utf8', 0, 2000);
        }
        received = Buffer.alloc(0);
        if (now < end) send();
        else socket.end();
      });
    });
  await Promise.all(requests.map(connection));

  const took = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return {
    requests: latencies.length,
    seconds: took / 1000,
    p50Milliseconds: percentile(0.5) ?? 0,
    p99Milliseconds: percentile(0.99) ?? 0,
    wrong,
    firstWrong,
    cpuMicroseconds: user + system,
  };
}

if (import.meta.main) {
  process.on('message', async (load: Load) => {
    process.send?.(await run(load).catch((error: unknown) => ({ failed: String(error) })));
  });
  process.on('disconnect', () => process.exit(0));
}
