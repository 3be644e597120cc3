import { context, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('secrets-gateway');

export type DurationListener = (name: string, seconds: number, failed: boolean) => void;

const listeners = new Set<DurationListener>();

/** Tells of every traced piece of work when it ends. @returns how to stop listening */
export function onDuration(listener: DurationListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Does a piece of work in an OpenTelemetry span of its own. The span has a name and an outcome, and nothing of what was
 * worked on. Without an OpenTelemetry SDK in the process the span costs next to nothing.
 */
export async function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  const span = tracer.startSpan(name);
  const start = performance.now();
  let failed = true;
  try {
    // The context costs more than all the rest, and without an SDK nobody looks at it.
    const result = await (span.isRecording() ? context.with(trace.setSpan(context.active(), span), work) : work());
    failed = false;
    return result;
  } finally {
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    for (const listener of listeners) listener(name, (performance.now() - start) / 1000, failed);
  }
}

/** The same object, with every method that returns a promise traced as `prefix.method`. */
export function tracedMethods<T extends object>(prefix: string, target: T): T {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(target, {
    get(object, property) {
      if (wrapped.has(property)) return wrapped.get(property);
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function') return member;
      const name = `${prefix}.${String(property)}`;
      const method = untraced.has(property)
        ? member.bind(object)
        : (...args: unknown[]) => traced(name, () => Reflect.apply(member, object, args));
      wrapped.set(property, method);
      return method;
    },
  });
}

const untraced = new Set<string | symbol>(['counter', 'close']);
