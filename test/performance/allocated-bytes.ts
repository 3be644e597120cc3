import { getHeapStatistics } from 'node:v8';

// Loaded before a gateway in a process of its own: tells on request how many bytes it has allocated so far.

process.on('message', () => {
  const { total_allocated_bytes } = getHeapStatistics() as ReturnType<typeof getHeapStatistics> & {
    total_allocated_bytes: number;
  };
  process.send?.(total_allocated_bytes);
});
process.channel?.unref();
