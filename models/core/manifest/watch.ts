import { z } from "zod";

const days = z.number().positive().max(90);

/** What `sluice watch` decides by. Every key has a default, which `watchDefaults` gives. */
export const watchSettings = z.strictObject({
  windowDays: days
    .optional()
    .describe("Days of traffic that are judged together; whole weeks keep weekly cycles out. Default: 7."),
  looksPerYear: z
    .int()
    .positive()
    .optional()
    .describe(
      "How often the watch looks: the error of each look is so small that all of a year keep falseAlarmsPerYear. Default: 365.",
    ),
  falseAlarmsPerYear: z.number().positive().optional().describe("Per model, where nothing is wrong. Default: 1."),
  minimumRows: z
    .int()
    .positive()
    .optional()
    .describe(
      "With fewer rows in the window nothing is decided. Default: 350, a week of the fewest rows a day (50) whose false alarms were simulated.",
    ),
  psi: z
    .number()
    .positive()
    .optional()
    .describe("Population stability index that is drift: of answers it decides, of features it informs. Default: 0.1."),
  rate: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("Largest rise of the share of rows that are refused, filled, unseen or cut. Default: 0.05."),
  onInsufficient: z
    .enum(["fail", "warn"])
    .optional()
    .describe(
      "Too few rows to decide: INCONCLUSIVE for the watch (fail), or shown without deciding (warn). Default: fail.",
    ),
  labels: z
    .strictObject({
      horizonDays: z
        .number()
        .nonnegative()
        .max(90)
        .optional()
        .describe(
          "Days after which the true labels of a prediction are there. Younger ones are not judged: fast labels are not like all. Default: 0.",
        ),
      minimum: z.int().positive().optional().describe("Fewest labels to decide on. Default: 100."),
      alpha: z
        .number()
        .gt(0)
        .lt(0.5)
        .optional()
        .describe(
          "Probability that the shown interval of a figure ever misses it, over all looks together. Default: 0.05.",
        ),
      required: z
        .boolean()
        .optional()
        .describe("true: labels that are missing or too few to decide make the watch INCONCLUSIVE. Default: false."),
      margin: z
        .union([z.number().nonnegative(), z.strictObject({ relative: z.number().nonnegative() })])
        .optional()
        .describe(
          "Largest loss against what the gate measured, where the gates name none for accuracy or mae. Default: 0.05 of accuracy, 20 % of mae.",
        ),
    })
    .optional()
    .describe("Figures by the true labels that /feedback got."),
});
export type WatchSettings = z.infer<typeof watchSettings>;

const watchDefaults = {
  windowDays: 7,
  looksPerYear: 365,
  falseAlarmsPerYear: 1,
  minimumRows: 350,
  psi: 0.1,
  rate: 0.05,
  onInsufficient: "fail",
  labels: { horizonDays: 0, minimum: 100, alpha: 0.05, required: false },
} as const satisfies WatchSettings;

type Given<T> = { [K in keyof T]-?: NonNullable<T[K]> };
type LabelSettings = NonNullable<WatchSettings["labels"]>;

/** The settings with their defaults. `margin` has none: it depends on the figure. */
export type WatchPolicy = Given<Omit<WatchSettings, "labels">> & {
  labels: Given<Omit<LabelSettings, "margin">> & Pick<LabelSettings, "margin">;
};

/** The defaults, then the repository's settings, then the model's own. */
export function watchPolicy(...given: readonly (WatchSettings | undefined)[]): WatchPolicy {
  return given.reduce<WatchPolicy>(
    (policy, one) => ({ ...policy, ...one, labels: { ...policy.labels, ...one?.labels } }) as WatchPolicy,
    { ...watchDefaults, labels: { ...watchDefaults.labels } },
  );
}
