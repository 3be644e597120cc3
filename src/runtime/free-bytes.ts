/** Smaller ones are not worth it. */
const leastBytes = 16 * 1024;

/** Whether to free it is worth anything: most pieces are small. */
export function isWorthFreeing({ length }: Buffer): boolean {
  return length >= leastBytes;
}

/**
 * Frees the memory of a buffer now. V8 collects it once 64 MB of such memory wait, which is more than a stream may take.
 * For what has been written, and only where nobody else has the buffer. One that shares its memory with others is left alone.
 */
export function freeBytes({ buffer, byteOffset, length }: Buffer): void {
  if (length < leastBytes || byteOffset !== 0 || buffer.byteLength !== length || !(buffer instanceof ArrayBuffer))
    return;
  buffer.transfer(0);
}
