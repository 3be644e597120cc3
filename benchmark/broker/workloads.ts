export interface Workload {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly requestBytes: number;
  /** Of the body, without the frames of its chunks. */
  readonly answerBytes: number;
  /** So many events, each written in a turn of its own; 0: one body of a known length. */
  readonly events: number;
}

/** What the upstream expects in place of the credential that the client sends. */
export const value = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';

export const event = Buffer.from(`data: ${JSON.stringify({ id: 'one', delta: 'x'.repeat(150) })}\n\n`);
const events = 50;

export const workloads: readonly Workload[] = [
  { name: 'GET of 1 kB', method: 'GET', path: '/v1/models', requestBytes: 0, answerBytes: 1024, events: 0 },
  { name: 'POST, 4 kB each way', method: 'POST', path: '/v1/chat', requestBytes: 4096, answerBytes: 4096, events: 0 },
  {
    name: `SSE of ${events} events`,
    method: 'GET',
    path: '/v1/events',
    requestBytes: 0,
    answerBytes: events * event.length,
    events,
  },
  { name: '1 MB download', method: 'GET', path: '/v1/files', requestBytes: 0, answerBytes: 1_000_000, events: 0 },
];
