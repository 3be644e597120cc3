import { GraphQLError } from 'graphql';

/** What one execution did, in order, and how values are chosen for it. */
export interface World {
  readonly seed: number;
  /** Of a hundred values, how many are faulty. */
  readonly faults: number;
  /** Of a hundred values, how many come later. */
  readonly late: number;
  readonly trace: string[];
}

export function hash(world: World, at: string): number {
  let sum = world.seed ^ 0x9e3779b9;
  for (let index = 0; index < at.length; index += 1) {
    sum = Math.imul(sum ^ at.charCodeAt(index), 0x85ebca6b);
    sum ^= sum >>> 13;
  }
  return (Math.imul(sum ^ (sum >>> 16), 0xc2b2ae35) >>> 0) / 2 ** 32;
}

export function chance(world: World, at: string, percent: number): boolean {
  return hash(world, at) * 100 < percent;
}

export function pick<T>(world: World, at: string, values: readonly T[]): T {
  return values[Math.floor(hash(world, at) * values.length)] as T;
}

export function answerAt(world: World, at: string, plain: () => unknown): unknown {
  const value = () => (chance(world, `${at}~fault`, world.faults) ? faultAt(world, at) : plain());
  return chance(world, `${at}~late`, world.late) ? laterAt(world, at, value) : value();
}

/** @throws what a resolver may throw */
function faultAt(world: World, at: string): unknown {
  const fault = pick(world, `${at}~which`, [
    'null',
    'undefined',
    'throw',
    'error',
    'wrong',
    'located',
    'text',
    'graphql',
  ]);
  switch (fault) {
    case 'null':
      return null;
    case 'undefined':
      return undefined;
    case 'error':
      return new Error(`returned at ${at}`);
    case 'wrong':
      return pick(world, `${at}~wrong`, [
        {},
        [],
        'wrong',
        1.5,
        Number.NaN,
        Symbol('wrong'),
        -0,
        true,
        new Map([[1, 2]]),
      ]);
    case 'located':
      throw new GraphQLError(`located at ${at}`, { path: ['elsewhere', 1] });
    case 'graphql':
      throw new GraphQLError(`with extensions at ${at}`, { extensions: { code: 'ODD' } });
    case 'text':
      // biome-ignore lint/style/useThrowOnlyError: a resolver may
      throw `text at ${at}`;
    default:
      throw new Error(`thrown at ${at}`);
  }
}

/** All that counts as a promise. */
function laterAt(world: World, at: string, value: () => unknown): unknown {
  const run = (fulfil: (value: unknown) => void, reject: (error: unknown) => void) => {
    try {
      fulfil(value());
    } catch (error) {
      reject(error);
    }
  };
  const way = pick(world, `${at}~way`, ['soon', 'soon', 'ticks', 'task', 'never', 'thenable', 'callable', 'subclass']);
  switch (way) {
    case 'ticks':
      return Promise.resolve().then(nothing).then(nothing).then(value);
    case 'task':
      return new Promise((fulfil, reject) => void setImmediate(() => run(fulfil, reject)));
    case 'never':
      return chance(world, `${at}~never`, 20) ? new Promise(() => {}) : Promise.resolve().then(value);
    case 'thenable':
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried here
      return { then: (fulfil: () => void, reject: () => void) => Promise.resolve().then(value).then(fulfil, reject) };
    case 'callable':
      return Object.assign(() => {}, {
        // biome-ignore lint/suspicious/noThenProperty: as above
        then: (fulfil: () => void, reject: () => void) => Promise.resolve().then(value).then(fulfil, reject),
      });
    case 'subclass':
      return class extends Promise<unknown> {}.resolve().then(value);
    default:
      return new Promise(run);
  }
}

function nothing(): void {}
