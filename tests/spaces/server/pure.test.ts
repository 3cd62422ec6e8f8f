import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wantsEvents, wantsPage } from "../../../spaces/server/http/negotiate.ts";
import { redact } from "../../../spaces/server/http/redact.ts";
import { formGroup, groupIsFinal } from "../../../spaces/server/scheduling/group.ts";
import { planBatches } from "../../../spaces/server/scheduling/batching-plan.ts";
import type { Entry } from "../../../spaces/server/scheduling/scheduler.ts";
import { settingsFromEnvironment, settingsSchema, variableOf } from "../../../spaces/server/settings/settings.ts";

describe("which answer a client prefers", () => {
  it.each([
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true],
    ["text/html", true],
    ["application/json;q=0.5, text/html;q=0.9", true],
    ["text/html, application/json", true],
    ["*/*", false],
    ["application/json", false],
    ["application/json, text/html;q=0.1", false],
    ["text/html;q=0", false],
    ["", false],
    [undefined, false],
  ])("%s", (accept, page) => {
    expect(wantsPage(accept)).toBe(page);
  });
});

it("an event stream with the weight 0 is not wanted", () => {
  expect(wantsEvents("text/event-stream")).toBe(true);
  expect(wantsEvents("application/json, text/event-stream;q=0.5")).toBe(true);
  expect(wantsEvents("application/json, text/event-stream; q=0")).toBe(false);
  expect(wantsEvents(undefined)).toBe(false);
});

describe("redaction", () => {
  it("takes out addresses, cards that have a valid check digit, and phone numbers", () => {
    expect(redact("write to first.last+tag@mail.example.co.uk!")).toBe("write to [email]!");
    expect(redact("4242424242424242 and 5555-5555-5555-4444")).toBe("[card] and [card]");
    expect(redact("call (212) 555-0187, 020 7946 0958 or +49 151 23456789 now")).toBe(
      "call [phone], [phone] or [phone] now",
    );
  });

  it("leaves numbers that are measurements or dates", () => {
    for (const text of [
      '{"history":[12655,13016,8480]}',
      "0.9886227694140344",
      "2003-12-25",
      "1234567890123456",
      "-12.5e10",
    ])
      expect(redact(text)).toBe(text);
  });
});

describe("the batching plan", () => {
  const point = (batch: number, rowsPerSecond: number, tokenBudget: number | null = null) => ({
    batch,
    tokenBudget,
    rows: 32,
    totalMs: 32_000 / rowsPerSecond,
    rowsPerSecond,
  });
  it("uses batches only when they gain at least a tenth", () => {
    expect(planBatches([point(1, 100), point(8, 109)], { onMainThread: false })).toMatchObject({
      maxBatch: 1,
      maxDelayUs: 0,
      gain: 1,
    });
    expect(planBatches([point(1, 100), point(8, 111)], { onMainThread: false })).toMatchObject({
      maxBatch: 8,
      gain: 1.11,
    });
  });

  it("takes the smallest batch within a twentieth of the best", () => {
    expect(
      planBatches([point(1, 100), point(4, 300), point(8, 390), point(16, 400), point(32, 370)], {
        onMainThread: false,
      }).maxBatch,
    ).toBe(8);
  });

  it("waits for another row no longer than that row saves by joining, and not at all on the main thread", () => {
    // A row alone takes 1 ms, in a batch 0.5 ms.
    expect(planBatches([point(1, 1000), point(8, 2000)], { onMainThread: false }).maxDelayUs).toBe(500);
    expect(planBatches([point(1, 10), point(8, 20)], { onMainThread: false }).maxDelayUs).toBe(2000);
    expect(planBatches([point(1, 1000), point(8, 2000)], { onMainThread: true }).maxDelayUs).toBe(0);
  });

  it("follows the settings, and runs rows alone when nothing was measured", () => {
    expect(
      planBatches([point(1, 100), point(8, 90)], { onMainThread: false, maxBatch: 8, maxDelayUs: 77 }),
    ).toMatchObject({ maxBatch: 8, maxDelayUs: 77 });
    expect(planBatches([], { onMainThread: false })).toMatchObject({ maxBatch: 1, maxDelayUs: 0, sweep: [] });
    expect(planBatches([], { onMainThread: false, maxBatch: 4, maxDelayUs: 77 })).toMatchObject({
      maxBatch: 4,
      maxDelayUs: 77,
    });
  });
});

