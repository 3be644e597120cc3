import type { Round } from './way.ts';

/** By the kind of fault: what each injection led to. */
export type Rounds = ReadonlyMap<string, readonly Round[]>;

const wrong = ['lost', 'doubled', 'halfWritten', 'untyped', 'stuck'] as const;
const counted = ['made', 'refused', 'unknown', 'read', 'stale'] as const;

/** How much of what must not be there was found. */
export function wrongIn(round: Round): string[] {
  return wrong.flatMap((what) => round[what].map((found) => `${what}: ${found}`));
}

/** docs/faults.md: figures by the kind of fault. */
export function report(ways: Readonly<Record<string, Rounds>>): string {
  const tables = Object.entries(ways).map(([title, rounds]) => `## ${title}\n\n${table(rounds)}\n`);
  return `${head}\n${tables.join('\n')}`;
}

function table(rounds: Rounds): string {
  const rows = [...rounds].map(([kind, of]) => row(kind, of));
  const all = [...rounds.values()].flat();
  return [
    '| fault | injected | writes acknowledged | refused | unknown | reads | stale | lost | doubled | half-written | untyped errors | stuck gateways |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    row('**all**', all),
  ].join('\n');
}

function row(kind: string, rounds: readonly Round[]): string {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const figures = [
    rounds.length,
    ...counted.map((what) => sum((round) => round[what])),
    ...wrong.map((what) => sum((round) => round[what].length)),
  ];
  return `| ${[kind, ...figures.map((figure) => figure.toLocaleString('en'))].join(' | ')} |`;
}

const head = `# Faults

<!-- Written by "npm run faults". -->

Each fault was injected for real, while clients wrote and read through real gateways. After each one everything that the clients had
been told was compared with the database. The tests in \`test/faults/\` inject every kind at least once on each change of the gateway.

- *refused*: writes answered with \`SERVICE_UNAVAILABLE\`. None of them was made. *unknown*: writes answered with \`GATEWAY_TIMEOUT\`, or
  without an answer because the gateway was killed. Each was made once or not at all.
- *stale*: reads that did not show a write which had been acknowledged before them.
- *lost*: acknowledged, and not in the database. *doubled*: made more than once, or though it was refused. *half-written*: a secret, its audit
  events, its owner's count and its owner's chain of hashes do not belong together.
- *untyped errors*: an answer that is neither a success nor one of these two errors, with its status, its type, a request id and
  \`Retry-After\` where it belongs; or a request without any answer, where the gateway was not killed.
- *stuck gateways*: one that does not answer a write again by itself, is not ready again, or does not end when it is told to.

\`test/faults/checkers.test.ts\` plants one of each, and the checks find it.
`;
