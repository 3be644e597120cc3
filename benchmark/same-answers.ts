import type { Contender } from './contender.ts';
import type { LoadProcess } from './load-process.ts';
import type { Cell } from './measure.ts';
import type { Work } from './work.ts';

/**
 * Sends every contender the same requests, before anything is measured.
 * @throws Error when one of them answers with other bytes of data
 */
export async function checkAnswers(
  cells: readonly Cell[],
  contenders: readonly Contender[],
  load: LoadProcess,
): Promise<number> {
  let bytes = 0;
  for (const work of new Set(cells.map((cell) => cell.work))) {
    const takingPart = contenders.filter(({ name }) =>
      cells.some((cell) => cell.work === work && cell.contenders.includes(name)),
    );
    let expected: string | undefined;
    for (const contender of takingPart) {
      const data = await dataOf(contender, work, load);
      expected ??= data;
      if (data !== expected)
        throw new Error(`${contender.name} answers ${work.name} with\n${data}\ninstead of\n${expected}`);
    }
    bytes += Buffer.byteLength(expected ?? '');
  }
  return bytes;
}

async function dataOf(contender: Contender, work: Work, load: LoadProcess): Promise<string> {
  const send = async () => (await post(contender, work, await load.tokenOf(work.subject(0)), 0)).text();
  let text = await send();
  // A rate limit lets the first request through.
  if (work.refused && !text.includes('"errors"')) text = await send();
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown[] };
  if (work.refused) {
    if (data != null || !errors?.length) throw new Error(`${contender.name} did not refuse ${work.name}: ${text}`);
    return '';
  }
  if (data == null || errors) throw new Error(`${contender.name} failed ${work.name}: ${text}`);
  return work.differs ? shapeOf(data) : JSON.stringify(data);
}

function post(
  contender: Contender,
  { query, operationName, variables }: Pick<Work, 'query' | 'operationName' | 'variables'>,
  token: string | null,
  connection: number,
): Promise<Response> {
  // Each write has its own number.
  const numbered = JSON.stringify(variables(connection)).replaceAll('#', () => String(Math.floor(Math.random() * 10)));
  return fetch(`http://127.0.0.1:${contender.port}/graphql`, {
    method: 'POST',
    body: JSON.stringify({ operationName, query, variables: JSON.parse(numbered) }),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
}

/**
 * Does what comes before the work, for each connection. Where another contender did it on the same database it is refused.
 * @throws Error when it fails otherwise
 */
export async function prepare(cells: readonly Cell[], contenders: readonly Contender[], load: LoadProcess) {
  for (const { work, connections, contenders: names } of cells) {
    const { before } = work;
    if (!before) continue;
    for (const contender of contenders.filter(({ name }) => names.includes(name))) {
      for (let connection = 0; connection < connections; connection += 1) {
        const token = await load.tokenOf(work.subject(connection));
        const text = await (await post(contender, before, token, connection)).text();
        const isThere = !text.includes('"errors"') || /conflict|duplicate key/i.test(text);
        if (!isThere) throw new Error(`${contender.name} failed what comes before ${work.name}: ${text}`);
      }
    }
  }
}

/** The data with each value replaced by its type. */
function shapeOf(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => (Object(value) === value ? value : typeof value));
}
