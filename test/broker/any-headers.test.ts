import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as sent from '../support/brokered-headers.ts';

describe('for any headers', () => {
  it('the upstream gets the value in one header, of the others what may pass, and nothing of the gateway', () => {
    let accepted = 0;
    const destinations = fc.constantFrom(...Object.values(sent.destinations));
    fc.assert(
      fc.property(sent.anyHeaders, destinations, (raw, destination) => {
        const out = sent.forwarded(raw, '/v1/use/sec_012345678/v1/x', destination);
        if (!out) return;
        accepted += 1;
        expect(sent.faultOf(raw, out.headers, destination, out.credentialHeader)).toBeUndefined();
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(2000);
  });

  it('control: what should not be there is seen', () => {
    const { authorization } = sent.destinations;
    const raw = ['Proxy-Authorization', `Bearer ${sent.key}`, 'X-Note', 'x'];
    const good = ['X-Note', 'x', 'Accept-Encoding', 'identity', 'Authorization', `Bearer ${sent.value}`];
    expect(sent.faultOf(raw, good, authorization, '')).toBeUndefined();
    const told = [sent.key, sent.otherKey, sent.placeholder].flatMap(sent.hiddenForms);
    const wrong = [
      ['authorization', 'y', ...good],
      ['X_Forwarded_For', 'y', ...good],
      ['X-Note', 'x', ...good],
      ['X-Note', `Bearer ${sent.value}`, ...good],
      ...told.map((text) => ['X-Note', text, ...good]),
      good.slice(2),
      good.slice(0, 4),
    ];
    for (const out of wrong) expect(sent.faultOf(raw, out, authorization, ''), JSON.stringify(out)).toBeDefined();
  });
});
