import { SpanStatusCode, trace } from '@opentelemetry/api';

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
export function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    const start = performance.now();
    let failed = true;
    try {
      const result = await work();
      failed = false;
      return result;
    } finally {
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      for (const listener of listeners) listener(name, (performance.now() - start) / 1000, failed);
    }
  });
}

/** The same object, with every method that returns a promise traced as `prefix.method`. */
export function tracedMethods<T extends object>(prefix: string, target: T): T {
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function' || typeof property !== 'string') return member;
      return (...args: unknown[]) => {
        const call = () => Reflect.apply(member, object, args);
        return untraced.has(property) ? call() : traced(`${prefix}.${property}`, call);
      };
    },
  });
}

const untraced = new Set(['counter', 'close']);
