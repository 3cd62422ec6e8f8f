import fc from "fast-check";
import { expect, it } from "vitest";
import { EvaluationError } from "../../../../models/core/errors.ts";
import { joinKey, keyPart } from "../../../../models/core/lookup/key.ts";
import { digestOf, noon, read, tableOf, type Event } from "./tables.ts";

const options = { seed: 20_261_129, numRuns: 200 };
/** Any text that can be a key: every alphabet, quotes, zero bytes, what looks like a list. */
const keyText = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
    fc.string({
      unit: fc.constantFrom('"', "\\", ",", "[", "]", "a", "1", "\0", "\ufeff"),
      minLength: 1,
      maxLength: 8,
    }),
  )
  .filter((text) => keyPart(text) !== null);
const value = fc.option(fc.float({ noNaN: true, noDefaultInfinity: true }), { nil: null });
const events = fc.uniqueArray(
  fc.record({ key: keyText, hours: fc.integer({ min: -1000, max: 1000 }), values: fc.tuple(value, value) }),
  { selector: ({ key, hours }) => JSON.stringify([key, hours]), maxLength: 60 },
);
const eventsOf = (drawn: { key: string; hours: number; values: (number | null)[] }[]): Event[] =>
  drawn.map(({ key, hours, values }) => ({ key, at: noon + hours * 3_600_000, values }));

it("a table gives back every event, in its key's order of time, and knows no other key", async () => {
  await fc.assert(
    fc.asyncProperty(events, keyText, async (drawn, other) => {
      const all = eventsOf(drawn);
      const store = await read(tableOf(["x", "y"], all));
      const keys = [...new Set(all.map(({ key }) => key))];
      expect([...store.keys()].toSorted()).toEqual(keys.toSorted());
      for (const key of keys) {
        const expected = all.filter((event) => event.key === key).toSorted((a, b) => a.at! - b.at!);
        const found = store.find(key)!;
        expect(Array.from(found.times.subarray(found.from, found.to))).toEqual(expected.map(({ at }) => at));
        expect(Array.from(found.values.subarray(2 * found.from, 2 * found.to))).toEqual(
          expected.flatMap(({ values }) => values.map((one) => one ?? NaN)),
        );
      }
      if (!keys.includes(other)) expect(store.find(other)).toBeNull();
    }),
    options,
  );
});

it("the same events give the same bytes in any order", () => {
  fc.assert(
    fc.property(
      events.chain((drawn) => fc.tuple(fc.constant(drawn), fc.shuffledSubarray(drawn, { minLength: drawn.length }))),
      ([drawn, shuffled]) => {
        expect(digestOf(tableOf(["x", "y"], eventsOf(shuffled)))).toBe(digestOf(tableOf(["x", "y"], eventsOf(drawn))));
      },
    ),
    options,
  );
});

it("damaged bytes are refused by name, or read as a table that holds what it says", async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      events.filter((drawn) => drawn.length > 0),
      fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat()),
      async (drawn, changes, cut) => {
        const whole = tableOf(["x", "y"], eventsOf(drawn));
        const bytes = cut === null ? whole : whole.slice(0, cut % whole.length);
        for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        try {
          const store = await read(bytes);
          // A changed number is another number: the digest in model.yaml tells those apart.
          const { from, to, times } = store.find([...store.keys()][0]!) ?? { from: 0, to: 0, times: [] };
          expect(to - from).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThanOrEqual(times.length);
        } catch (error) {
          if (!(error instanceof EvaluationError)) throw error;
          expect(error.diagnostic.code).toBe("feature-table");
          refused++;
        }
      },
    ),
    { ...options, numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(100);
});

it("any bytes at all are refused by name", async () => {
  const magic = new TextEncoder().encode("SLUICEFT");
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, withMagic) => {
      const bytes = withMagic ? new Uint8Array([...magic, ...noise]) : noise;
      await expect(read(bytes)).rejects.toThrow(EvaluationError);
    }),
    options,
  );
});

it("different lists of parts are different keys, and parts are texts or whole numbers only", () => {
  const parts = fc.array(keyText, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(joinKey(a) === joinKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(JSON.parse(joinKey(a))).toEqual(a);
    }),
    options,
  );
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true }), (given) => {
      const part = keyPart(given);
      if (part === null) return;
      expect(["string", "number", "bigint"]).toContain(typeof given);
      expect(part).toBe(String(Object.is(given, -0) ? 0 : given));
      expect(part.length).toBeGreaterThan(0);
    }),
    { ...options, numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => {
      expect(keyPart(number)).toBe(keyPart(String(number)));
      expect(keyPart(BigInt(number))).toBe(keyPart(number));
    }),
    options,
  );
});
