import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../errors.ts';

const maxAttempts = 20;
const pauseMs = 1000;

/**
 * For long work that nobody waits for on a connection: what can be asked again is asked again while the store is away,
 * which outlasts the election of a new primary.
 * @throws the last error, and any other than SERVICE_UNAVAILABLE and GATEWAY_TIMEOUT at once
 */
export async function retried<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof DomainError && /^(SERVICE_UNAVAILABLE|GATEWAY_TIMEOUT)$/.test(error.code);
      if (!isAway || attempt === maxAttempts) throw error;
    }
    await setTimeout(pauseMs);
  }
}
