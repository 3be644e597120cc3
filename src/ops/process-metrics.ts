import { collectDefaultMetrics, Registry } from 'prom-client';

let ofProcess: Registry | undefined;

/** Figures of the process, its event loop and its memory: one set, however many gateways run in the process. */
export function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
    // They have a series for each type of resource, which come and go. Their totals stay.
    for (const name of ['nodejs_active_resources', 'nodejs_active_handles', 'nodejs_active_requests']) {
      ofProcess.removeSingleMetric(name);
    }
  }
  return ofProcess;
}
