import { setImmediate } from 'node:timers/promises';

/** Entities to write out in one turn of the event loop. */
const itemsInTurn = 20;

/**
 * The JSON of a response. A list at its root, which `_entities` alone has, is written out piece by piece where it is long:
 * it may come to tens of megabytes, and others are answered in between.
 */
export function stringify(response: { readonly data?: unknown }): string | Promise<string> {
  const isLong = (value: unknown) => Array.isArray(value) && value.length > itemsInTurn;
  return Object.values(Object(response.data)).some(isLong) ? stringifyInTurns(response) : JSON.stringify(response);
}

async function stringifyInTurns({ data, ...rest }: { readonly data?: unknown }): Promise<string> {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(Object(data))) {
    const json = Array.isArray(value) ? await stringifyList(value) : JSON.stringify(value);
    fields.push(`${JSON.stringify(name)}:${json}`);
  }
  const head = JSON.stringify(rest).slice(1, -1);
  return `{${head}${head && ','}"data":{${fields.join(',')}}}`;
}

async function stringifyList(items: readonly unknown[]): Promise<string> {
  const pieces: string[] = [];
  for (let at = 0; at < items.length; at += itemsInTurn) {
    pieces.push(JSON.stringify(items.slice(at, at + itemsInTurn)).slice(1, -1));
    await setImmediate();
  }
  return `[${pieces.join(',')}]`;
}
