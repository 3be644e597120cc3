// npm runs this at the end of `npm ci`. Without the bundle everything runs from src/, more slowly: where it cannot be made, it is left out.
import { existsSync } from 'node:fs';

const canBundle = Number(process.versions.node.split('.')[0]) >= 26 && existsSync('node_modules/rolldown');
if (canBundle) await import('./bundle.ts');
