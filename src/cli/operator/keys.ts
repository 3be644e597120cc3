import { Argument, Option } from 'commander';
import type { SettingName } from '../../config.ts';
import type { Command, CommandGroup } from '../command.ts';
import type { RotateOptions } from './keys-rotate.ts';
import { withConfig } from './with-config.ts';

const ofKeyring: readonly SettingName[] = ['KEYRING_FILE'];
const ofBoth: readonly SettingName[] = ['KEYRING_FILE', 'DATABASE_URL', 'DATABASE_URL_FILE'];

const list: Command = {
  summary: 'print the keys, their uses and states, and what in the store needs each',
  settings: ofBoth,
  run: () => withConfig(async (config) => (await import('./keys-list.ts')).list(config)),
};

const rotate: Command<RotateOptions> = {
  summary: 'make a new wrap key active, or the pending one if there is one',
  details:
    'The key before it only decrypts from then on; a MAC key only verifies, a key for equality only finds, and a sealing key opens for another 20 minutes.',
  options: [
    new Option('--mac', 'the same for the MAC key'),
    new Option('--equality', 'the same for the key for equality').conflicts('mac'),
    new Option('--sealing', 'the same for the sealing keys, one of each curve').conflicts(['mac', 'equality']),
    new Option('--pending', 'add a pending key, which makes nothing yet: for gateways that have copies of the file'),
  ],
  settings: ofKeyring,
  run: (options) => withConfig(async (config) => (await import('./keys-rotate.ts')).rotate(config, options)),
};

const rewrap: Command = {
  summary: 'put all envelopes under the active wrap key',
  details: 'It may be interrupted, and run again at any time.',
  settings: ofBoth,
  run: () => withConfig(async (config) => (await import('./keys-rewrap.ts')).rewrap(config)),
};

const recompute: Command = {
  summary: 'compute the digests of all values under the active key for equality',
  details:
    'Each value is opened once. Run it after keys rotate --equality, and once after an update from a release without digests. It may be interrupted, and run again at any time.',
  settings: ofBoth,
  run: () => withConfig(async (config) => (await import('./keys-recompute.ts')).recompute(config)),
};

const retire: Command = {
  summary: 'take a key out of use, once nothing in the store needs it',
  details: 'A sealing key is removed at once: what clients sealed to it is refused from then on.',
  arguments: [new Argument('<KID>', 'the key; keys list shows them')],
  settings: ofBoth,
  run: (_, kid) => withConfig(async (config) => (await import('./keys-retire.ts')).retire(config, kid)),
};

export const keys: CommandGroup = {
  summary: 'list, rotate, rewrap, recompute and retire the keys of the keyring',
  details: `Gateways can keep running: they follow the file within 2 seconds.

Wrap keys seal values. MAC keys mark secrets, audit events and cursors, so that changes by others are found. A wrap key is pending, then active (exactly one: it seals), then decrypting (it opens), and at last retired; a MAC key is verifying instead of decrypting. To change wrap keys: rotate, rewrap, retire.

A key for equality makes the digests by which equal values of one owner are found, and finds equal calls. It is pending, active, previous (it finds), and at last retired. To change it: rotate --equality, recompute, and after a day retire.

Clients seal values to the sealing keys, one of each curve. A sealing key is pending (it opens, and is not published), active (it is published), then decrypting for 20 minutes. After that it opens nothing, and the next command that changes the file removes it.`,
  settings: ofBoth,
  commands: { list, rotate, rewrap, recompute, retire },
};
