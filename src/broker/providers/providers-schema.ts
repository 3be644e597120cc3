import { z } from 'zod';
import { maxProviders } from '../../model/provider.ts';
import { listOf, must, object, text } from '../../runtime/setting-schema.ts';
import { checkMembers, checkSchema, ruleMembers } from './check-schema.ts';
import { providers } from './providers.ts';

const maxRows = maxProviders - providers.length;

const id = z
  .string(must('the id of a provider'))
  .transform((value) => value.toLowerCase())
  .refine((value) => /^[a-z\d][a-z\d._-]{0,99}$/.test(value), {
    error: 'must be an id of at most 100 letters of ASCII, digits, and . _ - between them, such as "acme".',
  });

const aPrefix = must('what its keys begin with: 3 to 100 visible characters of ASCII');

/** Its rules are those of a destination that a caller names, which are checked after this. */
const destination = object({
  origin: text('an origin, such as "https://api.example.com"'),
  header: text('the name of a header').default('Authorization'),
  format: text('what the header gets, such as "Bearer {value}"').default('Bearer {value}'),
  paths: z
    .array(text('a prefix of paths, such as "/v1"'), must('a list of prefixes of paths, or null'))
    .nullable()
    .default(null),
});

const provider = object({
  id,
  title: text('a name for people')
    .refine((value) => value.length <= 100, must('text of at most 100 characters'))
    .optional(),
  destination,
  keyPrefixes: listOf(
    z.string(aPrefix).refine((value) => /^[!-~]{3,100}$/.test(value), aPrefix),
    'how its keys begin, such as ["acme_"]',
  )
    .max(20, { error: 'must have at most 20 prefixes.' })
    .optional(),
  check: checkSchema.nullable().optional(),
});

/** What BROKER_PROVIDERS_FILE holds. */
export const providersSchema = object({
  providers: listOf(
    provider,
    'providers, such as [{ "id": "acme", "destination": { "origin": "https://api.acme.com" } }]',
  )
    .max(maxRows, { error: `must have at most ${maxRows} providers.` })
    .superRefine(checkApart),
});

export type ProviderEntry = z.output<typeof provider>;

/** The members of what stands at a place in the file. */
export function membersAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.at(-1) === 'destination') return Object.keys(destination.shape);
  if (path.at(-1) === 'check') return checkMembers;
  if (path.at(-3) === 'results') return ruleMembers;
  return Object.keys(path.at(-2) === 'providers' ? provider.shape : providersSchema.shape);
}

function checkApart(entries: readonly { readonly id: string }[], context: z.RefinementCtx): void {
  for (const [index, { id }] of entries.entries()) {
    if (entries.findIndex((other) => other.id === id) === index) continue;
    const message = 'is that of an earlier entry. Leave one of them.';
    context.addIssue({ code: 'custom', path: [index, 'id'], message });
  }
}
