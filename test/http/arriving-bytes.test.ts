import { describe, expect, it } from 'vitest';
import { RequestSlots, type Slot } from '../../src/http/request-slots.ts';

const overloaded = expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' });

/** A body that holds as many bytes as the test says, and then arrives. */
function receive(slots: RequestSlots, slot: Slot) {
  const { promise, resolve } = Promise.withResolvers<string>();
  slots.receive(slot, { stop: ({ code }) => resolve(code) });
  return {
    ended: promise,
    hold: (bytes: number) => slots.tell(slot, bytes),
    arrive() {
      slots.arrived(slot);
      resolve('arrived');
    },
  };
}

describe('the memory of bodies that are arriving', () => {
  it('is shared: when it is used up, the one that has been arriving for longest makes room', async () => {
    const slots = new RequestSlots(10, 100);
    const [first, second, third] = [
      receive(slots, slots.take()),
      receive(slots, slots.take()),
      receive(slots, slots.take()),
    ];
    first.hold(10);
    second.hold(40);
    third.hold(50);
    expect(slots.arrivingBytes).toBe(100);
    second.hold(41);
    expect(await first.ended).toBe('SERVICE_UNAVAILABLE');
    expect([slots.arrivingBytes, slots.taken]).toEqual([91, 2]);
    third.hold(60);
    expect(await second.ended).toBe('SERVICE_UNAVAILABLE');
    expect([slots.arrivingBytes, slots.taken]).toEqual([60, 1]);
    third.arrive();
    expect(await third.ended).toBe('arrived');
    expect(slots.arrivingBytes).toBe(0);
  });

  it('never counts what a body that was refused tells afterwards', async () => {
    const slots = new RequestSlots(10, 100);
    const [first, second] = [receive(slots, slots.take()), receive(slots, slots.take())];
    first.hold(60);
    second.hold(60);
    first.hold(90);
    expect(await first.ended).toBe('SERVICE_UNAVAILABLE');
    expect(slots.arrivingBytes).toBe(60);
  });

  it('is freed also by a request that is being worked for, which keeps its slot', async () => {
    const slots = new RequestSlots(1, 100);
    const slot = slots.take();
    const body = receive(slots, slot);
    slot.isWorking = true;
    body.hold(101);
    expect(await body.ended).toBe('SERVICE_UNAVAILABLE');
    expect([slots.arrivingBytes, slots.taken]).toEqual([0, 1]);
    expect(() => slots.take()).toThrow(overloaded);
  });
});

it('a slot is not taken from a request that is being worked for, though its body is still arriving', () => {
  const slots = new RequestSlots(2);
  const [working, idle] = [slots.take(), slots.take()];
  working.isWorking = true;
  receive(slots, working);
  receive(slots, idle);
  slots.take();
  expect(() => slots.take()).toThrow(overloaded);
});
