import { type FaultReason, IssuerFault } from './issuer-fault.ts';

/** The same for a file as for an answer of the issuer. */
export const maxJsonBytes = 256 * 1024;

/**
 * Fetches JSON of an issuer within a size.
 * @param signal ends it
 * @throws IssuerFault
 */
export async function fetchJson(url: string, accept: string, signal: AbortSignal): Promise<unknown> {
  const fault = (reason: FaultReason, known: { status?: number; code?: string } = {}) =>
    new IssuerFault(reason, { source: url, ...known });
  try {
    const response = await fetch(url, { headers: { accept }, redirect: 'manual', signal });
    const { status, body } = response;
    if (status !== 200 || !body) {
      await body?.cancel();
      throw fault(status >= 300 && status < 400 ? 'redirect' : 'status', { status });
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxJsonBytes) throw fault('too-large', { status });
      chunks.push(chunk);
    }
    return parseJson(Buffer.concat(chunks).toString('utf8'), (reason) => fault(reason, { status }));
  } catch (error) {
    if (error instanceof IssuerFault) throw error;
    if (error instanceof DOMException && error.name === 'TimeoutError') throw fault('timeout');
    throw fault('unreachable', codeOf(error));
  }
}

/** @throws what `fault` makes of the reason */
export function parseJson(text: string, fault: (reason: FaultReason) => IssuerFault): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw fault(/^\s*</.test(text) ? 'page' : 'not-json');
  }
}

/** The system's or the TLS library's code for a failed connection, which fetch hides in the cause. */
function codeOf(error: unknown): { code?: string } {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? { code: cause.code } : {};
}
