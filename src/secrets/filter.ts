import type { SecretFilter } from '../model/secret.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { checkLookup, maxNameCharacters } from '../rules/text.ts';
import { checkTagCount, maxTagCharacters } from './rules.ts';

export type SecretFilterInput = { readonly [field in keyof SecretFilter]?: SecretFilter[field] | null | undefined };

const texts = ['name', 'nameStartsWith', 'provider', 'placeholder'] as const;

/**
 * Holds a filter to the rules of what is stored, as far as they apply to a part of it. Fields that are left out, null or
 * that let everything through are not in the result.
 */
export function checkFilter(input: SecretFilterInput, errors: FieldErrors): SecretFilter {
  const filter: { -readonly [field in keyof SecretFilter]: SecretFilter[field] } = {};
  for (const field of texts) {
    const text = input[field];
    if (text != null) filter[field] = checkLookup(text, maxNameCharacters, errors.at(field));
  }
  if (filter.nameStartsWith === '') delete filter.nameStartsWith;
  const { tags } = input;
  if (tags?.length && checkTagCount(tags, errors.at('tags'))) {
    const ofTags = errors.at('tags');
    filter.tags = [...new Set(tags.map((tag, index) => checkLookup(tag, maxTagCharacters, ofTags.at(index))))];
  }
  return filter;
}

/** The filter as one text: equal for equal filters, and different for different ones. */
export function filterKey(filter: SecretFilter): string {
  return JSON.stringify(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)));
}
