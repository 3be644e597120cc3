/** A count with the word for what was counted: `1 envelope`, `2,000 envelopes`. */
export function counted(count: number, one: string, several: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}
