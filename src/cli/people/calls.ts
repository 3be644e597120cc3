import type { OwnerInput } from '../../client/documents.ts';
import type { DotenvEntry } from './dotenv-scan.ts';
import type { Secret } from './gateway.ts';

/** A line of the file, and the secret that has its name; null where there is none. */
export interface Line {
  readonly entry: DotenvEntry;
  readonly secret: Secret | null;
}

/** As many as one call takes. */
const maxLines = 500;
/** Of the 1 MiB that a body may have, without the document and what is not of one line. */
const maxBytes = 1024 * 1024 - 16 * 1024;
/** What a sealed value has around its subject, owner, name and value, at most: in its header, and in its other parts. */
const headerBytes = 400;
const otherBytes = 200;

/** Lines in the order of the file, divided into as few calls as the limits of a gateway allow. */
export function callsOf<T extends Line>(
  lines: readonly T[],
  {
    owner,
    subject,
    provider = '',
  }: { readonly owner: OwnerInput; readonly subject: string; readonly provider?: string | undefined },
): T[][] {
  const calls: T[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const { name, value } = line.entry;
    const [sealedFor, named] = [jsonBytes([subject, owner, name]), jsonBytes([name, line.secret?.provider, provider])];
    const lineBytes = inBase64(headerBytes + sealedFor) + inBase64(Buffer.byteLength(value)) + otherBytes + named;
    const call = calls.at(-1);
    if (call && call.length < maxLines && bytes + lineBytes <= maxBytes) {
      call.push(line);
      bytes += lineBytes;
    } else {
      calls.push([line]);
      bytes = lineBytes;
    }
  }
  return calls;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function inBase64(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
