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
 * What may be logged of an error: its class, code and stack frames, and the id of the secret that it is about. Neither its message nor a driver's details may: they
 * quote what could not be parsed or written. The message of a ConfigurationError is the gateway's own text.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack, cause } = error;
  const { code, secretId } = error as { code?: unknown; secretId?: unknown };
  return {
    name,
    ...(error instanceof ConfigurationError && { message: error.message }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    // Found in the database, where something other than a gateway may have written it.
    ...(typeof secretId === 'string' && /^[0-9a-f-]{36}$/.test(secretId) && { secretId }),
    frames: framesOf(stack, message)
      ?.split('\n')
      .filter((line) => /^\s+at [^\n]*:\d+:\d+\)?$/.test(line))
      .slice(0, 10)
      .map((line) => line.trim()),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}

/** A stack begins with the message, which could look like frames. A message that was replaced is not found, and then nothing is. */
function framesOf(stack: string | undefined, message: string): string | undefined {
  const start = stack?.indexOf(message) ?? -1;
  return start < 0 ? undefined : stack?.slice(start + message.length);
}
