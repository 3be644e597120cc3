import { context, type Tracer, trace } from '@opentelemetry/api';

// One for the whole process: code that asked for a tracer keeps the first that it got.
const told: unknown[] = [];
function say(...said: unknown[]) {
  told.push(said);
  return span;
}
const span: object = new Proxy({}, { get: (_, name) => (name === 'isRecording' ? () => true : say) });
const tracer = { startSpan: say } as unknown as Tracer;

/** Everything that an OpenTelemetry SDK in this process is told from now on. */
export class ToldSpans {
  readonly #from = told.length;

  constructor() {
    trace.setGlobalTracerProvider({ getTracer: () => tracer });
  }

  text(): string {
    return JSON.stringify(told.slice(this.#from));
  }

  stop(): void {
    trace.disable();
    context.disable();
  }
}
