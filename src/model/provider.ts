import type { Destination } from './destination.ts';
import type { ProviderCheck } from './provider-check.ts';

/** A service that takes keys. */
export interface Provider {
  /** In lower case. Secrets name it in any case. */
  readonly id: string;
  readonly title: string;
  /** Where its keys may be sent. */
  readonly destination: Omit<Destination, 'byHand'>;
  /** How keys begin that can be nobody else's. Not `sk-`, which is how those of several services begin. */
  readonly keyPrefixes: readonly string[];
  /** Other headers, in lower case, in which its own SDKs send keys. A credential of the gateway may come in them. */
  readonly sdkHeaders?: readonly string[];
  /** How its keys are checked; null where they cannot be. */
  readonly check: ProviderCheck | null;
}

/** Whether keys go there as those of the provider do: to the same origin, in the same header and form. */
export function isDestinationOf(
  { origin, header, format }: Provider['destination'],
  { destination }: Provider,
): boolean {
  const isSameHeader = header.toLowerCase() === destination.header.toLowerCase();
  return origin === destination.origin && isSameHeader && format === destination.format;
}

/** At most so many providers are known. */
export const maxProviders = 250;

/** The providers that a gateway knows. */
export class ProviderTable {
  /** In the order of their ids. */
  readonly rows: readonly Provider[];
  readonly #byId: ReadonlyMap<string, Provider>;
  readonly #aliases: Readonly<Record<string, string>>;

  /**
   * @param rows of two with one id the later counts
   * @param aliases other ids that people write, and the ids that they stand for
   */
  constructor(rows: readonly Provider[], aliases: Readonly<Record<string, string>> = {}) {
    this.#byId = new Map(rows.map((provider) => [provider.id.toLowerCase(), provider]));
    this.rows = [...this.#byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#aliases = aliases;
  }

  /** The provider of this id or alias, in any case; undefined where the table has none. */
  find(id: string): Provider | undefined {
    const lower = id.toLowerCase();
    const found = this.#byId.get(lower);
    if (found || !Object.hasOwn(this.#aliases, lower)) return found;
    return this.#byId.get(this.#aliases[lower] ?? '');
  }

  /** Whose keys begin as this value does. Of several prefixes the longest counts. */
  ofKey(value: string): readonly Provider[] {
    let longest = 0;
    let found: Provider[] = [];
    for (const provider of this.rows) {
      for (const prefix of provider.keyPrefixes) {
        if (prefix.length < longest || !value.startsWith(prefix)) continue;
        if (prefix.length > longest) found = [];
        longest = prefix.length;
        if (!found.includes(provider)) found.push(provider);
      }
    }
    return found;
  }
}
