import { styleText } from 'node:util';
import stringWidth from 'fast-string-width';
import { printable } from '../printable.ts';

/**
 * A table for people. What its cells hold was written by others: it is shown without control characters, and cut where it is long.
 * @param stream colours the header where it is a terminal, unless NO_COLOR says otherwise
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  stream: NodeJS.WriteStream,
): string {
  const shown = rows.map((row) => row.map((cell) => cut(printable(cell))));
  const widths = header.map((title, column) =>
    Math.max(stringWidth(title), ...shown.map((row) => stringWidth(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell)))
      .join('  ')
      .trimEnd();
  return [bold(line(header), stream), ...shown.map(line)].map((text) => `${text}\n`).join('');
}

const maxWidth = 60;

function cut(text: string): string {
  if (stringWidth(text) <= maxWidth) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += stringWidth(segment);
    if (width > maxWidth - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function bold(text: string, stream: NodeJS.WriteStream): string {
  return styleText('bold', text, { stream });
}
