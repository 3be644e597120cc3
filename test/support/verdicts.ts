import fc from 'fast-check';
import type { Scope } from '../../src/model/principal.ts';

// A verdict is one letter. `.`: done · N: not there, for all that can be seen · F: FORBIDDEN · P: PERMISSION_ERROR ·
// V: UNPROCESSABLE_ENTITY · U: UNAUTHORIZED · B: BAD_REQUEST

export const owners = {
  own: {},
  team: { teamId: 'red' },
  c: { teamId: 'red', connectorId: 'c' },
  d: { teamId: 'red', connectorId: 'd' },
  blue: { teamId: 'blue' },
} as const;
export type OwnerName = keyof typeof owners;
const everyOwner = Object.keys(owners) as OwnerName[];
export const stored = ['team', 'c', 'd', 'blue'] as const;

/** What every credential tries, in the order of the letters of a verdict. */
export const operations = [
  'viewer',
  ...everyOwner.map((owner) => `list ${owner}` as const),
  ...everyOwner.map((owner) => `create in ${owner}` as const),
  ...stored.map((owner) => `read of ${owner}` as const),
  ...stored.map((owner) => `update of ${owner}` as const),
  ...everyOwner.map((owner) => `resolve of ${owner}` as const),
  'apiKeys of red',
  'apiKeys of blue',
  'createApiKey for red',
  'createApiKey for blue',
  'rotateApiKey of red',
  'revokeApiKey of red',
  'revokeApiKey of blue',
] as const;
export type Operation = (typeof operations)[number];

/**
 * What is expected of credentials that are good, by hand: viewer · lists (own, team, c, d, blue) · creates (the same) ·
 * reads (team, c, d, blue) · updates (the same) · deliveries (as lists) · management of API keys.
 */
export const tokens: readonly [name: string, claims: Record<string, unknown>, verdicts: string][] = [
  ['a member', { scope: 'secrets:read secrets:write' }, '. ....F ....F ...N ...N PPPPF PFPFPPP'],
  ['a member who reads', { scope: 'secrets:read' }, '. ....F PPPPF ...N PPPP PPPPF PFPFPPP'],
  ['a member who writes', { scope: 'secrets:write' }, '. PPPPF ....F PPPP ...N PPPPF PFPFPPP'],
  ['a member without scopes', { scope: '' }, '. PPPPF PPPPF PPPP PPPP PPPPF PFPFPPP'],
  ['a member with keys:manage', { scope: all() }, '. ....F ....F ...N ...N ....F PFPFPPN'],
  ['an admin', { teams: admins('red'), scope: all() }, '. ....F ....F ...N ...N ....F .F.F..N'],
  ['an admin without keys:manage', { teams: admins('red') }, '. ....F ....F ...N ...N PPPPF PFPFPPP'],
  [
    'an admin with keys:manage alone',
    { teams: admins('red'), scope: 'keys:manage' },
    '. PPPPF PPPPF PPPP PPPP PPPPF .FVFP.N',
  ],
  ['an admin of both teams', { teams: admins('red', 'blue'), scope: all() }, '. ..... ..... .... .... ..... .......'],
  ['an admin of the other team', { teams: admins('blue'), scope: all() }, '. .FFF. .FFF. NNN. NNN. .FFF. F.F.NN.'],
  [
    'an admin of the other team and member of this',
    { teams: [...admins('blue'), 'red'], scope: all() },
    '. ..... ..... .... .... ..... P.P.PP.',
  ],
  ['somebody in no team', { teams: [] }, '. .FFFF .FFFF NNNN NNNN PFFFF FFFFPPP'],
  ['somebody in no team, with keys:manage', { teams: [], scope: all() }, '. .FFFF .FFFF NNNN NNNN .FFFF FFFFNNN'],
];

export function all(): string {
  return 'secrets:read secrets:write secrets:resolve secrets:use secrets:match keys:manage';
}
export function admins(...ids: string[]) {
  return ids.map((id) => ({ id, role: 'admin' }));
}

