import type { DatabaseSync } from 'node:sqlite';
import type { ChainWatch, ChainWatcher } from '../audit.ts';

const lookEveryMs = 1000;

/** A command of an operator, such as a purge, may write to the file beside the gateway. SQLite counts what others commit. */
export function watchFile(database: DatabaseSync, watcher: ChainWatcher): ChainWatch {
  const statement = database.prepare('PRAGMA data_version');
  const version = () => statement.get()?.data_version;
  let known = version();
  const timer = setInterval(() => {
    if (!database.isOpen) return;
    const current = version();
    if (current === known) return;
    known = current;
    watcher.onUnknown();
  }, lookEveryMs).unref();
  return {
    async close() {
      clearInterval(timer);
    },
  };
}
