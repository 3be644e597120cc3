import { getHeapStatistics } from 'node:v8';

// Loaded before a gateway in its own process: reports on request how many bytes the process has allocated so far.

process.on('message', () => {
  const { total_allocated_bytes } = getHeapStatistics() as ReturnType<typeof getHeapStatistics> & {
    total_allocated_bytes: number;
  };
  process.send?.(total_allocated_bytes);
});
process.channel?.unref();