/** By what an API key is bound to and whether it may read and write. No key manages keys. */
export const keys: readonly [
  name: string,
  of: { teamId: string; connectorId?: string },
  scopes: Scope[],
  verdicts: string,
][] = [
  ['the team', { teamId: 'red' }, [], '. PPPPF PPPPF PPPP PPPP PPPPF PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:resolve'], '. PPPPF PPPPF PPPP PPPP ....F PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:read'], '. ....F PPPPF ...N PPPP PPPPF PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:read', 'secrets:resolve'], '. ....F PPPPF ...N PPPP ....F PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:write'], '. PPPPF ....F PPPP ...N PPPPF PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:write', 'secrets:resolve'], '. PPPPF ....F PPPP ...N ....F PFPFPPP'],
  ['the team', { teamId: 'red' }, ['secrets:read', 'secrets:write'], '. ....F ....F ...N ...N PPPPF PFPFPPP'],
  [
    'the team',
    { teamId: 'red' },
    ['secrets:read', 'secrets:write', 'secrets:resolve'],
    '. ....F ....F ...N ...N ....F PFPFPPP',
  ],
  ['a connector', owners.c, [], '. PFPFF PFPFF PPPP PPPP PFPFF FFFFPPP'],
  ['a connector', owners.c, ['secrets:resolve'], '. PFPFF PFPFF PPPP PPPP .F.FF FFFFPPP'],
  ['a connector', owners.c, ['secrets:read'], '. .F.FF PFPFF N.NN PPPP PFPFF FFFFPPP'],
  ['a connector', owners.c, ['secrets:read', 'secrets:resolve'], '. .F.FF PFPFF N.NN PPPP .F.FF FFFFPPP'],
  ['a connector', owners.c, ['secrets:write'], '. PFPFF .F.FF PPPP N.NN PFPFF FFFFPPP'],
  ['a connector', owners.c, ['secrets:write', 'secrets:resolve'], '. PFPFF .F.FF PPPP N.NN .F.FF FFFFPPP'],
  ['a connector', owners.c, ['secrets:read', 'secrets:write'], '. .F.FF .F.FF N.NN N.NN PFPFF FFFFPPP'],
  [
    'a connector',
    owners.c,
    ['secrets:read', 'secrets:write', 'secrets:resolve'],
    '. .F.FF .F.FF N.NN N.NN .F.FF FFFFPPP',
  ],
  ['its sibling', owners.d, ['secrets:read', 'secrets:write'], '. .FF.F .FF.F NN.N NN.N PFFPF FFFFPPP'],
  ['the other team', owners.blue, ['secrets:read', 'secrets:write'], '. .FFF. .FFF. NNN. NNN. PFFFP FPFPPPP'],
  [
    'a connector of the other team that has the same id',
    { teamId: 'blue', connectorId: 'c' },
    ['secrets:read', 'secrets:write'],
    '. .FFFF .FFFF NNNN NNNN PFFFF FFFFPPP',
  ],
];

const scope = fc.constantFrom<Scope>('secrets:read', 'secrets:write', 'secrets:resolve');
export const credential = fc.record({
  kind: fc.constantFrom('user', 'apiKey'),
  teamId: fc.constantFrom('red', 'blue'),
  connectorId: fc.constantFrom(undefined, 'c', 'd'),
  role: fc.constantFrom('admin', 'member'),
  manages: fc.boolean(),
  scopes: fc.uniqueArray(scope),
  state: fc.constantFrom('live', 'live', 'live', 'grace', 'successor', 'revoked', 'rotated', 'typo'),
  header: fc.nat(1),
});
export type Credential = typeof credential extends fc.Arbitrary<infer T> ? T : never;

/** The rules of the specification, written down a second time. */
export function expected(by: Credential, operation: Operation): string {
  const isKey = by.kind === 'apiKey';
  if (isKey && ['revoked', 'rotated', 'typo'].includes(by.state)) return 'U';
  const [what, of] = operation.split(/ (?:in |of |for )?/) as [string, OwnerName | 'red'];
  if (what === 'viewer') return '.';
  const has = (scope: Scope) => (scope === 'keys:manage' ? !isKey && by.manages : by.scopes.includes(scope));
  const bound = isKey ? by.connectorId : undefined;
  const team = of === 'blue' ? 'blue' : 'red';
  const ofConnector = of === 'c' || of === 'd' ? of : undefined;
  const reaches = of === 'own' || (team === by.teamId && (bound === undefined || bound === ofConnector));
  const isAdmin = !isKey && by.role === 'admin';
  switch (what) {
    case 'list':
    case 'create':
    case 'resolve': {
      if (!reaches) return 'F';
      const needed = { list: 'secrets:read', create: 'secrets:write', resolve: 'secrets:resolve' } as const;
      return has(needed[what]) ? '.' : 'P';
    }
    case 'read':
    case 'update':
      if (!has(what === 'read' ? 'secrets:read' : 'secrets:write')) return 'P';
      return reaches ? '.' : 'N';
    case 'apiKeys':
    case 'createApiKey':
      if (!reaches) return 'F';
      if (!has('keys:manage') || !isAdmin) return 'P';
      return what === 'apiKeys' || has('secrets:read') ? '.' : 'V';
    default:
      if (!has('keys:manage')) return 'P';
      if (!reaches) return 'N';
      if (!isAdmin) return 'P';
      return what === 'revokeApiKey' || has('secrets:read') ? '.' : 'P';
  }
}
