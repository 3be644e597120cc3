import { registerHooks } from 'node:module';

// Loaded before a gateway that runs from its sources: it opens its store through the module below.

const own = new URL('store-without-audit.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isStore = resolved.url.endsWith('/src/store/open-store.ts') && context.parentURL !== own;
    return isStore ? { ...resolved, url: own } : resolved;
  },
});
