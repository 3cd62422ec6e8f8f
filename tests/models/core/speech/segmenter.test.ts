import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Segmenter, type Segment } from "../../../../models/core/speech/segmenter.ts";
import { segmentSettings } from "../../../../models/core/manifest/segment.ts";

const settingsOf = (changes: object = {}) =>
  segmentSettings.parse({ graph: { path: "vad.onnx", sha256: "0".repeat(64) }, ...changes });
/** Windows of 32 ms at 16 kHz. */
const window = 512;
const inWindows = ({ start, end }: Segment) => [start / window, end / window];

function segments(probabilities: readonly number[], changes: object = {}, samples = probabilities.length * window) {
  const segmenter = new Segmenter(settingsOf({ padMs: 0, ...changes }), 16_000);
  const found = probabilities.map((one) => segmenter.push(one)).filter((one) => one !== null);
  const last = segmenter.finish(samples);
  return last === null ? found : [...found, last];
}
const run = (...parts: [number, number][]) =>
  parts.flatMap(([probability, windows]) => new Array<number>(windows).fill(probability));

describe("a segment", () => {
  it("begins where speech is sure and ends where it has been unlikely for long enough", () => {
    // 550 ms are 17.2 windows: the pause ends the segment with its 18th.
    expect(segments(run([0.1, 10], [0.9, 20], [0.1, 17], [0.9, 10], [0.1, 20])).map(inWindows)).toEqual([[10, 57]]);
    expect(segments(run([0.1, 10], [0.9, 20], [0.1, 18], [0.9, 10], [0.1, 20])).map(inWindows)).toEqual([
      [10, 30],
      [48, 58],
    ]);
  });

  it("does not end between the two thresholds, nor begin there", () => {
    expect(segments(run([0.4, 30], [0.9, 10], [0.4, 40], [0.9, 10], [0.1, 20])).map(inWindows)).toEqual([[30, 90]]);
  });

  it("of less than 250 ms is none", () => {
    expect(segments(run([0.1, 10], [0.9, 7], [0.1, 30]))).toEqual([]);
    expect(segments(run([0.1, 10], [0.9, 8], [0.1, 30])).map(inWindows)).toEqual([[10, 18]]);
  });

  it("has some of the silence around it, but never a part of its neighbour's, nor of what was never heard", () => {
    const padded = segments(run([0.9, 20], [0.1, 18], [0.9, 20]), { padMs: 320 });
    expect(padded.map(inWindows)).toEqual([
      [0, 30],
      [30, 58],
    ]);
    expect(segments(run([0.1, 20], [0.9, 20], [0.1, 4]), { padMs: 320 }).map(inWindows)).toEqual([[10, 44]]);
  });

  it("that is too long is cut in its last pause, or where it is", () => {
    const pause = run([0.9, 40], [0.1, 4], [0.9, 40]);
    // 2 s are 62.5 windows.
    expect(segments(pause, { maxSeconds: 2 }).map(inWindows)).toEqual([
      [0, 42],
      [42, 84],
    ]);
    expect(segments(run([0.9, 100]), { maxSeconds: 2 }).map(inWindows)).toEqual([
      [0, 63],
      [63, 100],
    ]);
  });

  it("that goes on after a cut is one however short its rest", () => {
    expect(segments(run([0.9, 65], [0.1, 30]), { maxSeconds: 2 }).map(inWindows)).toEqual([
      [0, 63],
      [63, 65],
    ]);
  });

  it("ends with the sound", () => {
    expect(segments(run([0.9, 20]), {}, 20 * window - 100)).toEqual([{ start: 0, end: 20 * window - 100 }]);
    expect(segments([])).toEqual([]);
  });

  it("never overlaps another, is never too long, and keeps what a later one needs", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 400 }),
        fc.record({
          padMs: fc.constantFrom(0, 30, 300),
          minSilenceMs: fc.constantFrom(100, 550),
          maxSeconds: fc.constantFrom(1, 3),
        }),
        (probabilities, changes) => {
          const segmenter = new Segmenter(settingsOf(changes), 16_000);
          let [last, needed] = [0, 0];
          const check = (segment: Segment | null) => {
            if (segment === null) return;
            expect(segment.start).toBeGreaterThanOrEqual(Math.max(last, needed));
            expect(segment.end).toBeGreaterThan(segment.start);
            expect(segment.end - segment.start).toBeLessThanOrEqual(
              16_000 * changes.maxSeconds + 16 * changes.padMs + window,
            );
            last = segment.end;
          };
          for (const [i, probability] of probabilities.entries()) {
            check(segmenter.push(probability));
            expect(segmenter.needed).toBeGreaterThanOrEqual(needed);
            expect(segmenter.needed).toBeLessThanOrEqual(window * (i + 1));
            needed = segmenter.needed;
          }
          check(segmenter.finish(window * probabilities.length));
        },
      ),
    );
  });
});
