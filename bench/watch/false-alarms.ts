import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { quantile } from "../../eval/stats/quantile.ts";
import { labelRules, watchErrors } from "./labelled.ts";
import { afterShift, withoutDrift } from "./play.ts";
import { contenders } from "./rules.ts";
import type { World } from "./world.ts";

/**
 * npm run bench:watch-alarms [-- --years 20 --runs 60]
 *
 * How often a watch calls a model drifted that is well, and how long it takes to see a drift, beside the default rules of
 * Evidently and NannyML on the same streams. Writes bench/results/watch-alarms.md.
 */
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const years = option("years", 20);
const runs = option("runs", 60);
const horizon = 60;
const started = Date.now();
const loadBefore = loadavg()[0] as number;

const worlds: readonly World[] = [
  { name: "independent rows", daily: 0, weekly: 0, day: 0 },
  { name: "daily and weekly cycle", daily: 0.3, weekly: 0.2, day: 0 },
  { name: "strong weekly cycle", daily: 0.3, weekly: 0.5, day: 0 },
  { name: "cycles, days that differ", daily: 0.3, weekly: 0.2, day: 0.15 },
];
const traffics = [50, 500, 5000, 50_000, 1_000_000];
// Evidently changes its default test at 1,000 rows.
const references = [800, 10_000];
const number = (value: number): string => value.toLocaleString("en");
const head = (first: readonly string[], of: readonly { name: string }[] = contenders): string =>
  [
    `| ${[...first, ...of.map(({ name }) => name)].join(" | ")} |`,
    `|${" --- |".repeat(first.length + of.length)}`,
  ].join("\n");

const settings = worlds.flatMap((world) =>
  references.flatMap((reference) => traffics.map((traffic) => ({ world, reference, traffic }))),
);
const quiet = settings.map((setting, i) => ({ setting, alarms: withoutDrift(setting, years, 1000 + i) }));
const alarmRows = quiet.map(
  ({ setting: { world, reference, traffic }, alarms }) =>
    `| ${world.name} | ${number(reference)} | ${number(traffic)} | ${alarms.map(({ alarmsPerYear }) => alarmsPerYear.toFixed(2)).join(" | ")} |`,
);
const openRows = quiet
  .filter(({ setting }) => setting.world === worlds[1] || setting.world === worlds[3])
  .map(
    ({ setting: { world, reference, traffic }, alarms }) =>
      `| ${world.name} | ${number(reference)} | ${number(traffic)} | ${[0, 1, 2].map((i) => `${(100 * alarms[i]!.inconclusiveShare).toFixed(0)} %`).join(" | ")} |`,
  );

const shifts = [0.4, 0.6, 1];
const delayRows = shifts.flatMap((shift, s) =>
  traffics.map((traffic, t) => {
    const setting = { world: worlds[3]!, reference: 10_000, traffic };
    const cells = afterShift(setting, shift, runs, horizon, 5000 + 10 * s + t).map(({ days }) => {
      const found = days.filter((one) => one !== null);
      const median = quantile(
        days.map((one) => one ?? horizon + 1),
        0.5,
      );
      return `${median > horizon ? "–" : median.toFixed(0)} (${((100 * found.length) / runs).toFixed(0)} %)`;
    });
    return `| ${shift} | ${number(traffic)} | ${cells.join(" | ")} |`;
  }),
);

const labelNames = {
  eSr: "change detector (e-SR)",
  interval: "betting interval of all labels",
  nannyml: "NannyML, day outside 3 sd",
};
const labelRows = [50, 500, 2000].flatMap((labelsPerDay, l) => {
  const large = labelsPerDay > 1000;
  const base = { labelsPerDay, errorRate: 0.1 };
  const yearsAt = (after: number, seed: number) =>
    Array.from({ length: large ? 5 : 20 }, (_, y) =>
      watchErrors({ ...base, stableDays: 0, after, days: 365 }, seed + l, y),
    );
  const changes = (stableDays: number, after: number, seed: number) =>
    Array.from({ length: large ? 10 : 30 }, (_, run) =>
      watchErrors({ ...base, stableDays, after, days: horizon }, seed + l, run),
    );
  const played = {
    well: yearsAt(0.1, 9000),
    margin: yearsAt(0.12, 9100),
    early: changes(0, 0.15, 9200),
    late: changes(120, 0.15, 9300),
    large: changes(120, 0.2, 9400),
  };
  return labelRules.map((rule) => {
    const perYear = (all: typeof played.well): string =>
      (all.reduce((sum, one) => sum + one[rule].alarms, 0) / all.length).toFixed(2);
    const delay = (all: typeof played.well): string => {
      const days = all.map((one) => one[rule].first ?? horizon + 1);
      const median = quantile(days, 0.5);
      return median > horizon ? "–" : median.toFixed(0);
    };
    const { well, margin, early, late, large: twice } = played;
    return `| ${number(labelsPerDay)} | ${labelNames[rule]} | ${perYear(well)} | ${perYear(margin)} | ${delay(early)} | ${delay(late)} | ${delay(twice)} |`;
  });
});

