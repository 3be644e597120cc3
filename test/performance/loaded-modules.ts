import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

// Imported into a gateway first: appends the URL of each loaded module to the file LOADED_MODULES.

const file = process.env.LOADED_MODULES ?? '';
registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
