export interface Answer {
  readonly status: number;
  readonly hasErrors: boolean;
  /** A list without secrets, or a delivery of nothing: the benchmark never requests one. */
  readonly isEmpty: boolean;
}

const endOfHead = Buffer.from('\r\n\r\n');
const endOfChunks = Buffer.from('\r\n0\r\n\r\n');
const errors = Buffer.from('"errors":');
const empty = [Buffer.from('"nodes":[]'), Buffer.from('"deliveries":[]')];

/** Parses an HTTP/1.1 answer; undefined while it is not complete. There is one request at a time on a connection. */
export function answerIn(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf(endOfHead);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const bodyAt = headEnd + endOfHead.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const isWhole =
    length === undefined
      ? bytes.subarray(-endOfChunks.length).equals(endOfChunks)
      : bytes.length >= bodyAt + Number(length);
  if (!isWhole) return undefined;
  return {
    status: Number(head.slice(9, 12)),
    hasErrors: bytes.includes(errors, bodyAt),
    isEmpty: empty.some((part) => bytes.includes(part, bodyAt)),
  };
}