const most = (i: number): string => Math.max(...quiet.map(({ alarms }) => alarms[i]!.alarmsPerYear)).toFixed(2);
const seconds = ((Date.now() - started) / 1000).toFixed(0);
writeFileSync(
  "bench/results/watch-alarms.md",
  `# False alarms and delays of a watch

Command: \`npm run bench:watch-alarms -- --years ${years} --runs ${runs}\`. ${seconds} s on ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}; load ${loadBefore.toFixed(1)} at the start, ${(loadavg()[0] as number).toFixed(1)} at the end. The load changes the time, not the figures: all draws are seeded.

A score is watched. Within an hour it is normal with sd 1; its mean follows a daily cycle (± .3), weekends lie .2 (strong: .5) higher, and where days differ each has a shift of its own (sd .15). Traffic follows a daily cycle, and weekends have half of a weekday's. Every rule looks once a day, at the last day or at the last seven. An alarm is a change into drift; days that stay there are the same alarm. "Reference": rows of the dataset that the model was gated on, drawn from the same stream over two years.

- **Sluice, 7 days**: PSI on the reference's deciles, interval at α = 1/365 a look, drift where it lies above .1; the window's rows count by the design effect of its seven days. "Month before": by that of the 28 days before the window. "No effect": rows count fully.
- **PSI > .1**: the rule of thumb, on the same counts.
- **Evidently**: its default for a number, KS with p ≤ .05 up to 1,000 rows of reference, else Wasserstein over sd ≥ .1.
- **NannyML**: its default for a number, Jensen-Shannon distance > .1 on Doane's bins.

The rules of both were written again from their sources and run on scores rounded to .05 sd; the programs themselves were not run.

## False alarms a year, nothing having drifted

${years} years each, every year another model with another reference. A rate of 1 a year is seen between ${Math.max(0, 1 - 2 / Math.sqrt(years)).toFixed(1)} and ${(1 + 2 / Math.sqrt(years)).toFixed(1)} in most settings.

${head(["stream", "reference", "rows a day"])}
${alarmRows.join("\n")}

Most in any setting: ${[0, 1, 2, 3].map((i) => `${contenders[i]!.name}, ${most(i)} a year`).join("; ")}. A weekend that lies half a standard deviation away is a real difference from the reference: windows that hold whole weeks do not see it as drift.

## Looks that stay open

Share of looks that are INCONCLUSIVE without drift: too few rows, or days too uneven, to say STABLE at the level of one look.

${head(["stream", "reference", "rows a day"], contenders.slice(0, 3))}
${openRows.join("\n")}

## Days until a shift is seen

"${worlds[3]!.name}", reference of 10,000, ${runs} runs. The mean moves by the shift (in sd within an hour) on a random weekday; median days to the first alarm, and the share that alarmed within ${horizon} days. –: fewer than half did. A rule that often alarms without drift is also quick here.

${head(["shift", "rows a day"])}
${delayRows.join("\n")}

## With labels

Errors at 10 % with a daily cycle of ± 2 points; the reference has 28 days; a day's labels are taken in random order. The change detector bets against the error of the reference plus a margin of 2 points and alarms at one year's labels; with few labels in the reference, a true 12 % may lie beyond what it knows as the margin. The betting interval at .05 is of all labels since the start, and alarms where it lies above the reference's own upper end (90 %) plus the margin. Alarms are changes into alarm. Delays are median days, within ${horizon}.

| labels a day | rule | false alarms a year at 10 % | alarms a year at 12 % | 15 % from the start | 15 % after 120 good days | 20 % after 120 good days |
| --- | --- | --- | --- | --- | --- | --- |
${labelRows.join("\n")}
`,
);
console.log(`bench/results/watch-alarms.md, ${seconds} s`);
