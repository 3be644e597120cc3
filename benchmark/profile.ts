/** A profile of the inspector's Profiler. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  readonly microseconds: number;
  /** The share of the time in which code ran. */
  readonly share: number;
}

/** The functions by self time, most first. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  times.delete('(idle)');
  // The profiler's own start.
  times.delete('post (node:inspector)');
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([name, microseconds]) => ({ name, microseconds, share: microseconds / total }))
    .sort((a, b) => b.microseconds - a.microseconds);
}

/** The same by package, or by folder of src/. */
export function byPackage(times: readonly SelfTime[]): SelfTime[] {
  const groups = new Map<string, SelfTime>();
  for (const { name, microseconds, share } of times) {
    const place = / \(([^()]*)\)$/.exec(name)?.[1] ?? name;
    const group = place.startsWith('src/') ? place.split('/').slice(0, 2).join('/') : place.replace(/[ :].*$/, '');
    const known = groups.get(group);
    groups.set(group, {
      name: group,
      microseconds: microseconds + (known?.microseconds ?? 0),
      share: share + (known?.share ?? 0),
    });
  }
  return [...groups.values()].sort((a, b) => b.microseconds - a.microseconds);
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url);
  const inSource = /\/(src\/.*)$/.exec(url)?.[1];
  const place = inPackage ? `${inPackage[1]} ${inPackage[2]?.split('/').at(-1)}` : (inSource ?? url);
  if (place === '') return functionName;
  return `${functionName || '(anonymous)'} (${place}${inSource || inPackage ? `:${lineNumber + 1}` : ''})`;
}
