import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

// Loaded before a gateway in its own process: reports on request how many bytes the process has allocated so far,
// or how many are in the old generation.

process.on('message', (question) => {
  if (question === 'old') {
    process.send?.(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size);
    return;
  }
  const { total_allocated_bytes } = getHeapStatistics() as ReturnType<typeof getHeapStatistics> & {
    total_allocated_bytes: number;
  };
  process.send?.(total_allocated_bytes);
});
process.channel?.unref();
