import { dirname, resolve } from 'node:path';
import { ConfigurationError } from '../errors.ts';
import { repeatedMember } from '../runtime/repeated-member.ts';
import { readSettingFile } from '../runtime/setting-file.ts';
import { didYouMean, nearestWords } from '../runtime/spelling.ts';
import type { IssuerSettings, KeyLocation } from './issuer-settings.ts';
import { type IssuerEntry, issuersSchema, membersAt } from './issuers-schema.ts';
import { pointerTo } from './json-pointer.ts';

const variable = 'ISSUERS_FILE';
/** More mistakes than this are told when these are fixed. */
const maxTold = 5;

/**
 * Reads the issuers whose tokens are accepted.
 * @throws ConfigurationError that names the file, and for each mistake its place, the rule and the fix
 */
export async function readIssuersFile(path: string): Promise<IssuerSettings[]> {
  const text = await readSettingFile({ variable, path, access: 'public', maxBytes: 1024 * 1024 });
  const { success, data, error } = issuersSchema.safeParse(parse(text, path));
  if (success) return data.issuers.map((entry, index) => settingsOf(entry, index, path));
  const mistakes = error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return `${pointerTo(issue.path) || 'The file'} ${issue.message}`;
    return issue.keys.map((name) => unknownMember(issue.path, name));
  });
  throw new ConfigurationError(`${variable} ${path}: ${mistakes.slice(0, maxTold).join(' ')}`);
}

function unknownMember(path: readonly PropertyKey[], name: string): string {
  const members = membersAt(path);
  const meant = didYouMean(nearestWords(name, members));
  return `${placeOf(path, name)} is not known.${meant || ` There are: ${members.join(', ')}.`}`;
}

function placeOf(path: readonly PropertyKey[], name: string): string {
  // Whatever is no name may be what belongs into another place.
  return /^[\w.-]{1,40}$/.test(name) ? pointerTo([...path, name]) : `${pointerTo(path)}: a member`;
}

function parse(text: string, path: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  const file = parseJson(json, path);
  const repeated = repeatedMember(json);
  if (repeated === null) return file;
  const place = placeOf(repeated.slice(0, -1), String(repeated.at(-1)));
  throw new ConfigurationError(`${variable} ${path}: ${place} is there twice. Leave one of them.`);
}

function parseJson(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    // The rest of the message quotes the file.
    const [, line] = /\(line (\d+) column \d+\)/.exec(String(error)) ?? [];
    const where = line === undefined ? '' : ` Look at line ${line}.`;
    throw new ConfigurationError(`${variable} ${path}: it is not JSON.${where} Put {"issuers":[…]} there.`);
  }
}

function settingsOf(entry: IssuerEntry, index: number, path: string): IssuerSettings {
  const { issuer, audience, audienceClaim, algorithms, allowHttp } = entry;
  const { subject, subjectPrefix, scopes, scopePrefix, scopeMap, teams, teamPrefix, roleMap, grants } = entry;
  return {
    issuer,
    audience,
    audienceClaim,
    algorithms,
    allowHttp,
    jwks: keyLocation(entry, index, path),
    claims: {
      subject,
      subjectPrefix,
      scopes,
      scopePrefix,
      scopeMap: new Map(Object.entries(scopeMap)),
      teams,
      teamPrefix,
      roleMap: new Map(Object.entries(roleMap)),
      grants,
    },
  };
}

function keyLocation({ jwksUrl, jwksFile }: IssuerEntry, index: number, path: string): KeyLocation {
  if (jwksUrl !== undefined) return { url: jwksUrl };
  if (jwksFile === undefined) return null;
  const variable = `ISSUERS_FILE ${path}: ${pointerTo(['issuers', index, 'jwksFile'])}`;
  return { file: resolve(dirname(path), jwksFile), variable };
}
