import type { FieldErrors } from './field-errors.ts';

export const maxPageSize = 1000;
export const defaultPageSize = 100;

/** Which part of a list: `first` counts from the start, `last` from the end; at most one of them. */
export interface PageSize {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
}

export function checkPageSize(page: PageSize, errors: FieldErrors) {
  const { first, last } = page;
  for (const name of ['first', 'last'] as const) {
    const size = page[name];
    if (size != null && (size < 0 || size > maxPageSize)) {
      errors.at(name).add('range', `Must be between 0 and ${maxPageSize}.`);
    }
  }
  if (first != null && last != null) errors.at('last').add('exclusive', 'Must not be there together with first.');
  return last == null
    ? ({ from: 'start', limit: first ?? defaultPageSize } as const)
    : ({ from: 'end', limit: last } as const);
}
