import { Session } from 'node:inspector/promises';
import type { Profile } from '../profile.ts';

// Loaded before each contender, the gateway too: reports what the process has used, and profiles it on request.

export type Question = 'usage' | 'profile' | 'profiled';

export interface Usage {
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
}

let session: Session | undefined;

async function answer(question: Question): Promise<Usage | Profile | null> {
  if (question === 'usage') {
    const { user, system } = process.cpuUsage();
    return { cpuMicroseconds: user + system, residentBytes: process.memoryUsage.rss() };
  }
  if (question === 'profile') {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 250 });
    await session.post('Profiler.start');
    return null;
  }
  const { profile } = (await session?.post('Profiler.stop')) ?? {};
  session?.disconnect();
  return (profile as Profile | undefined) ?? null;
}

process.on('message', async (question: Question) => {
  process.send?.({ answer: await answer(question) });
});
// The parent process has ended.
process.on('disconnect', () => process.exit(0));
