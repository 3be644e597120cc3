import { ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';

// Loaded before a gateway in its own process: it is killed when it begins to answer a mutation, which is durable by then.

for (const method of ['write', 'end'] as const) {
  const original = ServerResponse.prototype[method] as (...args: unknown[]) => unknown;
  Object.defineProperty(ServerResponse.prototype, method, {
    value(this: ServerResponse, ...args: unknown[]) {
      if (isMainThread && String(args[0]).includes('"createSecret"')) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, args);
    },
  });
}
