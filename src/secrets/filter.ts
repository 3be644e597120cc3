import type { SecretFilter } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkLookup, maxNameCharacters, maxUnitsOf } from '../rules/text.ts';
import { checkTagCount, maxTagCharacters, maxTags } from './rules.ts';

export type SecretFilterInput = { readonly [field in keyof SecretFilter]?: SecretFilter[field] | null | undefined };

const texts = ['name', 'nameStartsWith', 'provider', 'placeholder'] as const;

/**
 * Holds a filter to the rules of what is stored, as far as they apply to a part of it. Fields that are left out, null or
 * empty are not in the result: a form sends what nobody filled in as empty text, and nothing that is stored is empty.
 */
function checkFilter(input: SecretFilterInput, errors: FieldErrors): SecretFilter {
  const filter: { -readonly [field in keyof SecretFilter]: SecretFilter[field] } = {};
  for (const field of texts) {
    const text = input[field];
    if (text) filter[field] = checkLookup(text, maxNameCharacters, errors.at(field));
  }
  const { tags } = input;
  if (tags?.some(Boolean) && checkTagCount(tags, errors.at('tags'))) {
    const ofTags = errors.at('tags');
    const checked = tags.map((tag, index) => checkLookup(tag, maxTagCharacters, ofTags.at(index)));
    filter.tags = [...new Set(checked.filter(Boolean))];
  }
  const { expiresBefore, notUpdatedSince, hasValue, health, notUsedSince } = input;
  if (expiresBefore != null) filter.expiresBefore = expiresBefore;
  if (notUpdatedSince != null) filter.notUpdatedSince = notUpdatedSince;
  if (hasValue != null) filter.hasValue = hasValue;
  if (health != null) filter.health = health;
  if (notUsedSince != null) filter.notUsedSince = notUsedSince;
  return filter;
}

interface Checked {
  readonly filter: SecretFilter;
  readonly errors: FieldErrors;
}

/** In code units. A longer filter breaks a rule, which is found without looking at its texts. */
const maxLength = texts.length * maxUnitsOf(maxNameCharacters) + maxTags * maxUnitsOf(maxTagCharacters);

/** Filters are checked once for each request: a document may use the same one for a thousand lists. */
const checked = new WeakMap<object, Map<string, Checked>>();

/** @param request the filter is one and the same object wherever the request has the same filter */
export function checkFilterOnce(input: SecretFilterInput, request: object, errors: FieldErrors): SecretFilter {
  if (lengthOf(input) > maxLength) return checkFilter(input, errors);
  const ofRequest = checked.get(request) ?? new Map<string, Checked>();
  checked.set(request, ofRequest);
  const key = JSON.stringify(input);
  let known = ofRequest.get(key);
  if (!known) {
    const found = new FieldErrors();
    known = { filter: checkFilter(input, found), errors: found };
    ofRequest.set(key, known);
  }
  errors.addAll(known.errors);
  return known.filter;
}

function lengthOf(input: SecretFilterInput): number {
  const given = [...texts.map((field) => input[field]), ...(input.tags ?? [])];
  return given.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}

/** The filter as one text: equal for equal filters, and different for different ones. */
export function filterKey(filter: SecretFilter): string {
  return JSON.stringify(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)));
}
