import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '../..');

/** The files that take 20 seconds or more. One of them that came last would run alone. */
const longest = [
  'test/faults/keys-rewrap.test.ts',
  'test/faults/mongodb-members.test.ts',
  // These wait for most of their time: beside them others have the cores.
  'test/faults/attacks/slow-clients.test.ts',
  'test/e2e/documents-run.test.ts',
  'test/cli/transcripts.test.ts',
  'test/faults/attacks/clients-that-do-not-read.test.ts',
  'test/cli/keys.test.ts',
  'test/e2e/package.test.ts',
  'test/ops/graphiql.test.ts',
  'test/e2e/leak.test.ts',
  'test/e2e/histories.test.ts',
  'test/e2e/api-key-verdicts.test.ts',
  'test/faults/bodies.test.ts',
  'test/store/mongodb-store.test.ts',
  'test/http/drain.test.ts',
  'test/performance/allocations.test.ts',
  'test/faults/live-changes.test.ts',
  'test/faults/mongodb-refusals.test.ts',
  'test/store/mongodb-start.test.ts',
  'test/faults/attacks/large-answers.test.ts',
  'test/cli/purge.test.ts',
  'test/e2e/bad-requests.test.ts',
  'test/http/rate-limit.test.ts',
  'test/e2e/write-only.test.ts',
  'test/faults/sqlite-kills.test.ts',
  'test/e2e/broker-requests.test.ts',
  'test/faults/sigterm.test.ts',
  'test/faults/api-key-replicas.test.ts',
  'test/ops/readyz.test.ts',
  'test/store/mongodb-faults.test.ts',
  'test/identity/token-memory.test.ts',
  'test/faults/attacks/large-batches.test.ts',
  'test/examples.test.ts',
].map((path) => join(root, path));

/** The longest files first, then the largest. Without this order the size decides, which says little of the time. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const missing = longest.find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`${missing} is not there. Correct test/support/longest-first.ts.`);
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.indexOf(moduleId);
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
