import type { BotConfiguration } from "../config/config.ts";
import type { GitHub, Released } from "./github.ts";
import { sparkline } from "../../eval/report/markdown/bars.ts";

/** The maximum number of releases to read. */
const maxReleases = 8;

type Trend = { releases: Released[]; metric: string | null; values: number[]; line: string };

/** A model's releases, oldest first, and its deciding metric over them. */
export async function trendOf(github: GitHub, bot: BotConfiguration, model: string): Promise<Trend> {
  const tags = (await github.tags(model))
    .toSorted((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }))
    .slice(-maxReleases);
  const releases = await Promise.all(tags.map((tag) => github.release(tag)));
  const last = releases.at(-1)?.receipt?.metrics ?? [];
  const metric =
    bot.models.find(({ id }) => id === model)?.metric ??
    last.find(({ interval }) => interval !== null)?.metric ??
    last[0]?.metric ??
    null;
  const values =
    metric === null
      ? []
      : releases.map(({ receipt }) => receipt?.metrics.find((one) => one.metric === metric)?.value ?? Number.NaN);
  return { releases, metric, values, line: sparkline(values) };
}
