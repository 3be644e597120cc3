import { createHmac } from 'node:crypto';

/** What `knownPiece` takes on the reference machine. The bounds of tests were set there. */
export const knownPieceMs = 2;
const records = Array.from({ length: 100 }, (_, index) => ({ id: `${index}`, text: 'é'.repeat(50), tags: ['a', 'b'] }));
const page = Buffer.alloc(64 * 1024);

/** Work of the kinds that a gateway does. */
export function knownPiece(): void {
  for (let round = 0; round < 10; round += 1) {
    for (let mac = 0; mac < 5; mac += 1) createHmac('sha256', page.subarray(0, 32)).update(page.subarray(mac)).digest();
    JSON.parse(JSON.stringify(records));
    Buffer.from(page.toString('base64url'), 'base64url');
  }
}
