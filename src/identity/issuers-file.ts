import { dirname, resolve } from 'node:path';
import { pointerTo } from '../runtime/json-pointer.ts';
import { parseJsonSetting, refuseMistakes } from '../runtime/json-setting.ts';
import { readSettingFile } from '../runtime/setting-file.ts';
import type { IssuerSettings, KeyLocation } from './issuer-settings.ts';
import { type IssuerEntry, issuersSchema, membersAt } from './issuers-schema.ts';

const variable = 'ISSUERS_FILE';

/**
 * Reads the issuers whose tokens are accepted.
 * @throws ConfigurationError that names the file, and for each mistake its place, the rule and the fix
 */
export async function readIssuersFile(path: string): Promise<IssuerSettings[]> {
  const text = await readSettingFile({ variable, path, access: 'public', maxBytes: 1024 * 1024 });
  const parsed = issuersSchema.safeParse(parseJsonSetting(text, { variable, path, example: '{"issuers":[…]}' }));
  if (!parsed.success) refuseMistakes({ variable, path }, parsed.error.issues, membersAt);
  return parsed.data.issuers.map((entry, index) => settingsOf(entry, index, path));
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