describe("which submissions run together", () => {
  const entry = (length: number, rows = 1, tensors = false) =>
    ({ length, rows: Array.from({ length: rows }, () => ({})), feeds: tensors ? { rows } : null }) as unknown as Entry;
  const sizeOf = (one: Entry) => one.feeds?.rows ?? one.rows.length;
  const lengths = (queue: Entry[], plan: { maxBatch: number; tokenBudget: number | null }) =>
    formGroup(queue, plan, sizeOf).map((one) => one.length);

  it("takes the oldest and those of like length, within the budget of padded tokens", () => {
    const queue = [entry(10), entry(100), entry(12), entry(9), entry(50)];
    expect(lengths(queue, { maxBatch: 4, tokenBudget: 40 })).toEqual([10, 9, 12]);
    expect(lengths(queue, { maxBatch: 2, tokenBudget: 400 })).toEqual([10, 9]);
    expect(lengths([entry(100), entry(5)], { maxBatch: 4, tokenBudget: 40 })).toEqual([100]);
  });

  it("keeps the order of arrival where rows have no length, and never mixes tensors with rows", () => {
    const queue = [entry(1), entry(1, 3, true), entry(1, 2), entry(1, 2)];
    expect(formGroup(queue, { maxBatch: 4, tokenBudget: null }, sizeOf)).toEqual([queue[0], queue[2]]);
    expect(formGroup(queue.slice(1), { maxBatch: 32, tokenBudget: null }, sizeOf)).toEqual([queue[1]]);
  });

  it("calls a group final only when no later arrival could change it", () => {
    const sure = (queue: Entry[], plan: { maxBatch: number; tokenBudget: number | null }) =>
      groupIsFinal(queue, plan, sizeOf);
    expect(sure([entry(10)], { maxBatch: 1, tokenBudget: null })).toBe(true);
    expect(sure([entry(1, 1), entry(1, 2)], { maxBatch: 4, tokenBudget: null })).toBe(false);
    expect(sure([entry(1, 1), entry(1, 2), entry(1, 1)], { maxBatch: 4, tokenBudget: null })).toBe(true);
    expect(sure([entry(1, 1), entry(1, 32, true)], { maxBatch: 4, tokenBudget: null })).toBe(false);
    expect(sure([entry(1, 32, true)], { maxBatch: 4, tokenBudget: null })).toBe(true);
    // With texts, a nearer one may still come, except when one text fills the budget.
    expect(sure([entry(10), entry(10), entry(10), entry(10)], { maxBatch: 2, tokenBudget: 40 })).toBe(false);
    expect(sure([entry(21), entry(1)], { maxBatch: 4, tokenBudget: 40 })).toBe(true);
  });

  it("never changes a final group, whatever comes", () => {
    const entries = fc
      .array(
        fc.record({
          length: fc.integer({ min: 1, max: 30 }),
          rows: fc.integer({ min: 1, max: 5 }),
          tensors: fc.boolean(),
        }),
        { maxLength: 8 },
      )
      .map((all) => all.map((one) => entry(one.length, one.rows, one.tensors)));
    fc.assert(
      fc.property(
        entries,
        entries,
        fc.integer({ min: 1, max: 6 }),
        fc.option(fc.integer({ min: 1, max: 60 })),
        (queue, later, maxBatch, tokenBudget) => {
          fc.pre(queue.length > 0 && groupIsFinal(queue, { maxBatch, tokenBudget }, sizeOf));
          expect(formGroup([...queue, ...later], { maxBatch, tokenBudget }, sizeOf)).toEqual(
            formGroup(queue, { maxBatch, tokenBudget }, sizeOf),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("settings", () => {
  it("have one environment variable each, whose text is converted to the setting's type", () => {
    expect(variableOf("maxQueueWaitMs")).toBe("SLUICE_MAX_QUEUE_WAIT_MS");
    const settings = settingsSchema.parse(
      settingsFromEnvironment({
        SLUICE_MAX_QUEUE_WAIT_MS: "250",
        SLUICE_LOG_INPUTS: "true",
        SLUICE_WATCH: "false",
        OTHER: "x",
      }),
    );
    expect(settings).toMatchObject({ maxQueueWaitMs: 250, logInputs: true, watch: false, port: 7860 });
  });
});
