import { Option } from 'commander';
import type { SettingName } from '../../config.ts';
import type { Command, CommandGroup } from '../command.ts';
import type { ExportOptions } from './audit-export.ts';
import type { VerifyOptions } from './audit-verify.ts';
import { withConfig } from './with-config.ts';

const settings: readonly SettingName[] = ['KEYRING_FILE', 'DATABASE_URL', 'DATABASE_URL_FILE'];

const ofOneOwner = [
  new Option('--team <T>', 'of this team alone'),
  new Option('--connector <C>', 'of this connector of the team alone'),
  new Option('--user <U>', 'of this user alone').conflicts(['team', 'connector']),
];

const verify: Command<VerifyOptions> = {
  summary: 'check the audit events of all owners, or of one',
  details:
    'Every event is checked from the first one on: that it was made by a gateway, and that it follows the one before it. The first broken link of each owner is named, and the exit code is 1. An end that was cut off shows only against heads that are known from elsewhere: name the log of the gateways with --heads.',
  options: [
    ...ofOneOwner,
    new Option('--heads <LOGFILE>', 'also check the heads in this log of gateways (the lines "audit heads")'),
  ],
  settings,
  run: (options) => withConfig(async (config) => (await import('./audit-verify.ts')).verify(config, options)),
};

const exportEvents: Command<ExportOptions> = {
  summary: 'print the audit events of all owners, or of one, as JSON lines',
  details:
    'They are checked on the way, as audit verify does it, and all of them are printed. With a broken link the exit code is 1.',
  options: [
    ...ofOneOwner,
    new Option('-o, --output <FILE>', 'to this file, with mode 0600, in place of standard output'),
  ],
  settings,
  run: (options) => withConfig(async (config) => (await import('./audit-export.ts')).exportEvents(config, options)),
};

export const audit: CommandGroup = {
  summary: 'check and export what was done',
  details:
    'Each change, delivery and use is an event in the chain of its owner. Gateways can keep running. More in docs/audit.md.',
  settings,
  commands: { verify, export: exportEvents },
};
