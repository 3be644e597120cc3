import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { Owner } from '../../src/model/owner.ts';
import { GroupCommit, StaleUses } from '../../src/store/group-commit.ts';
import { StoreConflict, type Write } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, update, useAt } from '../contract/fixtures.ts';

type Commit = readonly Write[];
const forever = Number.POSITIVE_INFINITY;

const commitOf = (...owners: Owner[]): Commit => owners.map((owner) => insert(newRecord(owner)));

/** A queue whose groups finish when the test says so. */
function heldQueue() {
  const groups: { commits: readonly Commit[]; finish: () => void; fail: (error: unknown) => void }[] = [];
  const queue = new GroupCommit((commits) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    groups.push({ commits, finish: resolve, fail: reject });
    return promise;
  });
  return { queue, groups };
}

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

describe('the queue of commits', () => {
  it('puts the commits of one tick into groups of at most 64', async () => {
    const { queue, groups } = heldQueue();
    const commits = Array.from({ length: 70 }, () => commitOf(newOwner()));
    const all = Promise.all(commits.map((commit) => queue.add(commit, forever)));
    await nextTick();
    expect(groups.map((group) => group.commits)).toEqual([commits.slice(0, 64), commits.slice(64)]);
    for (const group of groups) group.finish();
    await all;
  });

  it('counts the writes of each, so that a large commit has a group of its own', async () => {
    const { queue, groups } = heldQueue();
    const large = commitOf(...Array.from({ length: 1000 }, newOwner));
    const commits = [commitOf(newOwner()), large, ...Array.from({ length: 63 }, () => commitOf(newOwner()))];
    const all = Promise.all(commits.map((commit) => queue.add(commit, forever)));
    await nextTick();
    expect(groups.map((group) => group.commits)).toEqual([[commits[0], ...commits.slice(2)], [large]]);
    for (const group of groups) group.finish();
    await all;
  });

  it('has at most one batch in flight, so that small commits have a slot, and each batch has its turn', async () => {
    const { queue, groups } = heldQueue();
    const batches = Array.from({ length: 3 }, () => commitOf(...Array.from({ length: 65 }, newOwner)));
    const small = Array.from({ length: 2 }, () => commitOf(newOwner()));
    const begun = () => groups.map(({ commits }) => commits[0]);
    const all = batches.map((commit) => queue.add(commit, forever));
    await nextTick();
    expect(begun()).toEqual([batches[0]]);
    all.push(...small.map((commit) => queue.add(commit, forever)));
    await nextTick();
    expect(begun()).toEqual([batches[0], small[0]]);
    expect(groups[1]?.commits).toEqual(small);
    groups[0]?.finish();
    await all[0];
    await nextTick();
    expect(begun()).toEqual([batches[0], small[0], batches[1]]);
    groups[1]?.finish();
    groups[2]?.finish();
    await all[1];
    await nextTick();
    expect(begun().at(-1)).toBe(batches[2]);
    groups[3]?.finish();
    await Promise.all(all);
  });

  it('has at most two groups in flight, and starts the next when one ends', async () => {
    const { queue, groups } = heldQueue();
    const all = Promise.all(Array.from({ length: 192 }, () => queue.add(commitOf(newOwner()), forever)));
    await nextTick();
    expect(groups).toHaveLength(2);
    groups[0]?.finish();
    await nextTick();
    expect(groups).toHaveLength(3);
    for (const group of groups) group.finish();
    await all;
  });

  it('never has one owner in two groups in flight, and keeps the order of the commits of each owner', async () => {
    const { queue, groups } = heldQueue();
    const [a, b, c] = [newOwner(), newOwner(), newOwner()];
    const first = commitOf(a);
    const both = commitOf(a, b);
    const behind = commitOf(b);
    const free = commitOf(c);
    const firstDone = queue.add(first, forever);
    await nextTick();
    const others = [both, behind, free].map((commit) => queue.add(commit, forever));
    await nextTick();
    expect(groups.map((group) => group.commits)).toEqual([[first], [free]]);
    groups[0]?.finish();
    await firstDone;
    await nextTick();
    expect(groups[2]?.commits).toEqual([both, behind]);
    for (const group of groups) group.finish();
    await Promise.all(others);
  });

  it('fails only the commits that conflict, each with its own conflict', async () => {
    const commits = Array.from({ length: 64 }, () => commitOf(newOwner()));
    const bad = new Map([3, 4, 63].map((index) => [commits[index], new StoreConflict(index, 'name')]));
    let groups = 0;
    const queue = new GroupCommit(async (group) => {
      groups += 1;
      for (const commit of group) if (bad.has(commit)) throw bad.get(commit);
    });
    const outcomes = await Promise.allSettled(commits.map((commit) => queue.add(commit, forever)));
    for (const [index, outcome] of outcomes.entries()) {
      const conflict = bad.get(commits[index]);
      expect(outcome).toEqual(
        conflict ? { status: 'rejected', reason: conflict } : { status: 'fulfilled', value: undefined },
      );
    }
    expect(groups).toBeLessThan(64);
  });

  describe('with uses of what has changed', () => {
    /** Refuses uses of these commits as MongoDB's does, and notes the groups. */
    function queueOf(isStale: (commit: Commit, group: readonly Commit[]) => boolean) {
      const groups: (readonly Commit[])[] = [];
      const queue = new GroupCommit(async (group) => {
        groups.push(group);
        const stale = group.filter((commit) => isStale(commit, group));
        if (stale.length === 0) return;
        if (group.length === 1) throw conflict;
        throw new StaleUses(new Map(stale.map((commit) => [commit, conflict])));
      });
      return { queue, groups };
    }
    const conflict = new StoreConflict(0, 'version');
    const record = newRecord(newOwner());
    const uses = Array.from({ length: 40 }, (): Commit => [useAt(record, new Date(1000))]);
    const rejected = { status: 'rejected', reason: conflict };
    const made = { status: 'fulfilled', value: undefined };

    it('fails them together, and makes the others in one more group', async () => {
      const old = new Set(uses.slice(0, 30));
      const { queue, groups } = queueOf((commit) => old.has(commit));
      const outcomes = await Promise.allSettled(uses.map((commit) => queue.add(commit, forever)));
      expect(outcomes).toEqual(uses.map((commit) => (old.has(commit) ? rejected : made)));
      expect(groups).toEqual([uses, uses.slice(30)]);
    });

    it('makes uses before the change that waits with them', async () => {
      const change: Commit = [update(record)];
      const { queue, groups } = queueOf((commit, group) => commit !== change && group.includes(change));
      const outcomes = await Promise.allSettled([...uses, change].map((commit) => queue.add(commit, forever)));
      expect(outcomes).toEqual([...uses, change].map(() => made));
      expect(groups.slice(1)).toEqual([uses, [change]]);
    });
  });

  it.each(['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'] as const)(
    'fails every commit of a group with %s, and does not retry',
    async (code) => {
      let groups = 0;
      const queue = new GroupCommit(async () => {
        groups += 1;
        throw new DomainError(code);
      });
      const commits = Array.from({ length: 8 }, () => commitOf(newOwner()));
      const outcomes = await Promise.allSettled(commits.map((commit) => queue.add(commit, forever)));
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code } });
      expect(groups).toBe(1);
    },
  );

  it('does not begin a commit that has waited past its deadline', async () => {
    const { queue, groups } = heldQueue();
    const late = queue.add(commitOf(newOwner()), performance.now() - 1);
    await expect(late).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
    expect(groups).toEqual([]);
    await queue.idle();
  });

  describe('with a group that never ends', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
    afterEach(() => void vi.useRealTimers());

    it('gives its slot to others a little after its deadline, and tells its callers of a time-out', async () => {
      const { queue, groups } = heldQueue();
      const [a, b, c] = [newOwner(), newOwner(), newOwner()];
      const stuck = [a, b].map((owner) => queue.add(commitOf(owner), performance.now() + 1000));
      const outcomes = Promise.allSettled(stuck);
      await nextTick();
      const other = queue.add(commitOf(c), performance.now() + 60_000);
      await nextTick();
      const third = queue.add(commitOf(a), performance.now() + 60_000);
      await nextTick();
      expect(groups).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(3000);
      for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'GATEWAY_TIMEOUT' } });
      expect(groups).toHaveLength(3);
      for (const group of groups.slice(1)) group.finish();
      await Promise.all([other, third]);
      await queue.idle();
    });

    it('never runs a part of it again, however late it fails', async () => {
      const { queue, groups } = heldQueue();
      const commits = [newOwner(), newOwner()].map((owner) => queue.add(commitOf(owner), performance.now() + 1000));
      const outcomes = Promise.allSettled(commits);
      await nextTick();
      await vi.advanceTimersByTimeAsync(3000);
      await outcomes;
      groups[0]?.fail(new StoreConflict(0, 'name'));
      await nextTick();
      expect(groups).toHaveLength(1);
    });

    it('tells of it until it ends, and for a minute at most', async () => {
      const { queue, groups } = heldQueue();
      const commits = [newOwner(), newOwner()].map((owner) => queue.add(commitOf(owner), performance.now() + 1000));
      const outcomes = Promise.allSettled(commits);
      expect(queue.backlog).toEqual({ commits: 2, oldestMs: 0 });
      await nextTick();
      await vi.advanceTimersByTimeAsync(10_000);
      await outcomes;
      expect(queue.backlog).toEqual({ commits: 2, oldestMs: 10_000 });
      const last = queue.add(commitOf(newOwner()), performance.now() + 1000);
      await nextTick();
      groups[1]?.finish();
      await last;
      groups[0]?.finish();
      await nextTick();
      expect(queue.backlog).toEqual({ commits: 0, oldestMs: 0 });
      const never = Promise.allSettled([queue.add(commitOf(newOwner()), performance.now() + 1000)]);
      await nextTick();
      await vi.advanceTimersByTimeAsync(70_000);
      await never;
      expect(queue.backlog).toEqual({ commits: 0, oldestMs: 0 });
    });
  });

  it('is idle only when every commit in it has ended', async () => {
    const ended: string[] = [];
    const queue = new GroupCommit(async () => {
      await nextTick();
    });
    const owner = newOwner();
    for (const name of ['first', 'second']) void queue.add(commitOf(owner), forever).then(() => ended.push(name));
    await nextTick();
    void queue.add(commitOf(owner), forever).then(() => ended.push('third'));
    await queue.idle();
    expect(ended).toEqual(['first', 'second', 'third']);
  });
});
