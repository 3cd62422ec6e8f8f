import { describe, expect, it } from "vitest";
import { asOf } from "../../../../models/core/lookup/as-of.ts";
import { joinKey, keyPart } from "../../../../models/core/lookup/key.ts";
import type { ColumnTotals, KeyEvents } from "../../../../models/core/lookup/store.ts";
import { windowReader, type Aggregate, type WindowAggregate } from "../../../../models/core/lookup/windows.ts";
import { instantMs } from "../../../../models/core/lookup/instant.ts";
import { RandomStream } from "../../../../eval/stats/random.ts";
import { refusal } from "../build.ts";
import { day, hour, noon, read, storeOf, tableOf, type Event } from "./tables.ts";

type Window = { timeMs: number; overMs: number; delayMs: number };

/** One aggregate over one window of events of one column. */
function aggregateOf(
  events: KeyEvents | null,
  column: number | null,
  aggregate: Aggregate,
  { timeMs, overMs, delayMs }: Window,
): number {
  const into = new Float64Array(1);
  windowReader([{ column, aggregate, overMs, delayMs }], 1)(events, timeMs, into);
  return into[0]!;
}

describe("a feature table", () => {
  it("finds every key of many, and no other", async () => {
    const count = 30_000;
    const store = await storeOf(
      ["x"],
      Array.from({ length: count }, (_, i) => ({ key: `card-${i}`, values: [i] })),
    );
    for (let i = 0; i < count; i++) expect(store.find(`card-${i}`)!.from).toBeGreaterThanOrEqual(0);
    const value = (key: string) => {
      const found = store.find(key);
      return found === null ? null : found.values[found.from];
    };
    for (let i = 0; i < count; i += 97) expect(value(`card-${i}`)).toBe(i);
    for (let i = count; i < 2 * count; i++) expect(value(`card-${i}`)).toBeNull();
    expect([value("card-"), value("card-1 "), value("Card-1"), value("")]).toEqual([null, null, null, null]);
  });

  it("keeps keys apart that only other alphabets, quotes or parts tell apart", async () => {
    const keys = ["é", "e\u0301", "ключ", "日本", "😀", '["a"]', joinKey(["a", "b,c"]), joinKey(["a,b", "c"]), "a,b,c"];
    const store = await storeOf(
      ["x"],
      keys.map((key, i) => ({ key, values: [i] })),
    );
    expect(keys.map((key) => store.find(key)!.values[store.find(key)!.from])).toEqual(keys.map((_, i) => i));
    expect([...store.keys()].toSorted()).toEqual(keys.toSorted());
  });

  it("is the same file whatever order the events come in", () => {
    const events: Event[] = [
      { key: "b", at: noon, values: [1] },
      { key: "a", at: noon + day, values: [2] },
      { key: "a", at: noon, values: [3] },
    ];
    expect(tableOf(["x"], events.toReversed())).toEqual(tableOf(["x"], events));
  });

  it("takes the later written of two events at one time", async () => {
    const store = await storeOf(
      ["x"],
      [
        { key: "a", at: noon, created: noon + 2, values: [2] },
        { key: "a", at: noon, created: noon + 3, values: [3] },
        { key: "a", at: noon, created: noon + 1, values: [1] },
      ],
    );
    const events = store.find("a")!;
    expect([events.to - events.from, events.values[asOf(events, noon)]]).toEqual([1, 3]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "two events at one time",
      () =>
        tableOf(
          ["x"],
          [
            { key: "a", values: [1] },
            { key: "a", values: [2] },
          ],
        ),
      /key "a".*nothing says which holds.*2026-01-15T12:00:00.000Z.*--created.*--repeats keep/s,
    ],
    [
      "a key twice in a table without times",
      () =>
        tableOf(
          ["x"],
          [
            { key: "a", values: [1] },
            { key: "a", values: [1] },
          ],
          { timed: false, repeats: "keep" },
        ),
      /key "a": the key stands twice/,
    ],
    [
      "a value beyond float32",
      () => tableOf(["x"], [{ key: "a", values: [1e39] }]),
      /event 0.*x does not fit a float32/,
    ],
  ])("refuses %s", async (_, make, message) => {
    expect((await refusal(make)).message).toMatch(message);
  });

  const good = tableOf(
    ["x", "y"],
    [
      { key: "a", at: noon, values: [1, 2] },
      { key: "a", at: noon + day, values: [3, null] },
      { key: "bb", at: noon, values: [5, 6] },
    ],
  );
  const changed = (change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = good.slice();
    change(bytes, new DataView(bytes.buffer));
    return bytes;
  };
  const header = new DataView(good.buffer).getUint32(8, true);
  const body = Math.ceil((12 + header) / 8) * 8;
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /not a feature table/],
    ["another file", new TextEncoder().encode("card,x\n1,2\n".repeat(9)), /not a feature table/],
    ["half of one", good.slice(0, good.length - 20), /size that its header says/],
    ["one with more behind it", new Uint8Array([...good, 0]), /size that its header says/],
    ["a header of 4 GB", changed((_, view) => view.setUint32(8, 0xffffffff, true)), /header is cut off/],
    ["a header that is no JSON", changed((bytes) => bytes.set([0x21], 12)), /header cannot be read/],
    ["a key that ends after the text", changed((_, view) => view.setUint32(body + 4, 99, true)), /parts do not fit/],
    ["a key that ends before it begins", changed((_, view) => view.setUint32(body, 9, true)), /parts do not fit/],
    ["a key without events", changed((_, view) => view.setUint32(body + 8, 0, true)), /parts do not fit/],
    ["times that fall", changed((_, view) => view.setFloat64(body + 16, noon + 9 * day, true)), /do not ascend/],
    ["a time that is NaN", changed((_, view) => view.setFloat64(body + 16, NaN, true)), /time is not one/],
    ["an infinite value", changed((_, view) => view.setFloat32(body + 40, Infinity, true)), /value is not finite/],
    ["a key twice", changed((bytes) => bytes.set([0x7a], good.length - 3)), /keys do not ascend/],
  ])("refuses a file that is %s", async (_, bytes, message) => {
    expect((await refusal(() => read(bytes))).message).toMatch(message);
  });
  it("takes the file that those are made of, at an odd place in memory too", async () => {
    const shifted = new Uint8Array(good.length + 1);
    shifted.set(good, 1);
    expect((await read(shifted.subarray(1))).find("bb")!.values).toEqual((await read(good)).find("bb")!.values);
  });
});

