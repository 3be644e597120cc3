import { describe, expect, it, vi } from 'vitest';
import { OpenUses } from '../../src/broker/open-uses.ts';
import type { Owner } from '../../src/model/owner.ts';

const ada: Owner = { type: 'user', userId: 'ada' };
const red: Owner = { type: 'team', teamId: 'red' };
const noRoom = expect.objectContaining({
  code: 'SERVICE_UNAVAILABLE',
  details: expect.objectContaining({ retryAfterSeconds: 1 }),
});
const begin = (uses: OpenUses, owner: Owner, onCutOff = () => {}) => {
  const use = uses.begin(onCutOff);
  use.admit(owner);
  return use;
};

describe('uses that are open', () => {
  it('are at most so many in all, and one that ends makes room for the next', () => {
    const uses = new OpenUses({ all: 2, perOwner: 9 });
    const first = begin(uses, ada);
    begin(uses, red);
    expect(() => uses.begin(() => {})).toThrow(noRoom);
    first.end();
    first.end();
    expect(uses.count).toBe(1);
    begin(uses, ada);
    expect(() => uses.begin(() => {})).toThrow(noRoom);
  });

  it('are at most so many of one owner, and those of others go on', () => {
    const uses = new OpenUses({ all: 9, perOwner: 1 });
    const first = begin(uses, ada);
    const refused = uses.begin(() => {});
    expect(() => refused.admit(ada)).toThrow(noRoom);
    refused.end();
    begin(uses, red);
    // One that was refused is not counted as one of its owner when it ends.
    expect(() => begin(uses, ada)).toThrow(noRoom);
    first.end();
    begin(uses, ada);
  });
});

describe('one that has ended before its owner is known', () => {
  it('is refused, and takes none of the owner’s for ever', () => {
    const uses = new OpenUses({ all: 9, perOwner: 1 });
    const gone = uses.begin(() => {});
    gone.end();
    expect(() => gone.admit(ada)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    begin(uses, ada);
  });
});

describe('the connectors of a team', () => {
  it('have as many together as one owner', () => {
    const uses = new OpenUses({ all: 9, perOwner: 2 });
    const connector = (connectorId: string): Owner => ({ type: 'connector', teamId: 'red', connectorId });
    begin(uses, connector('a'));
    begin(uses, red);
    expect(() => begin(uses, connector('b'))).toThrow(noRoom);
    begin(uses, { type: 'connector', teamId: 'blue', connectorId: 'a' });
  });
});

describe('the end of all', () => {
  it('comes at once where none is open', async () => {
    vi.useFakeTimers();
    await new OpenUses().close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('waits for those that end in time, and cuts off the others', async () => {
    const uses = new OpenUses({ all: 9, perOwner: 9 }, 20);
    const inTime = begin(uses, ada);
    const cutOff = vi.fn(() => late.end());
    const late = begin(uses, red, cutOff);
    const closed = uses.close();
    inTime.end();
    expect(cutOff).not.toHaveBeenCalled();
    await closed;
    expect(cutOff).toHaveBeenCalledTimes(1);
    expect(uses.count).toBe(0);
  });
});
