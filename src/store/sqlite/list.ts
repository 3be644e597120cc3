import { ownerKey } from '../../model/owner.ts';
import type { SecretFilter } from '../../model/secret.ts';
import { nameConditions } from '../filter.ts';
import type { ListQuery } from '../store.ts';
import { limitClause, listedColumnsOf } from './rows.ts';

/** A statement and the values of its parameters. Queries of one shape have the same text, so that it is prepared once. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

const listedColumns = listedColumnsOf('secrets');

/** Reads one secret beyond the limit, which tells whether there is more. */
export function pageStatement(query: ListQuery): Statement {
  const { table, index, where, values } = matching(query, nameConditions(query.filter, query.after, query.before));
  const direction = query.from === 'end' ? 'DESC' : 'ASC';
  return {
    sql: `SELECT ${listedColumns} FROM ${table} WHERE ${where} ORDER BY ${index}.name ${direction} ${limitClause}`,
    values: [...values, query.limit + 1],
  };
}

/** @param range of names; everything that matches without it */
export function countStatement(
  query: ListQuery,
  { after, before }: Pick<ListQuery, 'after' | 'before'> = {},
): Statement {
  const { table, where, values } = matching(query, nameConditions(query.filter, after, before));
  return { sql: `SELECT count(*) AS count FROM ${table} WHERE ${where}`, values };
}

/**
 * Where a slice of the index that the filter leads to ends, from the end of the range that the query names: nothing where no
 * more than a slice is left. It ends with the row that is read; from the end, before it.
 */
export function boundaryStatement(query: ListQuery, size: number): Statement {
  const { table, conditions, values } = entriesOf(query.filter);
  for (const [operator, name] of nameConditions(query.filter, query.after, query.before)) {
    conditions.push(`name ${operator} ?`);
    values.push(name);
  }
  return {
    sql: `SELECT name FROM ${table} WHERE ${['owner = ?', ...conditions].join(' AND ')}
      ORDER BY name ${query.from === 'end' ? 'DESC' : 'ASC'} LIMIT 1 OFFSET ? + 0`,
    values: [ownerKey(query.owner), ...values, query.from === 'end' ? size : size - 1],
  };
}

/** Whether an index leads to what matches and to nothing else, so that a page looks at no other rows. */
export function isIndexed({ nameStartsWith: _, ...filter }: SecretFilter): boolean {
  const { provider, health, hasValue, tags } = filter;
  const isLed = provider !== undefined || health !== undefined || hasValue === false || tags?.length === 1;
  const conditions = Object.keys(filter).length;
  return conditions === 0 || (conditions === 1 && isLed);
}

/** The entries of the index that the statements of a filter go through, which may be more than those that match. */
function entriesOf(filter: SecretFilter): { table: string; conditions: string[]; values: (string | number)[] } {
  const [tag] = filter.tags ?? [];
  if (tag !== undefined) return { table: 'secret_tags', conditions: ['tag = ?'], values: [tag] };
  const table = secretsBy(filter);
  const { expiresBefore, health, hasValue, provider } = filter;
  if (health !== undefined) return { table, conditions: ['health_status = ?'], values: [health] };
  if (provider !== undefined) return { table, conditions: ['provider = ?'], values: [provider] };
  if (expiresBefore !== undefined) return { table, conditions: ['expires_at IS NOT NULL'], values: [] };
  return { table, conditions: hasValue === false ? ['sealed_version IS NULL'] : [], values: [] };
}

/** The one place that says what each field of a filter asks of a row. */
function matching({ owner, filter }: ListQuery, names: ReturnType<typeof nameConditions>) {
  const key = ownerKey(owner);
  const [firstTag, ...otherTags] = filter.tags ?? [];
  const index = firstTag === undefined ? 'secrets' : 'secret_tags';
  const conditions = [`${index}.owner = ?`];
  const values: (string | number)[] = [key];
  const add = (condition: string, ...added: (string | number)[]) => {
    conditions.push(condition);
    values.push(...added);
  };
  if (firstTag !== undefined) add('tag = ?', firstTag);
  if (filter.provider !== undefined) add('provider = ?', filter.provider);
  if (filter.placeholder !== undefined) add('placeholder = ?', filter.placeholder);
  if (filter.expiresBefore !== undefined) add('expires_at < ?', filter.expiresBefore.getTime());
  if (filter.notUpdatedSince !== undefined) add('updated_at < ?', filter.notUpdatedSince.getTime());
  if (filter.hasValue !== undefined) add(`sealed_version IS ${filter.hasValue ? 'NOT NULL' : 'NULL'}`);
  if (filter.health !== undefined) add('health_status = ?', filter.health);
  if (filter.notUsedSince !== undefined) {
    add('(last_used_at < ? OR last_used_at IS NULL)', filter.notUsedSince.getTime());
  }
  for (const [operator, name] of names) add(`${index}.name ${operator} ?`, name);
  // Not EXISTS, which SQLite makes a join of: with 50 tags it takes ten times as long to plan and to run.
  for (const tag of otherTags) {
    add(
      '(SELECT 1 FROM secret_tags o WHERE o.owner = ? AND o.tag = ? AND o.name = secret_tags.name) NOT NULL',
      key,
      tag,
    );
  }
  const table = firstTag === undefined ? secretsBy(filter) : taggedSecrets;
  return { table, index, where: conditions.join(' AND '), values };
}

/**
 * CROSS JOIN keeps the tags outside: their primary key (owner, tag, name) then gives both the matches and their order. The plus
 * keeps a range of names on the tags. Without it SQLite reads the whole range in `secrets` again for each tag.
 */
const taggedSecrets =
  'secret_tags CROSS JOIN secrets ON secrets.owner = secret_tags.owner AND secrets.name = +secret_tags.name';

/**
 * Without statistics the planner does not see which index a filter by time or by value needs. It finds those by itself that
 * begin with what a filter names.
 */
function secretsBy(filter: SecretFilter): string {
  const { name, placeholder, provider } = filter;
  if (name !== undefined || placeholder !== undefined || provider !== undefined) return 'secrets';
  return `secrets INDEXED BY ${indexFor(filter)}`;
}

function indexFor({ expiresBefore, health, hasValue, notUsedSince, notUpdatedSince }: SecretFilter): string {
  if (health !== undefined) return 'secrets_owner_health_name';
  if (expiresBefore !== undefined) return 'secrets_owner_name_expires_at';
  if (hasValue === false) return 'secrets_owner_name_without_value';
  if (notUsedSince !== undefined) return 'secrets_owner_name_last_used_at';
  return notUpdatedSince === undefined ? 'secrets_owner_name' : 'secrets_owner_name_updated_at';
}
