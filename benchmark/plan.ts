import { type ContenderName, programs } from './contender.ts';
import type { Cell } from './measure.ts';
import * as work from './work.ts';

export const everybody = (Object.keys(programs) as ContenderName[]).filter(
  (name) => !name.startsWith('secrets-gateway, '),
);
export const withSqlite: readonly ContenderName[] = [...everybody, 'secrets-gateway, SQLite'];
const gateways: readonly ContenderName[] = ['secrets-gateway', 'secrets-gateway, SQLite'];
/** graphql-http, the reference, is measured once, to save time for the warm-up of the others. */
const others = (names: readonly ContenderName[]) => names.filter((name) => name !== 'graphql-http');

/** What a run measures. Rounds are short, so that other load on the machine affects every contender equally. */
export interface Plan {
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly starts: number;
  readonly contenders: readonly ContenderName[];
  readonly cells: readonly Cell[];
}

/** The goals of a list and a create. */
export const quick: Plan = {
  rounds: 4,
  contenders: everybody,
  warmUpSeconds: 0.6,
  starts: 1,
  cells: [
    { work: work.list, connections: 32, seconds: 0.5, contenders: everybody },
    {
      work: work.list,
      connections: 1,
      seconds: 0.3,
      contenders: ['secrets-gateway', 'bare, batched', 'bare, naive'],
    },
    { work: work.create, connections: 32, seconds: 0.6, contenders: ['secrets-gateway', 'bare, naive'] },
    { work: work.update, connections: 32, seconds: 0.1, contenders: everybody },
    { work: work.entities, connections: 32, seconds: 0.1, contenders: everybody },
  ],
};

/** All goals. */
export const whole: Plan = {
  rounds: 4,
  contenders: [...withSqlite, 'secrets-gateway, limited'],
  warmUpSeconds: 1.5,
  starts: 3,
  cells: [
    { work: work.list, connections: 32, seconds: 1.3, contenders: withSqlite },
    { work: work.list, connections: 1, seconds: 0.7, contenders: others(withSqlite) },
    { work: work.list, connections: 128, seconds: 0.7, contenders: others(everybody) },
    { work: work.one, connections: 32, seconds: 0.6, contenders: others(withSqlite) },
    { work: work.create, connections: 32, seconds: 0.9, contenders: others(withSqlite) },
    { work: work.update, connections: 32, seconds: 0.8, contenders: others(withSqlite) },
    { work: work.tenLists, connections: 32, seconds: 0.8, contenders: others(withSqlite) },
    { work: work.entities, connections: 32, seconds: 0.8, contenders: others(withSqlite) },
    { work: work.hundredFields, connections: 32, seconds: 0.5, contenders: others(withSqlite) },
    { work: work.cold, connections: 32, seconds: 0.5, contenders: others(everybody) },
    { work: work.resolve, connections: 32, seconds: 0.5, contenders: [...gateways, 'bare, batched', 'bare, naive'] },
    { work: work.byApiKey, connections: 32, seconds: 0.5, contenders: gateways },
    { work: work.refusal, connections: 32, seconds: 0.5, contenders: others(withSqlite) },
    { work: work.notFound, connections: 32, seconds: 0.5, contenders: others(everybody) },
    { work: work.tooMany, connections: 32, seconds: 0.5, contenders: ['secrets-gateway, limited'] },
  ],
};

/** Each work once, as briefly as possible: it shows that everything works, and measures nothing. */
export const brief: Plan = {
  ...whole,
  rounds: 1,
  warmUpSeconds: 0,
  starts: 1,
  cells: whole.cells
    .filter(({ work: one }, index) => whole.cells.findIndex((cell) => cell.work === one) === index)
    .map((cell) => ({ ...cell, connections: 4, seconds: 0.05 })),
};
