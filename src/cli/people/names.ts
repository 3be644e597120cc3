/** What people and workloads do with a running gateway. */
export const peopleNames = ['list', 'get', 'set', 'rm', 'import', 'diff', 'exec', 'render'] as const;
