import type { Destination } from './destination.ts';

/** A service that takes keys. */
export interface Provider {
  /** In lower case. Secrets name it in any case. */
  readonly id: string;
  readonly title: string;
  /** Where its keys may be sent. */
  readonly destination: Omit<Destination, 'byHand'>;
}

/** The provider of this id, in any case; undefined where the table has none. */
export type FindProvider = (id: string) => Provider | undefined;