describe("what was known at a time", () => {
  /** Seeded histories, asked by a linear search beside the real one. */
  it("is what a plain search over all events gives, and never anything later", async () => {
    const random = new RandomStream(7);
    const events: Event[] = Array.from({ length: 4000 }, (_, i) => ({
      key: `k${Math.floor(random.uniform() * 50)}`,
      at: noon + Math.floor(random.uniform() * 40) * hour,
      created: i,
      // The value is the time itself, so that a leak shows as a number from the future.
      values: [0],
    }));
    for (const event of events) event.values = [(event.at! - noon) / hour];
    const store = await storeOf(["x"], events);
    for (let t = -2; t < 43; t++)
      for (let k = 0; k < 50; k++) {
        const time = noon + t * hour;
        const before = events.filter(({ key, at }) => key === `k${k}` && at! <= time).map(({ at }) => at!);
        const found = store.find(`k${k}`);
        const event = found === null ? -1 : asOf(found, time);
        const value = event === -1 ? null : found!.values[event]!;
        expect(value).toBe(before.length === 0 ? null : (Math.max(...before) - noon) / hour);
      }
  });

  it("of a window is the sum over its own events, oldest first, whatever else is stored", async () => {
    const random = new RandomStream(11);
    const events: Event[] = Array.from({ length: 500 }, (_, i) => ({
      key: "a",
      at: noon + i * hour,
      values: [random.uniform() < 0.1 ? null : random.uniform() * 1e6],
    }));
    const whole = (await storeOf(["x"], events)).find("a")!;
    const month = (await storeOf(["x"], events.slice(-250))).find("a")!;
    const column = 0;
    for (const [over, delay] of [
      [24, 0],
      [100, 0],
      [24, 48],
    ] as const)
      for (let i = 380; i < 505; i += 5) {
        const window = { timeMs: noon + i * hour, overMs: over * hour, delayMs: delay * hour };
        const inside = events
          .filter(
            ({ at }) => at! >= window.timeMs - window.delayMs - window.overMs && at! < window.timeMs - window.delayMs,
          )
          .flatMap(({ values: [x] }) => (x === null ? [] : [Math.fround(x!)]));
        const sum = inside.reduce((total, x) => total + x, 0);
        expect(aggregateOf(whole, column, "sum", window)).toBe(sum);
        expect(aggregateOf(month, column, "sum", window)).toBe(sum);
        expect(aggregateOf(whole, column, "count", window)).toBe(inside.length);
        expect(aggregateOf(whole, column, "mean", window)).toBe(sum / inside.length);
      }
  });

  it("is the same number with several windows at once, and from the totals of a column of whole numbers", async () => {
    const random = new RandomStream(12);
    const drawn = (i: number): Event => ({
      key: `k${i % 3}`,
      at: noon + Math.floor(random.uniform() * 300) * hour,
      values: [random.uniform() < 0.1 ? null : Math.floor(random.uniform() * 7) - 2, random.uniform()],
    });
    const store = await storeOf(
      ["whole", "any"],
      Array.from({ length: 900 }, (_, i) => drawn(i)),
      { repeats: "keep" },
    );
    expect(store.totals(1)).toBeNull();
    const wanted = (["count", "sum", "mean"] as const).flatMap((aggregate): WindowAggregate[] =>
      [1, 24, 100].flatMap((hours) =>
        [0, 48].flatMap((delay) =>
          [0, 1, ...(aggregate === "count" ? [null] : [])].map((column) => ({
            column,
            aggregate,
            overMs: hours * hour,
            delayMs: delay * hour,
          })),
        ),
      ),
    );
    const readers = [undefined, (column: number): ColumnTotals | null => store.totals(column)].map((totals) =>
      windowReader(wanted, 2, totals),
    );
    const into = new Float64Array(wanted.length);
    for (const key of ["k0", "k1", "k2", "unknown"])
      for (let h = -5; h < 320; h += 13) {
        const events = store.find(key);
        const expected = wanted.map(({ column, aggregate, overMs, delayMs }) => {
          let [count, sum] = [0, 0];
          for (let i = events?.from ?? 0; i < (events?.to ?? 0); i++) {
            const end = noon + h * hour - delayMs;
            const value = column === null ? 0 : events!.values[2 * i + column]!;
            if (events!.times[i]! < end - overMs || events!.times[i]! >= end || Number.isNaN(value)) continue;
            count++;
            sum += value;
          }
          return aggregate === "count" ? count : aggregate === "sum" ? sum : count === 0 ? NaN : sum / count;
        });
        for (const reader of readers) {
          reader(events, noon + h * hour, into);
          expect([...into]).toEqual(expected);
        }
      }
  });

  it("of an empty window is no event, a sum of 0 and no mean", () => {
    const window = { timeMs: noon, overMs: day, delayMs: 0 };
    const column = 0;
    expect((["count", "sum", "mean"] as const).map((one) => aggregateOf(null, column, one, window))).toEqual([
      0,
      0,
      NaN,
    ]);
  });

  it("leaves the event itself out of its own window, and keeps two of one moment", async () => {
    const store = await storeOf(
      ["x"],
      [0, 0, 1].map((h) => ({ key: "a", at: noon + h * hour, values: [1] })),
      { repeats: "keep" },
    );
    const count = (h: number) =>
      aggregateOf(store.find("a"), null, "count", { timeMs: noon + h * hour, overMs: day, delayMs: 0 });
    expect([count(0), count(1), count(2), count(24), count(25)]).toEqual([0, 2, 3, 3, 1]);
  });
});

it.each<[unknown, number | null]>([
  ["2026-01-15T12:00:00Z", noon],
  ["2026-01-15T13:00:00+01:00", noon],
  ["2026-01-15 12:00Z", noon],
  ["2026-01-15", noon - 12 * hour],
  [noon, noon],
  ["2026-01-15T12:00:00", null],
  ["2026-02-30", null],
  ["15.01.2026", null],
  ["", null],
  [noon / 1000, null],
  [NaN, null],
  [true, null],
  [null, null],
])("%j as a point in time is %j", (value, ms) => expect(instantMs(value)).toBe(ms));

it.each<[unknown, string | null]>([
  ["a", "a"],
  [5, "5"],
  [5n, "5"],
  [-0, "0"],
  ["5", "5"],
  ["", null],
  [1.5, null],
  [2 ** 53, null],
  [NaN, null],
  [true, null],
  ["\ud800", null],
  ["x".repeat(513), null],
  [{}, null],
])("%o as a key is %j", (value, key) => expect(keyPart(value)).toBe(key));
