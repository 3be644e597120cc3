import { GraphQLError } from 'graphql';
import { builder } from './builder.ts';

const dayMs = 86_400_000;
const maxDays = 1000;
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
/** Texts such as `2026-04-15T`, by days since 1970. */
const days = new Map<number, string>();
/** Texts such as `12:00:`, by minutes of the day. */
const minutes = Array.from({ length: 24 * 60 }, (_, minute) => {
  return `${twoDigits[Math.floor(minute / 60)]}:${twoDigits[minute % 60]}:`;
});
const seconds = twoDigits.map((text) => `${text}.`);
const milliseconds = Array.from({ length: 1000 }, (_, millisecond) => `${String(millisecond).padStart(3, '0')}Z`);

/** The same text as toISOString(), several times as fast: put together from parts that many dates share. */
function isoTime(date: Date): string {
  const time = date.getTime();
  const day = Math.floor(time / dayMs);
  const inDay = time - day * dayMs;
  const millisecond = inDay % 1000;
  const wholeSeconds = (inDay - millisecond) / 1000;
  const second = wholeSeconds % 60;
  return `${days.get(day) ?? addDay(day, date)}${minutes[(wholeSeconds - second) / 60]}${seconds[second]}${milliseconds[millisecond]}`;
}

function addDay(day: number, date: Date): string {
  if (days.size >= maxDays) days.clear();
  const text = date.toISOString().slice(0, -'12:00:00.000Z'.length);
  days.set(day, text);
  return text;
}

builder.scalarType('DateTime', {
  description: 'A moment in UTC, to the millisecond (RFC 3339), such as `2026-04-15T12:00:00.000Z`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: isoTime,
  parseValue: (sent) => {
    const date = typeof sent === 'string' ? parsed(sent) : null;
    if (!date) throw new GraphQLError('Must be a moment (RFC 3339).');
    return date;
  },
});

const form = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;

/** Null unless it is a moment that there is: `Date` makes the 2nd of March of the 30th of February. */
function parsed(text: string): Date | null {
  const [, day = '', time = '', fraction = '', zone = ''] = form.exec(text) ?? [];
  const local = new Date(`${day}T${time}Z`);
  if (Number.isNaN(local.getTime()) || local.toISOString() !== `${day}T${time}.000Z`) return null;
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  return Number.isNaN(date.getTime()) ? null : date;
}
