import { ConfigurationError } from "../errors.ts";
import { magic, sections, tableHeader } from "./table-format.ts";

/** A uint32 counts events, and one file is read into one buffer. */
const MAX_EVENTS = 2 ** 31;

/** What to do with two events of one key at one time. */
export type Repeats = "refuse" | "keep";

export type TableBuilder = {
  /**
   * @param timeMs milliseconds since 1970; ignored in a table without times
   * @param createdMs when the event was written down; of two at one time the later one holds. NaN: not known
   * @param values one number per column; NaN is a value that is not there
   * @param place of the event, for messages
   */
  add(key: string, timeMs: number, createdMs: number, values: ArrayLike<number>, place: () => string): void;
  /** @throws ConfigurationError when two events of one key have one time and nothing says which holds. */
  finish(): { bytes: Uint8Array<ArrayBuffer>; keys: number; events: number };
};

export type TableOptions = {
  /** Whether events have times; without them every key has one event. */
  timed: boolean;
  /** Default: refuse. */
  repeats?: Repeats;
  /** Keep only every key's newest event, as a store that is served from does. */
  latest?: boolean;
};

/**
 * Collects events in any order and writes them as a feature table.
 *
 * Without times every key has one event. With them, two events of a key at one time are a mistake unless `createdMs`
 * tells the correction from what it corrects, or `repeats` is "keep": then both happened, and both count in a window.
 */
export function tableBuilder(
  columns: readonly string[],
  { timed, repeats = "refuse", latest = false }: TableOptions,
): TableBuilder {
  const width = columns.length;
  const indexOf = new Map<string, number>();
  const names: string[] = [];
  let capacity = 1024;
  let count = 0;
  let keyOf = new Uint32Array(capacity);
  let times = new Float64Array(capacity);
  let created = new Float64Array(capacity);
  let values = new Float32Array(capacity * width);

  const grow = () => {
    if (count >= MAX_EVENTS) throw tooMany();
    capacity *= 2;
    keyOf = enlarged(keyOf, new Uint32Array(capacity));
    times = enlarged(times, new Float64Array(capacity));
    created = enlarged(created, new Float64Array(capacity));
    values = enlarged(values, new Float32Array(capacity * width));
  };

  return {
    add(key, timeMs, createdMs, given, place) {
      if (count === capacity) grow();
      let index = indexOf.get(key);
      if (index === undefined) indexOf.set(key, (index = names.push(key) - 1));
      keyOf[count] = index;
      times[count] = timed ? timeMs : -Infinity;
      created[count] = createdMs;
      for (let i = 0; i < width; i++) {
        const value = Math.fround(given[i]!);
        if (Math.abs(value) === Infinity)
          throw new ConfigurationError({
            code: "feature-value",
            place: place(),
            problem: `the value of ${columns[i]} does not fit a float32`,
            expected: "a finite number below 3.4e38",
            received: String(given[i]),
          });
        values[count * width + i] = value;
      }
      count++;
    },
    finish() {
      const encoder = new TextEncoder();
      const texts = names.map((name) => encoder.encode(name));
      const byBytes = Array.from(names, (_, i) => i).toSorted((a, b) => Buffer.compare(texts[a]!, texts[b]!));
      const rank = new Uint32Array(names.length);
      byBytes.forEach((index, i) => {
        rank[index] = i;
      });
      const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => {
        const byKey = rank[keyOf[a]!]! - rank[keyOf[b]!]!;
        if (byKey !== 0) return byKey;
        if (times[a] !== times[b]) return times[a]! - times[b]!;
        return created[a] === created[b] || Number.isNaN(created[a]! + created[b]!) ? a - b : created[a]! - created[b]!;
      });
      const kept: number[] = [];
      for (const event of order) {
        const last = kept.at(-1);
        if (
          last === undefined ||
          keyOf[last] !== keyOf[event] ||
          times[last] !== times[event] ||
          (timed && repeats === "keep")
        )
          kept.push(event);
        else if (created[event]! > created[last]!) kept[kept.length - 1] = event;
        else throw twice(names[keyOf[event]!]!, timed ? times[event]! : null);
      }
      const written = latest ? kept.filter((event, i) => keyOf[kept[i + 1] ?? -1] !== keyOf[event]) : kept;
      return {
        bytes: encode(
          columns,
          timed,
          byBytes.map((index) => texts[index]!),
          written,
          { rank, keyOf, times, values },
        ),
        keys: names.length,
        events: written.length,
      };
    },
  };
}

type Events = { rank: Uint32Array; keyOf: Uint32Array; times: Float64Array; values: Float32Array };

function encode(
  columns: readonly string[],
  timed: boolean,
  texts: readonly Uint8Array[],
  kept: readonly number[],
  { rank, keyOf, times, values }: Events,
): Uint8Array<ArrayBuffer> {
  const width = columns.length;
  const header = tableHeader.parse({
    format: 1,
    columns,
    timed,
    keys: texts.length,
    events: kept.length,
    keyBytes: texts.reduce((sum, text) => sum + text.length, 0),
  });
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const at = sections(headerBytes.length, header);
  const buffer = new ArrayBuffer(at.end);
  const bytes = new Uint8Array(buffer);
  bytes.set(new TextEncoder().encode(magic));
  new DataView(buffer).setUint32(magic.length, headerBytes.length, true);
  bytes.set(headerBytes, magic.length + 4);
  const keyEnds = new Uint32Array(buffer, at.keyEnds, texts.length);
  const eventEnds = new Uint32Array(buffer, at.eventEnds, texts.length);
  const outTimes = new Float64Array(buffer, at.times, kept.length);
  const outValues = new Float32Array(buffer, at.values, kept.length * width);
  let end = 0;
  texts.forEach((text, i) => {
    bytes.set(text, at.keys + end);
    keyEnds[i] = end += text.length;
  });
  kept.forEach((event, i) => {
    eventEnds[rank[keyOf[event]!]!] = i + 1;
    outTimes[i] = times[event]!;
    outValues.set(values.subarray(event * width, (event + 1) * width), i * width);
  });
  return bytes;
}

function enlarged<T extends Uint32Array | Float64Array | Float32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

const tooMany = () =>
  new ConfigurationError({
    code: "feature-table-size",
    problem: "too many events for one feature table",
    expected: `at most ${MAX_EVENTS}`,
    hint: "keep only what the longest window or `ttl` reaches",
  });

function twice(key: string, timeMs: number | null): ConfigurationError {
  return new ConfigurationError({
    code: "feature-twice",
    place: `key ${JSON.stringify(key)}`,
    problem:
      timeMs === null ? "the key stands twice" : "two events of one key at one time, and nothing says which holds",
    expected: timeMs === null ? "every key once, in a table without times" : "one event for each key and time",
    ...(timeMs === null ? {} : { received: `two at ${new Date(timeMs).toISOString()}` }),
    hint:
      timeMs === null
        ? "name the column with the events' times: --time COLUMN"
        : "where one corrects the other: --created COLUMN; where both happened: --repeats keep",
  });
}
