interface Table {
  readonly table: string;
  /** The column of its key, in whose order it is gone through. */
  readonly id: string;
}

interface Place {
  /** Has `envelope`. */
  readonly envelopes: Table;
  /** The same with `owner` and `secret_id`. */
  readonly owned: string;
  /** Has `mac_kid`. */
  readonly records: Table;
}

/** Where sealed values are kept. */
const places = {
  secrets: {
    envelopes: { table: 'envelopes', id: 'secret_id' },
    // CROSS JOIN keeps the envelopes outside: their key gives the order.
    owned: 'envelopes CROSS JOIN secrets ON secrets.id = secret_id',
    records: { table: 'secrets', id: 'id' },
  },
  versions: {
    envelopes: { table: 'secret_versions', id: 'id' },
    owned: 'secret_versions',
    records: { table: 'secret_versions', id: 'id' },
  },
  deleted: {
    envelopes: { table: 'deleted_envelopes', id: 'secret_id' },
    owned: 'deleted_envelopes CROSS JOIN deleted_secrets ON deleted_secrets.id = secret_id',
    records: { table: 'deleted_secrets', id: 'id' },
  },
} as const satisfies Record<string, Place>;

export type SealedPlace = keyof typeof places;
export const sealedPlaces = Object.keys(places) as SealedPlace[];

/** Makes something for each place, such as its statement. */
export function forEachPlace<T>(make: (place: Place) => T): Readonly<Record<SealedPlace, T>> {
  return Object.fromEntries(sealedPlaces.map((place) => [place, make(places[place])])) as Record<SealedPlace, T>;
}
