import type { BotConfiguration } from "../config/config.ts";
import { clockParts } from "../context/text.ts";

/** Whether this is a time at which alerts make no sound. Hours that end before they begin go on past midnight. */
export function isQuiet(
  { quietHours, timeZone }: Pick<BotConfiguration, "quietHours" | "timeZone">,
  atMs: number,
): boolean {
  if (quietHours === null) return false;
  const { hour, minute } = clockParts(atMs, timeZone);
  const time = `${hour}:${minute}`;
  const { from, to } = quietHours;
  return from <= to ? from <= time && time < to : time >= from || time < to;
}
