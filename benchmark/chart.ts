import type { Series } from './measure.ts';
import { medianOf } from './report.ts';
import type { Work } from './work.ts';

const width = 760;
const labelWidth = 190;
const barHeight = 22;
const rowHeight = 32;
const headHeight = 44;

interface Bar {
  readonly label: string;
  readonly value: number;
}

/** CPU for each request and requests per second, of one piece of work at one concurrency. */
export function chart(all: readonly Series[], work: Work, connections: number): string {
  const series = all.filter((one) => one.work === work.name && one.connections === connections);
  const bars = (of: 'cpuMicroseconds' | 'requestsPerSecond') =>
    series.map((one) => ({ label: one.contender, value: medianOf(one, of) }));
  const title = `${work.name}, ${connections} at once`;
  const groupHeight = headHeight + series.length * rowHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${2 * groupHeight + 16}" role="img"`,
    ` font-family="system-ui, sans-serif" font-size="14">`,
    `<title>${title}</title>`,
    `<style>text{fill:#24292f}.bar{fill:#8c959f}.ours{fill:#0969da}`,
    `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}}</style>`,
    group(`CPU µs per request (less is better): ${title}`, bars('cpuMicroseconds'), 0),
    group(`Requests per second (more is better): ${title}`, bars('requestsPerSecond'), groupHeight),
    '</svg>\n',
  ].join('');
}

function group(title: string, bars: readonly Bar[], top: number): string {
  const most = Math.max(...bars.map((bar) => bar.value));
  const rows = bars.map(({ label, value }, index) => {
    const y = top + headHeight + index * rowHeight;
    const length = (value / most) * (width - labelWidth - 70);
    const baseline = y + barHeight - 6;
    return [
      `<text x="${labelWidth - 10}" y="${baseline}" text-anchor="end">${label}</text>`,
      `<rect class="${index === 0 ? 'ours' : 'bar'}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" `,
      `height="${barHeight}" rx="3"/>`,
      `<text x="${(labelWidth + length + 8).toFixed(1)}" y="${baseline}">${Math.round(value).toLocaleString('en')}</text>`,
    ].join('');
  });
  return `<text x="0" y="${top + 26}" font-weight="600">${title}</text>${rows.join('')}`;
}
