import { parseArgs } from 'node:util';
import type { Config } from '../../config.ts';
import { addPendingKey, rotateKeyring } from '../../keyring/change.ts';

/** Makes another key active, or adds one that becomes active later. */
export async function rotate(args: string[], { keyringFile }: Config): Promise<void> {
  const { values } = parseArgs({ args, options: { pending: { type: 'boolean', default: false } } });
  if (values.pending) {
    const { keys } = await addPendingKey(keyringFile);
    const pending = [...keys.values()].find(({ state }) => state === 'pending');
    process.stdout.write(
      `${pending?.kid} is pending: it opens, and does not seal yet.\n` +
        'Copy the file to every gateway, wait until all have it, then run: secrets-gateway keys rotate\n',
    );
    return;
  }
  const { active } = await rotateKeyring(keyringFile);
  process.stdout.write(
    `${active.kid} is active. The key before it decrypts from now on.\n` +
      `Back ${keyringFile} up, then put the envelopes under the new key: secrets-gateway keys rewrap\n`,
  );
}
