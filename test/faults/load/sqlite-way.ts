import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openStore } from '../../../src/store/open-store.ts';
import { CommandLine, injectedFaults, type RunningGateway } from '../../support/command-line.ts';
import { WriteLoad } from '../../support/write-load.ts';
import { clientsOf, keyringIn, type Round, stuckPart, type Way } from './way.ts';

const execute = promisify(execFile);
const team = 'demo';
const pageBytes = 4096;

/** How a gateway must end that is started on a damaged database: with one plain message, and no stack. */
const refusalOfDamage =
  /^serve ended with 1: secrets-gateway cannot start: DATABASE_URL[^\n]* damaged[^\n]* Restore it from its backup[^\n]*\n$/;

const fullDisk = 'the disk is full';

type Place = 'data' | 'disk';

/** A gateway on SQLite, started anew for each fault. */
export class SqliteWay implements Way {
  /** Each ends with a gateway that was asked to write, and with everything compared. */
  static readonly #faults: Readonly<Record<string, (way: SqliteWay) => Promise<Round>>> = {
    'killed while it writes': (way) => way.#killed(false),
    'killed while it writes, and again while it starts': (way) => way.#killed(true),
    [fullDisk]: (way) =>
      way.#whileRunning('disk', async (gateway, load) => {
        await gateway.ask('fill the disk');
        await refusals(load);
        await gateway.ask('free the disk');
      }),
    'the files cannot grow': (way) =>
      way.#whileRunning('data', async ({ pid }, load) => {
        const limit = (bytes: string) => execute('prlimit', [`--pid=${pid}`, `--fsize=${bytes}`]);
        await limit(`${randomInt(1, 100) * 1024}:unlimited`);
        await refusals(load);
        await limit('unlimited:unlimited');
      }),
    'another process holds the write lock': (way) =>
      way.#whileRunning('data', async (_gateway, load) => {
        const other = new DatabaseSync(way.#path('data'));
        other.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
        await refusals(load);
        other.exec('ROLLBACK');
        other.close();
      }),
    'the file is damaged while the gateway is stopped': (way) => way.#damagedWhileStopped(),
    'the file is damaged while the gateway runs': (way) => way.#damagedWhileRunning(),
  };

  static readonly kinds: readonly string[] = Object.keys(SqliteWay.#faults);

  readonly #commandLine: CommandLine;
  /** Whether `disk/` is a file system of its own, which can be filled. */
  readonly #isDisk: boolean;

  private constructor(commandLine: CommandLine, isDisk: boolean) {
    this.#commandLine = commandLine;
    this.#isDisk = isDisk;
  }

  static async open(): Promise<SqliteWay> {
    const commandLine = await CommandLine.open();
    const disk = join(commandLine.directory, 'disk');
    mkdirSync(disk, { mode: 0o700 });
    // Only root may mount one. Otherwise the fault that needs it is left out.
    const mounted = execute('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', disk]);
    const isDisk = await mounted.then(
      () => true,
      () => false,
    );
    return new SqliteWay(commandLine, isDisk);
  }

  get kinds(): readonly string[] {
    return SqliteWay.kinds.filter((kind) => this.#isDisk || kind !== fullDisk);
  }

  inject(kind: string): Promise<Round> {
    const fault = SqliteWay.#faults[kind];
    if (!fault) throw new Error('there is no such fault');
    return fault(this);
  }

  async close(): Promise<void> {
    if (this.#isDisk) await execute('umount', ['-l', join(this.#commandLine.directory, 'disk')]);
    await this.#commandLine.close();
  }

  async #killed(again: boolean): Promise<Round> {
    const gateway = await this.#serve('data');
    const load = startLoad(gateway, true);
    const last = randomInt(5, 60);
    await load.until(({ acknowledged }) => acknowledged >= last);
    await setTimeout(randomInt(0, 30));
    await gateway.stop('SIGKILL');
    await load.stop();
    if (again) {
      const { child, exit } = this.#commandLine.start(['serve'], env('data'));
      await Promise.race([setTimeout(randomInt(0, 1500)), exit]);
      child.kill('SIGKILL');
      await exit;
    }
    return this.#judge('data', load, await this.#serve('data'));
  }

  async #whileRunning(
    place: Place,
    fault: (gateway: RunningGateway, load: WriteLoad) => Promise<void>,
  ): Promise<Round> {
    const gateway = await this.#serve(place);
    const load = startLoad(gateway);
    await load.until(({ acknowledged }) => acknowledged >= 20);
    await fault(gateway, load);
    const stuck = await stuckPart(gateway, team);
    const last = load.acknowledged + 20;
    if (stuck.length === 0) await load.until(({ acknowledged }) => acknowledged >= last);
    await load.stop();
    const round = await this.#judge(place, load, gateway);
    return { ...round, stuck: [...stuck, ...round.stuck] };
  }

  /** The gateway refuses it or finds everything, and goes on with the backup. */
  async #damagedWhileStopped(): Promise<Round> {
    const before = await this.#serve('data');
    const load = startLoad(before);
    await load.until(({ acknowledged }) => acknowledged >= 30);
    await load.stop();
    await before.stop();
    const restore = this.#backUp();
    const size = statSync(this.#path('data')).size;
    if (Math.random() < 0.5) truncateSync(this.#path('data'), randomInt(1, size));
    else overwrite(this.#path('data'), randomInt(0, size / pageBytes) * pageBytes, pageBytes);
    const damaged = await this.#serve('data').catch((error: Error) => error);
    const untyped: string[] = [];
    if (!(damaged instanceof Error)) await damaged.stop('SIGKILL');
    else if (!refusalOfDamage.test(damaged.message)) untyped.push(`at the start, ${damaged.message.slice(0, 300)}`);
    restore();
    const round = await this.#judge('data', load, await this.#serve('data'));
    return { ...round, untyped: [...round.untyped, ...untyped] };
  }

  /** What can still be read is answered, everything else refused; the gateway goes on with the backup when it is started again. */
  async #damagedWhileRunning(): Promise<Round> {
    const gateway = await this.#serve('data');
    const load = startLoad(gateway);
    await load.until(({ acknowledged }) => acknowledged >= 30);
    await load.stop();
    this.#forgetCache();
    const restore = this.#backUp();
    const from = randomInt(0, 2) * pageBytes;
    overwrite(this.#path('data'), from, statSync(this.#path('data')).size - from);
    const during = startLoad(gateway);
    await refusals(during);
    await during.stop();
    await gateway.stop('SIGKILL');
    restore();
    const round = await this.#judge('data', load, await this.#serve('data'));
    const { refused, untyped } = during;
    return { ...round, refused: round.refused + refused, untyped: [...round.untyped, ...untyped] };
  }

  async #judge(place: Place, load: WriteLoad, gateway: RunningGateway): Promise<Round> {
    const stuck = await stuckPart(gateway, team);
    const { code } = await gateway.stop();
    if (code !== 0) stuck.push(`ended with ${code}`);
    const store = await openStore(`sqlite:${this.#path(place)}`, { mayBeBlank: false });
    try {
      return { ...(await load.findings(store, await keyringIn(this.#commandLine.directory))), stuck };
    } finally {
      await store.close();
    }
  }

  #serve(place: Place): Promise<RunningGateway> {
    return this.#commandLine.serve(env(place), [injectedFaults]);
  }

  #path(place: Place): string {
    return join(this.#commandLine.directory, place, 'secrets.db');
  }

  /** A write of another process: the gateway has to read every page again, and all of them are in the database file. */
  #forgetCache(): void {
    const other = new DatabaseSync(this.#path('data'));
    const version = Number(other.prepare('PRAGMA user_version').get()?.user_version);
    other.exec(`PRAGMA user_version = ${version}; PRAGMA wal_checkpoint(TRUNCATE)`);
    other.close();
  }

  /** @returns what puts the backup back */
  #backUp(): () => void {
    const path = this.#path('data');
    const copied = ['', '-wal'].filter((ending) => existsSync(path + ending));
    for (const ending of copied) copyFileSync(path + ending, `${path}${ending}.backup`);
    return () => {
      for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
      for (const ending of copied) copyFileSync(`${path}${ending}.backup`, path + ending);
    };
  }
}

function env(place: Place): Record<string, string> {
  return { DATABASE_URL: `sqlite:${place}/secrets.db`, RATE_LIMIT: 'off', LOG_LEVEL: 'error' };
}

function startLoad(gateway: RunningGateway, isKilled = false): WriteLoad {
  const runs = clientsOf([gateway]).map(({ run }) => run);
  const load = new WriteLoad({ runs, team, mayBeCutOff: () => isKilled });
  load.start();
  return load;
}

/** Ten more writes were refused, or a few seconds are over: not every fault meets a write at once. */
async function refusals(load: WriteLoad): Promise<void> {
  const last = load.refused + 10;
  await Promise.race([load.until(({ refused }) => refused >= last), setTimeout(5000)]);
}

function overwrite(path: string, from: number, length: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(length, 0x5a), 0, length, from);
  closeSync(file);
}
