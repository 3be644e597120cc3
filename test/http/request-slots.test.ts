import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { RequestSlots, type Slot } from '../../src/http/request-slots.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const overloaded = expect.objectContaining({
  code: 'SERVICE_UNAVAILABLE',
  details: expect.objectContaining({ retryAfterSeconds: 1 }),
});

/** A body that arrives when the test says so, and the outcome of its reading: 'arrived', or the code of the error. */
class Body {
  readonly ended: Promise<string>;
  readonly #end: (outcome: string) => void;
  readonly #onEnd: () => void;

  constructor(slots: RequestSlots, slot: Slot) {
    const { promise, resolve } = Promise.withResolvers<string>();
    [this.ended, this.#end] = [promise, resolve];
    this.#onEnd = () => slots.arrived(slot);
    slots.receive(slot, { stop: ({ code }) => resolve(code) });
  }

  arrive(): void {
    this.#onEnd();
    this.#end('arrived');
  }

  breakOff(): void {
    this.#onEnd();
    this.#end('BAD_REQUEST');
  }
}

describe('slots', () => {
  it('are taken up to the maximum, and one more request is refused', () => {
    const slots = new RequestSlots(2);
    slots.take();
    const second = slots.take();
    expect(() => slots.take()).toThrow(overloaded);
    expect(slots.taken).toBe(2);
    slots.release(second);
    slots.take();
    expect(() => slots.take()).toThrow(overloaded);
  });

  it('are free again once they are released, and a second release has no effect', () => {
    const slots = new RequestSlots(3);
    const [first] = [slots.take(), slots.take()];
    slots.release(first);
    slots.release(first);
    expect(slots.taken).toBe(1);
  });

  it('are taken from the request whose body has been arriving for longest, which is refused with Retry-After', async () => {
    const slots = new RequestSlots(2);
    const older = new Body(slots, slots.take());
    const newer = new Body(slots, slots.take());
    slots.take();
    expect(await older.ended).toBe('SERVICE_UNAVAILABLE');
    slots.take();
    expect(await newer.ended).toBe('SERVICE_UNAVAILABLE');
    expect(() => slots.take()).toThrow(overloaded);
    expect(slots.taken).toBe(2);
  });

  it('are taken from two requests by two that come in the same tick', async () => {
    const slots = new RequestSlots(2);
    const bodies = [new Body(slots, slots.take()), new Body(slots, slots.take())];
    slots.take();
    slots.take();
    expect(slots.taken).toBe(2);
    expect(() => slots.take()).toThrow(overloaded);
    expect(await Promise.all(bodies.map(({ ended }) => ended))).toEqual(Array(2).fill('SERVICE_UNAVAILABLE'));
  });

  it('are not taken from a request whose body has arrived, and whose answer is being made', async () => {
    const slots = new RequestSlots(1);
    const body = new Body(slots, slots.take());
    body.arrive();
    expect(await body.ended).toBe('arrived');
    expect(() => slots.take()).toThrow(overloaded);
  });

  it('that were taken away are not released again by the request that had them', async () => {
    const slots = new RequestSlots(1);
    const slot = slots.take();
    const body = new Body(slots, slot);
    slots.take();
    await body.ended;
    slots.release(slot);
    expect(slots.taken).toBe(1);
  });
});

it('a reading that must stop is told why', async () => {
  const slots = new RequestSlots(1);
  const reason = new DomainError('SERVICE_UNAVAILABLE', { description: 'shutting down' });
  const stop = vi.fn();
  slots.receive(slots.take(), { stop });
  slots.evictReceiving(reason);
  expect(stop).toHaveBeenCalledExactlyOnceWith(reason);
});

it('evictReceiving refuses every request whose body is still arriving, and no other', async () => {
  const slots = new RequestSlots(4);
  const arriving = [new Body(slots, slots.take()), new Body(slots, slots.take())];
  const arrived = new Body(slots, slots.take());
  arrived.arrive();
  await arrived.ended;
  slots.take();
  slots.evictReceiving(new DomainError('SERVICE_UNAVAILABLE'));
  expect(await Promise.all(arriving.map(({ ended }) => ended))).toEqual(Array(2).fill('SERVICE_UNAVAILABLE'));
  expect(await arrived.ended).toBe('arrived');
  expect(slots.taken).toBe(2);
});

describe('whenEmpty', () => {
  it('resolves at once when no slot is taken', async () => {
    await new RequestSlots(1).whenEmpty();
  });

  it('resolves when the last slot is released, and not before', async () => {
    const slots = new RequestSlots(2);
    const [first, second] = [slots.take(), slots.take()];
    const empty = vi.fn();
    const watched = slots.whenEmpty().then(empty);
    slots.release(first);
    await settled();
    expect(empty).not.toHaveBeenCalled();
    slots.release(second);
    await watched;
    expect(empty).toHaveBeenCalled();
  });

  it('resolves when the last bodies that are still arriving are refused', async () => {
    const slots = new RequestSlots(1);
    new Body(slots, slots.take());
    const empty = slots.whenEmpty();
    slots.evictReceiving(new DomainError('SERVICE_UNAVAILABLE'));
    await empty;
  });
});

describe('any sequence of requests', () => {
  const steps = ['take', 'receive', 'arrive', 'breakOff', 'release', 'evictReceiving'] as const;
  type Request = { slot: Slot; state: 'held' | 'receiving' | 'arrived' | 'ended'; body?: Body; expected?: string };

  /** The expected state, kept beside the real slots. */
  class Model {
    readonly slots: RequestSlots;
    readonly max: number;
    readonly requests: Request[] = [];
    /** The oldest first. */
    receiving: Request[] = [];

    constructor(max: number) {
      this.max = max;
      this.slots = new RequestSlots(max);
    }

    get taken(): number {
      return this.requests.filter(({ state }) => state !== 'ended').length;
    }

    in(...states: Request['state'][]): Request[] {
      return this.requests.filter(({ state }) => states.includes(state));
    }

    end(request: Request, state: 'arrived' | 'ended', expected: string): void {
      this.receiving = this.receiving.filter((other) => other !== request);
      Object.assign(request, { state, expected });
    }

    take(): void {
      const [oldest] = this.receiving;
      if (this.taken === this.max && !oldest) {
        expect(() => this.slots.take()).toThrow(overloaded);
        return;
      }
      if (this.taken === this.max && oldest) this.end(oldest, 'ended', 'SERVICE_UNAVAILABLE');
      this.requests.push({ slot: this.slots.take(), state: 'held' });
    }

    apply(step: (typeof steps)[number], pick: <T>(from: T[]) => T | undefined): void {
      if (step === 'take') this.take();
      if (step === 'receive') {
        const request = pick(this.in('held'));
        if (!request) return;
        Object.assign(request, { state: 'receiving', body: new Body(this.slots, request.slot) });
        this.receiving.push(request);
      }
      if (step === 'release') {
        const request = pick(this.in('held', 'arrived', 'ended'));
        if (request) request.state = 'ended';
        if (request) this.slots.release(request.slot);
      }
      if (step === 'arrive' || step === 'breakOff') {
        const request = pick(this.receiving);
        if (!request) return;
        request.body?.[step]();
        if (step === 'breakOff') this.slots.release(request.slot);
        if (step === 'arrive') this.end(request, 'arrived', 'arrived');
        else this.end(request, 'ended', 'BAD_REQUEST');
      }
      if (step === 'evictReceiving') {
        for (const request of this.receiving) this.end(request, 'ended', 'SERVICE_UNAVAILABLE');
        this.slots.evictReceiving(new DomainError('SERVICE_UNAVAILABLE'));
      }
    }
  }

  it('takes as many slots as the model, never more than the maximum, and ends each reading as the model does', async () => {
    const sequence = fc.array(fc.tuple(fc.constantFrom(...steps, 'take', 'receive'), fc.nat()), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), sequence, async (max, chosen) => {
        const model = new Model(max);
        for (const [step, which] of chosen) {
          model.apply(step, (from) => from[which % from.length]);
          // A body's end reaches the slots in a microtask; requests may also come in one tick.
          if (step === 'arrive' || step === 'breakOff') await settled();
          expect(model.slots.taken).toBe(model.taken);
          expect(model.slots.taken).toBeLessThanOrEqual(max);
        }
        const ended = model.requests.filter(({ expected }) => expected !== undefined);
        expect(await Promise.all(ended.map(({ body }) => body?.ended))).toEqual(ended.map(({ expected }) => expected));
      }),
    );
  });
});
