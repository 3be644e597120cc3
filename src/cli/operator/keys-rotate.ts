import type { Config } from '../../config.ts';
import { addPendingKey, rotateKeyring } from '../../keyring/change.ts';

export interface RotateOptions {
  readonly pending?: boolean;
  readonly mac?: boolean;
}

/** Makes another key of a use active, or adds one that becomes active later. */
export async function rotate({ keyringFile }: Config, { pending, mac }: RotateOptions): Promise<void> {
  const use = mac ? 'mac' : 'wrap';
  if (pending) {
    const { keys } = (await addPendingKey(keyringFile, use))[use];
    const added = [...keys.values()].find(({ state }) => state === 'pending');
    process.stdout.write(
      `${added?.kid} is pending: it ${mac ? 'verifies, and makes no MAC' : 'opens, and does not seal'} yet.\n` +
        `Copy the file to every gateway, wait until all have it, then run: secrets-gateway keys rotate${mac ? ' --mac' : ''}\n`,
    );
    return;
  }
  const { active } = (await rotateKeyring(keyringFile, use))[use];
  process.stdout.write(
    mac
      ? `${active.kid} is active. The key before it verifies from now on.\nBack ${keyringFile} up.\n`
      : `${active.kid} is active. The key before it decrypts from now on.\n` +
          `Back ${keyringFile} up, then put the envelopes under the new key: secrets-gateway keys rewrap\n`,
  );
}
