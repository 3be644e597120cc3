import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../errors.ts';

const maxAttempts = 20;
const pauseMs = 1000;

/**
 * For long work that no client waits for. Repeats a call while the store is away, for longer than the election of a new
 * primary takes.
 * @param call must be safe to repeat
 * @throws the last error, and any other than SERVICE_UNAVAILABLE and GATEWAY_TIMEOUT at once
 */
export async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isAway = error instanceof DomainError && /^(SERVICE_UNAVAILABLE|GATEWAY_TIMEOUT)$/.test(error.code);
      if (!isAway || attempt === maxAttempts) throw error;
    }
    await setTimeout(pauseMs);
  }
}
