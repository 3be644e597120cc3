// Loaded before a program: at its end it writes all that the program could read, to the file that MEMORY_FILE names.
import { readFileSync, writeFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';

const file = process.env.MEMORY_FILE;
if (file === undefined) throw new Error('MEMORY_FILE is not set');
process.on('exit', () => {
  writeHeapSnapshot(`${file}.heap`);
  const environment = [readFileSync('/proc/self/environ', 'latin1'), JSON.stringify(process.env), ...process.argv];
  writeFileSync(file, environment.join('\n'));
});
