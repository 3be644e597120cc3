import { didYouMean, nearestNames } from '../../runtime/spelling.ts';
import { CommandFailure } from '../failure.ts';

/** The settings of the commands that talk to a gateway. Those of the gateway itself are in src/config.ts. */
export const peopleSettingNames = [
  'SECRETS_GATEWAY_URL',
  'SECRETS_GATEWAY_BROKER_URL',
  'SECRETS_GATEWAY_TOKEN',
  'SECRETS_GATEWAY_API_KEY',
  'SECRETS_GATEWAY_TOKEN_SOURCE',
  'SECRETS_GATEWAY_TOKEN_AUDIENCE',
] as const;

export type PeopleSettingName = (typeof peopleSettingNames)[number];
export type Environment = Readonly<Record<string, string | undefined>>;

/** The whole environment: a program that `exec` starts gets it, too. */
export function environment(): Environment {
  return process.env;
}

/** @throws CommandFailure for a variable that was meant to be a setting: without this, nobody would notice that it has no effect */
export function refuseMisspeltSettings(env: Environment): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('SECRETS_GATEWAY_') || peopleSettingNames.some((known) => known === name)) continue;
    const meant = nearestNames(name, peopleSettingNames);
    if (meant.length > 0 && env[name]?.trim())
      throw new CommandFailure(`${name} is not a setting.${didYouMean(meant)}`, 'usage');
  }
}
