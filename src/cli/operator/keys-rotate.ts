import type { Config } from '../../config.ts';
import type { Key, Keyring } from '../../crypto/keyring.ts';
import { addPendingKey, type RotatedUse, rotateKeyring } from '../../keyring/change.ts';

export interface RotateOptions {
  readonly pending?: boolean;
  readonly mac?: boolean;
  readonly equality?: boolean;
  readonly sealing?: boolean;
}

interface Words {
  readonly option: string;
  readonly pending: string;
  readonly active: string;
  readonly next: (keyringFile: string) => string;
}

const words: Readonly<Record<RotatedUse, Words>> = {
  wrap: {
    option: '',
    pending: 'is pending: it opens, and does not seal yet.',
    active: 'is active. The key before it decrypts from now on.',
    next: (file) => `Back up ${file}, then put the envelopes under the new key: secrets-gateway keys rewrap`,
  },
  mac: {
    option: ' --mac',
    pending: 'is pending: it verifies, and makes no MAC yet.',
    active: 'is active. The key before it verifies from now on.',
    next: (file) => `Back up ${file}.`,
  },
  equality: {
    option: ' --equality',
    pending: 'is pending: equal values and calls are found with it, and no digest is made under it yet.',
    active: 'is active. The key before it still finds what was made under it.',
    next: (file) => `Back up ${file}, then compute the digests under the new key: secrets-gateway keys recompute`,
  },
  seal: {
    option: ' --sealing',
    pending: 'are pending: they open, and are not published yet.',
    active: 'are active. The keys before them open for another 20 minutes.',
    next: (file) => `Back up ${file}.`,
  },
};

/** Makes another key of a use active, or adds one that becomes active later. */
export async function rotate(
  { keyringFile }: Config,
  { pending, mac, equality, sealing }: RotateOptions,
): Promise<void> {
  const use = mac ? 'mac' : equality ? 'equality' : sealing ? 'seal' : 'wrap';
  const { option, ...tell } = words[use];
  const kids = (ring: Keyring, state: Key['state']) =>
    [...ring.all.values()].filter((key) => key.use === use && key.state === state).map(({ kid }) => kid);
  if (pending) {
    const added = kids(await addPendingKey(keyringFile, use), 'pending').join(' and ');
    process.stdout.write(
      `${added} ${tell.pending}\n` +
        `Copy the file to every gateway, wait until all have it, then run: secrets-gateway keys rotate${option}\n`,
    );
    return;
  }
  const active = kids(await rotateKeyring(keyringFile, use), 'active').join(' and ');
  process.stdout.write(`${active} ${tell.active}\n${tell.next(keyringFile)}\n`);
}
