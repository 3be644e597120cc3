import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';

const list = '{ secrets { totalCount } }';

interface FinishedSpan {
  name: string;
  parent: string | undefined;
  failed: boolean;
  /** Everything other than a name and a status. */
  said: unknown[];
}

/** The part of an OpenTelemetry SDK that is needed to record what the SDK would receive. */
class Recorder {
  readonly spans: FinishedSpan[] = [];
  readonly #storage = new AsyncLocalStorage<Context>();

  readonly tracer = {
    startSpan: (name: string, options?: unknown, parentContext: Context = context.active()) => {
      const parent = trace.getSpan(parentContext) as (Span & { name: string }) | undefined;
      const finished: FinishedSpan = { name, parent: parent?.name, failed: false, said: options ? [options] : [] };
      const say = (...what: unknown[]) => {
        finished.said.push(what);
        return span;
      };
      const span = {
        name,
        spanContext: () => ({ traceId: '0'.repeat(31) + 1, spanId: '0'.repeat(15) + 1, traceFlags: 1 }),
        isRecording: () => true,
        setStatus: ({ code, message }: { code: SpanStatusCode; message?: string }) => {
          finished.failed = code === SpanStatusCode.ERROR;
          return message === undefined ? span : say(message);
        },
        end: () => this.spans.push(finished),
        setAttribute: say,
        setAttributes: say,
        addEvent: say,
        addLink: say,
        addLinks: say,
        updateName: say,
        recordException: say,
      };
      return span as unknown as Span;
    },
  } as Tracer;

  register(): void {
    trace.setGlobalTracerProvider({ getTracer: () => this.tracer });
    context.setGlobalContextManager({
      active: () => this.#storage.getStore() ?? ROOT_CONTEXT,
      with: (active, work, self, ...args) => this.#storage.run(active, () => work.call(self as never, ...args)),
      bind: (_context, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    });
  }
}

// One recorder for all tests: the API returns the same tracer each time.
const recorder = new Recorder();

describe.each(storeNames)('OpenTelemetry on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    recorder.register();
    gateway = await TestGateway.start(store);
  });
  afterAll(async () => {
    trace.disable();
    context.disable();
    await gateway.close();
  });
  const spansOf = async (work: () => Promise<unknown>) => {
    recorder.spans.length = 0;
    await work();
    return recorder.spans.map(({ name, parent, failed }) => ({ name, parent, failed }));
  };

  it('gets a span for what the start loads', async () => {
    const loads = () => recorder.spans.filter(({ name }) => name === 'jwks.load');
    await expect.poll(loads).toContainEqual(expect.objectContaining({ parent: undefined, failed: false }));
  });

  it('gets a span for a request, with spans for the store and the crypto in it', async () => {
    const spans = await spansOf(() => gateway.run(createSecret(), { input: newSecret() }));
    expect(spans).toContainEqual({ name: 'graphql.request', parent: undefined, failed: false });
    expect(spans).toContainEqual({ name: 'crypto.seal', parent: 'graphql.request', failed: false });
    expect(spans).toContainEqual({ name: 'store.commit', parent: 'graphql.request', failed: false });
    const reading = await spansOf(() => gateway.run(list));
    expect(reading).toContainEqual({ name: 'store.list', parent: 'graphql.request', failed: false });
  });

  it('gets the error status for failed work', async () => {
    const input = newSecret();
    await gateway.run(createSecret(), { input });
    expect(await spansOf(() => gateway.run(createSecret(), { input }))).toContainEqual({
      name: 'store.commit',
      parent: 'graphql.request',
      failed: true,
    });
  });

  it('gets only names that the gateway defines', async () => {
    await gateway.run(`query Mine { mine: secrets(filter: { name: "mine" }) { totalCount } }`);
    expect(recorder.spans.flatMap(({ said }) => said)).toEqual([]);
    for (const { name } of recorder.spans) {
      expect(name).toMatch(/^(graphql\.request|(store|crypto|jwks|limiter)\.[a-zA-Z]+)$/);
    }
  });
});
