import { context, ProxyTracerProvider, type Span, SpanStatusCode, trace as telemetry } from '@opentelemetry/api';

export type DurationListener = (name: string, seconds: number, failed: boolean) => void;

/** Runs pieces of work in spans of their own, and tells its listener how long each took: until the promise that it returns settles. */
export type Trace = <T>(name: string, work: () => T) => T;

const tracerName = 'secrets-gateway';
const tracer = telemetry.getTracer(tracerName);

/** Whether there is an SDK that spans are for. */
function isTraced(): boolean {
  const provider = telemetry.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(tracerName) !== undefined;
}

/**
 * Each gateway has a trace of its own, so that two gateways in one process do not count each other's work. The spans are
 * OpenTelemetry's: they have a name and an outcome, and nothing of what was worked on. Without an OpenTelemetry SDK in the
 * process a span costs next to nothing.
 */
export function createTrace(onDuration: DurationListener = () => {}): Trace {
  return (name, work) => {
    const span = isTraced() ? tracer.startSpan(name) : null;
    const start = performance.now();
    const end = (failed: boolean) => {
      if (span) endSpan(span, failed);
      onDuration(name, (performance.now() - start) / 1000, failed);
    };
    let result: ReturnType<typeof work>;
    try {
      // To set the context costs more than all the rest, and without an SDK nothing reads it.
      result = span?.isRecording() ? inSpan(span, work) : work();
    } catch (error) {
      end(true);
      throw error;
    }
    if (!(result instanceof Promise)) {
      end(false);
      return result;
    }
    const fail = (error: unknown) => {
      end(true);
      throw error;
    };
    return result.then((value: unknown) => {
      end(false);
      return value;
    }, fail) as typeof result;
  };
}

function inSpan<T>(span: Span, work: () => T): T {
  return context.with(telemetry.setSpan(context.active(), span), work);
}

function endSpan(span: Span, failed: boolean): void {
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The same object, with every method traced as `prefix.method`, except those named. */
export function tracedMethods<T extends object>(
  trace: Trace,
  prefix: string,
  target: T,
  untraced: readonly (keyof T)[],
): T {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(target, {
    get(object, property) {
      if (wrapped.has(property)) return wrapped.get(property);
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function') return member;
      const name = `${prefix}.${String(property)}`;
      const method = untraced.includes(property as keyof T)
        ? member.bind(object)
        : (...args: unknown[]) => trace(name, () => Reflect.apply(member, object, args));
      wrapped.set(property, method);
      return method;
    },
  });
}
