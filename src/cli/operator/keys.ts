import { readConfig } from '../../config.ts';
import { DomainError } from '../../errors.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { UsageError } from '../usage-error.ts';
import { list } from './keys-list.ts';
import { retire } from './keys-retire.ts';
import { rewrap } from './keys-rewrap.ts';
import { rotate } from './keys-rotate.ts';

const help = `Usage: secrets-gateway keys COMMAND

Manages the keys of the keyring (KEYRING_FILE) that seal the values in the store (DATABASE_URL). Gateways may run meanwhile:
they follow the file within 2 seconds.

  list               prints the keys, their states, and how many envelopes are under each
  rotate             makes a new key active, or the pending key if there is one; the key before it only decrypts then
  rotate --pending   adds a pending key, which opens but does not seal yet: for gateways that have copies of the file
  rewrap             puts all envelopes under the active key; may be interrupted and run again at any time
  retire KID         takes a key out of use, once no envelope is under it

A key is pending, then active (exactly one key: it seals), then decrypting (it opens), and at last retired.
To change keys: rotate, rewrap, retire.
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
