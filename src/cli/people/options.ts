import { Option } from 'commander';
import { peopleSettingNames } from './environment.ts';

/** Whose secrets, and with which credential. */
export interface GatewayOptions {
  readonly team?: string;
  readonly connector?: string;
  readonly tokenFile?: string;
}

/** New ones for each command: commander keeps what it knows of them. */
export function gatewayOptions(): Option[] {
  return [
    new Option('--team <ID>', 'the secrets of a team (default: your own, or those of the API key)'),
    new Option('--connector <ID>', 'the secrets of a connector of that team'),
    new Option('--token-file <FILE>', 'a file with a token or an API key, mode 0600, instead of the settings'),
  ];
}

export const gatewaySettings = peopleSettingNames.filter((name) => name !== 'SECRETS_GATEWAY_BROKER_URL');

/** Of the commands that send requests to the broker, too. */
export const brokerSettings = [...peopleSettingNames];

/** An option that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((one: string, before: readonly string[]) => [...before, one])
    .default([], 'none');
}
