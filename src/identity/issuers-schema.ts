import { z } from 'zod';
import { scopes } from '../model/principal.ts';
import { defaultAlgorithms, signatureAlgorithms } from '../runtime/algorithms.ts';
import { type Pointer, parsePointer } from '../runtime/json-pointer.ts';
import { isDiscoverable, isSecureUrl } from '../runtime/secure-url.ts';
import { listOf, must, object, oneOf, text } from '../runtime/setting-schema.ts';
import { isIdentifier } from './identifier.ts';

const prefix = z
  .string(must('text'))
  .refine((value) => value.length <= 100 && value.isWellFormed(), must('text of at most 100 characters'));

const aPointer = must('a JSON Pointer to a claim, such as "/scope" (RFC 6901)');
const pointer = z.string(aPointer).transform((value, context): Pointer => {
  const parsed = parsePointer(value);
  if (parsed && parsed.length > 0) return parsed;
  context.addIssue({ code: 'custom', message: aPointer.error({ input: value }) });
  return z.NEVER;
});

const scopeList = listOf(oneOf(scopes), 'scopes');
const role = oneOf(['admin', 'member']);
const membership = object({
  id: z.string(must('a team’s id')).refine(isIdentifier, must('a team’s id of 1 to 255 characters')),
  role: role.default('member'),
});
const grant = object({
  subject: text('a subject, or what subjects begin with and one * at its end').refine(
    (value) => !value.slice(0, -1).includes('*'),
    { error: 'must have no * but one at its end.' },
  ),
  teams: listOf(membership, 'teams, such as [{ "id": "payments", "role": "member" }]').default([]),
  scopes: scopeList.default([]),
}).refine(({ teams, scopes }) => teams.length + scopes.length > 0, {
  error: 'grants nothing. Give it "teams" or "scopes", or remove it.',
});

const issuer = object({
  issuer: text('the "iss" of the tokens'),
  audience: listOf(text('the audience of the tokens'), 'audiences').min(1, {
    error: 'must name an audience: tokens for others would be accepted.',
  }),
  audienceClaim: pointer.default(['aud']),
  jwksUrl: text('a URL').optional(),
  jwksFile: text('the path of a file').optional(),
  algorithms: listOf(oneOf(signatureAlgorithms), 'algorithms')
    .min(1, { error: 'must name an algorithm, or be left out.' })
    .default([...defaultAlgorithms]),
  allowHttp: z.boolean(must('true or false')).default(false),
  subject: pointer.default(['sub']),
  subjectPrefix: prefix.default(''),
  scopes: listOf(pointer, 'JSON Pointers').default([['scope'], ['scp']]),
  scopePrefix: prefix.default(''),
  scopeMap: z
    .record(z.string(), scopeList, must('an object of lists of scopes: { "NAME": ["secrets:read"] }'))
    .default({}),
  teams: listOf(pointer, 'JSON Pointers').default([['teams']]),
  teamPrefix: prefix.default(''),
  roleMap: z.record(z.string(), role, must('an object of roles: { "NAME": "admin" }')).default({}),
  grants: listOf(grant, 'grants, such as [{ "subject": "…", "scopes": ["…"] }]').default([]),
}).superRefine(checkKeyLocation);

/** What ISSUERS_FILE holds. */
export const issuersSchema = object({
  issuers: listOf(issuer, 'issuers, such as [{ "issuer": "…", "audience": ["…"] }]')
    .min(1, { error: 'must name an issuer.' })
    .superRefine(checkApart),
});

export type IssuerEntry = z.output<typeof issuer>;

/** The members of what stands at a place in the file. */
export function membersAt(path: readonly PropertyKey[]): string[] {
  const lists: Record<string, object> = { issuers: issuer.shape, grants: grant.shape, teams: membership.shape };
  return Object.keys(lists[String(path.at(-2))] ?? issuersSchema.shape);
}

interface Located {
  readonly issuer: string;
  readonly jwksUrl?: string | undefined;
  readonly jwksFile?: string | undefined;
  readonly allowHttp: boolean;
}

/** Over plain HTTP anybody on the way could replace the keys. */
function checkKeyLocation({ issuer, jwksUrl, jwksFile, allowHttp }: Located, context: z.RefinementCtx): void {
  const refuse = (member: string, message: string) => context.addIssue({ code: 'custom', path: [member], message });
  if (jwksUrl !== undefined && jwksFile !== undefined) {
    refuse('jwksFile', 'and jwksUrl are both set. Leave one of them.');
  } else if (jwksUrl !== undefined && !isSecureUrl(jwksUrl, allowHttp)) {
    refuse(
      'jwksUrl',
      'must be an https: URL without a user. Over http: (beyond loopback) only with "allowHttp": true.',
    );
  } else if (jwksUrl === undefined && jwksFile === undefined && !isDiscoverable(issuer, allowHttp)) {
    refuse(
      'issuer',
      'must be an https: URL, so that its keys can be found there (http: beyond loopback only with "allowHttp": true). Or set jwksUrl or jwksFile.',
    );
  }
}

/** A user of one issuer must never be a user of another. */
function checkApart(
  issuers: readonly { readonly issuer: string; readonly subjectPrefix: string }[],
  context: z.RefinementCtx,
): void {
  for (const [index, { issuer, subjectPrefix }] of issuers.entries()) {
    const refuse = (member: string, message: string) =>
      context.addIssue({ code: 'custom', path: [index, member], message });
    const others = issuers.filter((_, other) => other !== index);
    if (issuers.findIndex((other) => other.issuer === issuer) < index) {
      refuse('issuer', 'is that of an earlier entry. Put what belongs to one issuer into one entry.');
    }
    if (others.length > 0 && subjectPrefix === '') {
      refuse(
        'subjectPrefix',
        'must not be empty: with several issuers, equal subjects would be one user. Set it to a text such as "okta|".',
      );
    } else if (others.some((other) => other.subjectPrefix !== '' && subjectPrefix.startsWith(other.subjectPrefix))) {
      refuse(
        'subjectPrefix',
        'begins with that of another issuer, so that two users could be one. End each with a mark of its own, such as "okta|".',
      );
    }
  }
}
