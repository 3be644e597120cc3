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
  const token = await load.tokenOf(work.subject(0));
  const { query, operationName } = work;
  // Each write has its own number.
  const variables = JSON.stringify(work.variables(0)).replaceAll('#', () => String(Math.floor(Math.random() * 10)));
  const response = await fetch(`http://127.0.0.1:${contender.port}/graphql`, {
    method: 'POST',
    body: JSON.stringify({ operationName, query, variables: JSON.parse(variables) }),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
  const text = await response.text();
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown[] };
  if (work.refused) {
    if (data != null || !errors?.length) throw new Error(`${contender.name} did not refuse ${work.name}: ${text}`);
    return '';
  }
  if (data == null || errors) throw new Error(`${contender.name} failed ${work.name}: ${text}`);
  return work.differs ? shapeOf(data) : JSON.stringify(data);
}

/** The data with each value replaced by its type. */
function shapeOf(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => (Object(value) === value ? value : typeof value));
}
