/** All bytes of a stream. */
export async function bufferOf(stream: AsyncIterable<Buffer | Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
