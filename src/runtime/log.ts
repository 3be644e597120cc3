import { type Logger, pino } from 'pino';
import { ConfigurationError } from '../errors.ts';

export type Log = Logger;

/** JSON lines on standard error. The log never holds a value, a token or a variable. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ sync: true, dest: 2 }),
  );
}

/**
 * What may be logged of an error: its class, code and stack frames. Neither its message nor a driver's details may: they
 * quote what could not be parsed or written. The message of a ConfigurationError is the gateway's own text.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    name,
    ...(error instanceof ConfigurationError && { message: error.message }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    frames: stack
      ?.split('\n')
      .filter((line) => /^\s+at [^\n]*:\d+:\d+\)?$/.test(line))
      .slice(0, 10)
      .map((line) => line.trim()),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}
