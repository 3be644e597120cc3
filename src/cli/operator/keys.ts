import { readConfig } from '../../config.ts';
import { DomainError } from '../../errors.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { UsageError } from '../usage-error.ts';
import { list } from './keys-list.ts';
import { retire } from './keys-retire.ts';
import { rewrap } from './keys-rewrap.ts';
import { rotate } from './keys-rotate.ts';

const help = `Usage: secrets-gateway keys COMMAND

Manages the keys of the keyring (KEYRING_FILE) of the gateways on a store (DATABASE_URL). Gateways may run meanwhile: they
follow the file within 2 seconds.

  list               prints the keys, their uses and states, and what in the store needs each
  rotate             makes a new wrap key active, or the pending one if there is one; the key before it only decrypts then
  rotate --mac       the same for the MAC key; the key before it only verifies then
  … --pending        adds a pending key, which does not make anything yet: for gateways that have copies of the file
  rewrap             puts all envelopes under the active wrap key; may be interrupted and run again at any time
  retire KID         takes a key out of use, once nothing in the store needs it

Wrap keys seal values. MAC keys mark secrets, audit events and cursors, so that changes by others are found. A wrap key is
pending, then active (exactly one: it seals), then decrypting (it opens), and at last retired; a MAC key is verifying
instead of decrypting. To change wrap keys: rotate, rewrap, retire.
`;

const commands = { list, rotate, rewrap, retire };

export const keys = { help, run };

/** Runs one of the commands for the keyring. */
async function run([command, ...args]: string[]): Promise<void> {
  if (!isCommand(command)) throw new UsageError('keys needs one of: list, rotate, rewrap, retire KID.');
  try {
    const config = readConfig();
    if (config.production) keepDebuggerClosed();
    await commands[command](args, config);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    process.stderr.write(`The store does not answer (${error.code}). Nothing is lost: run this again once it does.\n`);
    process.exitCode = 1;
  }
}

function isCommand(text: string | undefined): text is keyof typeof commands {
  return text !== undefined && Object.hasOwn(commands, text);
}
