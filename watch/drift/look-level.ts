/** How often a year a model that is well may be called drifted. */
export const falseAlarmsPerYear = 1;

/**
 * What one look may err with, so that all looks of a year together give at most `falseAlarmsPerYear` false alarms on
 * average. The budget is spread evenly over the looks and over the series that decide: by the linearity of expectation
 * the sum holds whatever the dependence between looks and between series, also for windows that overlap. It renews
 * itself every year, so that a watch may run for ever.
 *
 * @param looksPerYear windows judged in a year: 365 for days, 8,760 for hours
 * @param series distributions and figures that can raise the alarm; those that only inform do not count
 * @returns α of one side of one look, and the two-sided level 1 - 2α of its interval
 * @throws RangeError where a count is not positive
 */
export function lookLevel({
  looksPerYear,
  series,
  perYear = falseAlarmsPerYear,
}: {
  looksPerYear: number;
  series: number;
  perYear?: number;
}): { alpha: number; level: number } {
  for (const [name, value] of Object.entries({ looksPerYear, series, perYear }))
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`${name} must be above 0, got ${value}; for example looksPerYear 365, series 2`);
  const alpha = Math.min(0.25, perYear / (looksPerYear * series));
  return { alpha, level: 1 - 2 * alpha };
}
