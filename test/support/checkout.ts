import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** Not copied: a fresh clone does not have them, or they are linked. */
const left = new Set(['node_modules', '.git', '.data', '.cache', 'dist', 'bundle', 'coverage']);

/** A copy of the project in its own directory, for commands that would write into the project. */
export class Checkout {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** @param use `run` leaves out the tests, and has the bundle that `npm ci` makes: from its sources everything runs more slowly */
  static async open(use: 'build' | 'run' = 'build'): Promise<Checkout> {
    const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-checkout-'));
    const isKept = (path: string) => !left.has(basename(path)) && (use === 'build' || path !== join(root, 'test'));
    await cp(root, directory, { recursive: true, filter: isKept });
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    const bundle = join(root, 'bundle');
    if (use === 'run' && existsSync(bundle)) await cp(bundle, join(directory, 'bundle'), { recursive: true });
    return new Checkout(directory);
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * The environment of a user's shell: without what npm and vitest add to it, the Node in node_modules among it, and
 * without a setting of the gateway.
 */
export function shellEnvironment(): Record<string, string> {
  const added =
    /^(npm_(config_local_prefix|config_global_prefix|config_prefix|lifecycle|package|execpath|node)|NODE|VITEST|INIT_CWD|PORT$|HOST$)/;
  const settings =
    /^(DATABASE_URL|KEYRING_FILE|JWT_|RATE_LIMIT|BATCHING|INTROSPECTION|SECURITY_|CORS_|PERSISTED_|TRUST_|REQUIRE_|LOG_LEVEL|SECRETS_)/;
  const kept = Object.entries(process.env).filter(([name]) => !added.test(name) && !settings.test(name));
  const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => !directory.includes('node_modules'));
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: path.join(delimiter) };
}
