import { createParser } from 'eventsource-parser';
import type { CallLimit } from './call-limit.ts';
import { type FetchedAnswer, mediaTypeOf, readAnswer, readEvent } from './read-answer.ts';
import { bodyOf, type CallOptions, type Requester, textOf, unreachable } from './request.ts';
import { TransportError } from './transport-error.ts';
import type { TypedDocument } from './typed-document.ts';

/** A gateway sends something every 15 s. */
const maxSilenceMs = 45_000;
/** In characters. The largest event has the notes and the tags of a secret. */
const maxEventLength = 1_000_000;

/**
 * Sends a subscription once, and yields the data of each event, until the gateway says that it is complete.
 * @param onOpen called when the gateway has accepted it: it begins with a comment then, and not with an error
 * @throws GatewayError when the gateway refuses, or ends it with an error
 * @throws TransportError when no gateway answers, or the connection is lost
 */
export async function* subscribe<Data, Variables extends object>(
  requester: Requester,
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  { onOpen, ...options }: CallOptions & { readonly onOpen?: (() => void) | undefined } = {},
): AsyncGenerator<Data, void> {
  const { url } = requester;
  const limit = requester.limit(options);
  try {
    const response = await limit.of(requester.open(bodyOf(document, variables), 'text/event-stream', limit.signal));
    if (mediaTypeOf(response) !== 'text/event-stream' || !response.body) {
      readAnswer(url, response, await limit.of(textOf(url, response)));
      throw new TransportError('UNEXPECTED_ANSWER', `${url} answered without events.`, { status: response.status });
    }
    let isOpen = false;
    for await (const { event, data = '' } of eventsOf(url, response, limit)) {
      if (event === 'complete') return;
      const read = event === 'next' ? (readEvent(url, response.status, data) as Data) : undefined;
      if (!isOpen) onOpen?.();
      isOpen = true;
      if (read !== undefined) yield read;
    }
    throw lost(url);
  } finally {
    limit.endAnswer();
  }
}

async function* eventsOf(url: string, { body }: FetchedAnswer, limit: CallLimit) {
  const events: { readonly event?: string | undefined; readonly data?: string }[] = [];
  let isBroken = false;
  const parser = createParser({
    maxBufferSize: maxEventLength,
    onEvent: (event) => void events.push(event),
    onComment: () => void events.push({ event: 'comment' }),
    onError: ({ type }) => {
      isBroken ||= type === 'max-buffer-size-exceeded';
    },
  });
  const decoder = new TextDecoder();
  const chunks = iteratorOf(body);
  for (;;) {
    limit.expect(maxSilenceMs);
    const { done, value } = await limit.of(chunks.next()).catch((error: unknown) => {
      throw limit.signal.aborted ? limit.signal.reason : unreachable(url, error);
    });
    // Who reads the events may take any time.
    limit.pause();
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    if (isBroken) throw new TransportError('UNEXPECTED_ANSWER', `${url} sent an event that is too large.`);
    yield* events.splice(0);
  }
}

/** Not every browser can iterate over a stream. */
function iteratorOf(body: FetchedAnswer['body']): Pick<AsyncIterator<Uint8Array>, 'next'> {
  if (!body) return { next: () => Promise.resolve({ done: true, value: undefined }) };
  if (Symbol.asyncIterator in body) return body[Symbol.asyncIterator]();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  return { next: () => reader.read() as Promise<IteratorResult<Uint8Array>> };
}

function lost(url: string): TransportError {
  return new TransportError('UNREACHABLE', `The connection to ${url} was lost.`);
}
