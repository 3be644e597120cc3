import type { Config } from '../../config.ts';
import { removeSealingKey, retireUnusedKey } from '../../keyring/retire.ts';
import { withStore } from '../../store/open-store.ts';

/** Takes a key out of use, once nothing in the store needs it. */
export async function retire({ keyringFile, databaseUrl }: Config, kid: string): Promise<void> {
  if (await removeSealingKey(keyringFile, kid)) {
    process.stdout.write(`${kid} is removed. What clients sealed to it is refused from now on.\n`);
    return;
  }
  await withStore(databaseUrl, async (store) => {
    if (await store.isEmpty()) {
      process.stderr.write(
        'This store has never held a secret. Is DATABASE_URL set as it is for the gateways? Ctrl-C stops.\n',
      );
    }
    await retireUnusedKey(store, keyringFile, kid, (milliseconds) => {
      const seconds = Math.ceil(milliseconds / 1000);
      process.stderr.write(`Looks again in ${seconds} s, when every gateway follows the file…\n`);
    });
  });
  process.stdout.write(`${kid} is retired. It stays in ${keyringFile}, and is not used.\n`);
}
