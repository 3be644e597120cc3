import { ConfigurationError } from '../errors.ts';
import { pointerTo } from './json-pointer.ts';
import { repeatedMember } from './repeated-member.ts';
import { didYouMean, nearestWords } from './spelling.ts';

/** The file that a setting names. */
export interface JsonSetting {
  readonly variable: string;
  readonly path: string;
}

/** What is wrong at a place in the file, as zod tells it. */
export interface Mistake {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  /** Goes on after the place. */
  readonly message: string;
  /** Members that are not known. */
  readonly keys?: readonly string[];
}

/** More mistakes than this are told when these are fixed. */
const maxTold = 5;

/** @throws ConfigurationError that names the file, and for each mistake its place, the rule and the fix */
export function refuseMistakes(
  { variable, path }: JsonSetting,
  mistakes: readonly Mistake[],
  membersAt: (path: readonly PropertyKey[]) => readonly string[],
): never {
  const told = mistakes.flatMap((mistake) => {
    if (mistake.code !== 'unrecognized_keys') return `${pointerTo(mistake.path) || 'The file'} ${mistake.message}`;
    return (mistake.keys ?? []).map((name) => unknownMember(mistake.path, name, membersAt(mistake.path)));
  });
  throw new ConfigurationError(`${variable} ${path}: ${told.slice(0, maxTold).join(' ')}`);
}

function unknownMember(path: readonly PropertyKey[], name: string, members: readonly string[]): string {
  const meant = didYouMean(nearestWords(name, members));
  return `${placeOf(path, name)} is not known.${meant || ` There are: ${members.join(', ')}.`}`;
}

function placeOf(path: readonly PropertyKey[], name: string): string {
  // Whatever is no name may be what belongs into another place.
  return /^[\w.-]{1,40}$/.test(name) ? pointerTo([...path, name]) : `${pointerTo(path)}: a member`;
}

/**
 * The content of a file in which no object has a member twice.
 * @param setting with an example of what the file holds
 * @throws ConfigurationError
 */
export function parseJsonSetting(text: string, setting: JsonSetting & { readonly example: string }): unknown {
  const json = text.replace(/^\uFEFF/, '');
  const file = parseJson(json, setting);
  const repeated = repeatedMember(json);
  if (repeated === null) return file;
  const place = placeOf(repeated.slice(0, -1), String(repeated.at(-1)));
  throw new ConfigurationError(`${setting.variable} ${setting.path}: ${place} is there twice. Leave one of them.`);
}

function parseJson(json: string, { variable, path, example }: JsonSetting & { readonly example: string }): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    // The rest of the message quotes the file.
    const [, line] = /\(line (\d+) column \d+\)/.exec(String(error)) ?? [];
    const where = line === undefined ? '' : ` Look at line ${line}.`;
    throw new ConfigurationError(`${variable} ${path}: it is not JSON.${where} Put ${example} there.`);
  }
}
