import { expect, it } from "vitest";
import { failedSteps, type Job } from "../../../bot/github/failed-steps.ts";

const at = (seconds: number) => Date.UTC(2026, 10, 21, 8, 0, seconds);
const job = (steps: Job["steps"]): Job => ({ id: 1, name: "gate", status: "completed", conclusion: "failure", steps });
const line = (seconds: number, text: string) => `2026-11-21T08:00:0${seconds}.1234567Z ${text}`;

it("shows the last lines of a step that prints no error, and only that step's", () => {
  const log = [line(1, "before"), ...Array.from({ length: 40 }, (_, i) => line(3, `line ${i}`)), line(6, "after")].join(
    "\n",
  );
  const [step, ...more] = failedSteps(
    job([
      { name: "first", conclusion: "success", startedAt: at(1), completedAt: at(2) },
      { name: "tests", conclusion: "failure", startedAt: at(2), completedAt: at(4) },
    ]),
    log,
  );
  expect(more).toEqual([]);
  expect(step?.lines).toEqual(Array.from({ length: 15 }, (_, i) => `line ${i + 25}`));
});

it("a job that failed without a failed step shows its last lines; a lost log says so", () => {
  expect(failedSteps(job([]), line(1, "The runner has received a shutdown signal."))).toEqual([
    { name: "gate", lines: ["The runner has received a shutdown signal."] },
  ]);
  const lost = failedSteps(job([{ name: "tests", conclusion: "failure", startedAt: 0, completedAt: 0 }]), null);
  expect(lost).toEqual([{ name: "tests", lines: ["(GitHub has no log of it any more)"] }]);
});
