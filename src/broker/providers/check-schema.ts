import { z } from 'zod';
import { checkResults } from '../../model/secret-health.ts';
import { isHeaderName, isHeaderValue } from '../../rules/header-syntax.ts';
import { listOf, must, object, oneOf } from '../../runtime/setting-schema.ts';
import { isNoVerdict } from '../check/result-of.ts';

const maxHeaders = 20;
const maxBodyBytes = 4096;
const maxStatuses = 20;
const maxRules = 20;
const maxValues = 50;
const maxPrefixes = 20;

/** The value is put into the header of the destination, and nowhere else. */
const valueMark = '{value}';
const hasNoValue = (text: string) => !text.includes(valueMark);
const noValue = { error: `must have no ${valueMark}: the value stands in the header of the destination alone.` };

/** Its other rules are those of the paths of requests, which are checked after this. */
const path = z
  .string(must('a path, such as "/v1/me"'))
  .refine(
    (text) => text.startsWith('/') && text.length <= 1000,
    must('a path of at most 1,000 characters, such as "/v1/me"'),
  )
  .refine(hasNoValue, noValue);

const headers = z
  .record(z.string(), z.string(must('text')), must('an object of headers, such as { "Accept": "application/json" }'))
  .superRefine((all, context) => {
    const names = Object.keys(all);
    const tell = (message: string) => context.addIssue({ code: 'custom', message });
    if (names.length > maxHeaders) tell(`must have at most ${maxHeaders} headers.`);
    if (!names.every(isHeaderName)) tell('must have names of headers without a colon as its members.');
    if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
      tell('must have each header once, whatever the case of its letters.');
    const values = Object.values(all);
    if (!values.every((value) => value.length <= 1000 && isHeaderValue(value)))
      tell('must have values that a header can have, of at most 1,000 characters.');
    if (!values.every(hasNoValue)) tell(noValue.error);
  });

const body = z
  .string(must('text, or null'))
  .refine((text) => Buffer.byteLength(text) <= maxBodyBytes, { error: 'must have at most 4 KiB.' })
  .refine(hasNoValue, noValue)
  .nullable();

const aPrefix = must('how keys begin: 1 to 100 visible characters of ASCII');

function prefixesOf(of: string) {
  return listOf(
    z.string(aPrefix).refine((text) => /^[!-~]{1,100}$/.test(text), aPrefix),
    of,
  ).max(maxPrefixes, { error: `must have at most ${maxPrefixes} prefixes.` });
}

const aPointer = must(
  'a JSON Pointer of at most 20 segments, such as "/error/code"; * stands for each element of a list, ~0 for ~ and ~1 for /',
);
const value = z.union([z.string().max(200), z.number(), z.boolean()], {
  error: 'must be text of at most 200 characters, a number, true or false.',
});

const rule = object({
  at: z.string(aPointer).refine((text) => text.length <= 300 && /^(?:\/(?:[^/~]|~[01])*){0,20}$/.test(text), aPointer),
  is: listOf(value, 'what may stand there, such as ["invalid_key"]')
    .min(1, { error: 'must not be empty. Leave it out where anything may stand there.' })
    .max(maxValues, { error: `must have at most ${maxValues} values.` })
    .optional(),
  forPrefixes: prefixesOf('how keys begin that the rule is for, such as ["acme_"]').optional(),
  result: oneOf(checkResults),
});

const rules = listOf(rule, 'rules')
  .min(1, { error: 'must not be empty.' })
  .max(maxRules, { error: `must have at most ${maxRules} rules.` });

/** A union of both would tell no mistake within a rule. */
const outcome = z.unknown().transform((given, context): z.output<typeof rules> | z.output<typeof rule>['result'] => {
  const parsed = (Array.isArray(given) ? rules : oneOf(checkResults)).safeParse(given);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ ...issue });
  return z.NEVER;
});

const results = z
  .record(z.string(), outcome, must('an object, such as { "403": "REJECTED" }'))
  .superRefine((all, context) => {
    const tell = (message: string) => context.addIssue({ code: 'custom', message });
    const statuses = Object.keys(all);
    if (statuses.length > maxStatuses) tell(`must have at most ${maxStatuses} statuses.`);
    if (!statuses.every((status) => /^[1-5]\d\d$/.test(status)))
      tell('must have statuses from 100 to 599 as its members, such as "403".');
    const isRejected = (said: (typeof all)[string]) =>
      typeof said === 'string' ? said === 'REJECTED' : said.some(({ result }) => result === 'REJECTED');
    if (statuses.some((status) => isNoVerdict(Number(status)) && isRejected(all[status] ?? 'VALID')))
      tell('must not have REJECTED for 429 and 5xx: a rate limit or an outage says nothing about a key.');
  });

/** How the keys of a provider of BROKER_PROVIDERS_FILE are checked. */
export const checkSchema = object({
  method: oneOf(['GET', 'POST']).default('GET'),
  path,
  headers: headers.default({}),
  body: body.default(null),
  results: results.default({}),
  notForPrefixes: prefixesOf('how keys begin that cannot be checked so, such as ["acme_admin_"]').default([]),
}).superRefine(({ method, body }, context) => {
  if (method === 'GET' && body)
    context.addIssue({
      code: 'custom',
      path: ['body'],
      message: 'must not be there with GET. Leave it out, or write "method": "POST".',
    });
});

export const checkMembers: readonly string[] = Object.keys(checkSchema.shape);
export const ruleMembers: readonly string[] = Object.keys(rule.shape);
