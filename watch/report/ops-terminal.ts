import { oneLine } from "../../eval/report/text/text.ts";
import type { OpsFile, OpsModel } from "../schema/ops.ts";

const percent = (share: number | null): string => (share === null ? "unknown" : `${(100 * share).toFixed(1)} %`);

/** What a terminal shows of `sluice ops`: per model its verdict, deliveries, costs and the wear of its test sets. */
export function renderOpsTerminal({ models, currency, period }: OpsFile): string {
  const days = Math.round((Date.parse(period.to) - Date.parse(period.from)) / 86_400_000);
  return models
    .map((one) =>
      [
        `${one.verdict.padEnd(12)} ${one.model.id}: ${one.reason}`,
        ...deliveryLines(one.delivery, days),
        ...useLines(one.use),
        ...costLines(one.costs, currency),
        ...one.wear.map(
          ({ dataset, digest, candidates, rows, optimism, adaptiveOptimism, candidatesLeft }) =>
            `  test set ${dataset} ${digest.slice(0, 12)}: ${candidates} candidates on ${rows} rows, at most ${percent(optimism)} too good (${percent(adaptiveOptimism)} if each was chosen by the results before)${candidatesLeft === null ? "" : `, ${candidatesLeft} more until the limit`}`,
        ),
        ...one.notes.map((note) => `  ${note}`),
      ]
        .map((line) => `${/^ */.exec(line)![0]}${oneLineKept(line)}`)
        .join("\n"),
    )
    .join("\n\n");
}

/** Keeps the columns of a table: only what is no printable character goes. */
const oneLineKept = (line: string): string =>
  line
    .trimStart()
    .split(/(?<=\S)( {2,})/)
    .map((part) => (/^ +$/.test(part) ? part : oneLine(part)))
    .join("");

function deliveryLines(delivery: OpsModel["delivery"], days: number): string[] {
  if (delivery === null) return [];
  const { environment, deployments, deploymentsPerWeek, unproved, reworkRate } = delivery;
  return [
    `  ${environment}, ${days} days`,
    row(
      "deployments",
      `${deployments} (${deploymentsPerWeek.toFixed(1)} a week)${unproved === 0 ? "" : `, ${unproved} not proved`}`,
    ),
    row("lead time", duration(delivery.leadTimeMedianMs)),
    row("change failure", percent(delivery.changeFailureRate)),
    row(
      "recovery",
      `${duration(delivery.recoveryMedianMs)}${delivery.unrestored === 0 ? "" : `, ${delivery.unrestored} never`}`,
    ),
    row("rework", percent(reworkRate)),
  ];
}

function useLines(use: OpsModel["use"]): string[] {
  if (use === null) return [];
  const { servers, answers, hours, busyShare, cacheHitShare, throughputPerSecond } = use;
  return [
    `  ${servers} ${servers === 1 ? "server" : "servers"}, ${answers} answers in ${hours} hours`,
    row(
      "throughput",
      throughputPerSecond === null ? "not measured" : `${throughputPerSecond.toFixed(0)} rows/s at most`,
    ),
    row("busy", percent(busyShare)),
    row("cache hits", percent(cacheHitShare)),
  ];
}

function costLines(costs: OpsModel["costs"], currency: string): string[] {
  if (costs.length === 0) return [];
  const width = Math.max(...costs.map(({ name }) => name.length));
  const money = (value: number | null) => (value === null ? "-" : `${value.toPrecision(3)} ${currency}`);
  return [
    "  cost of 1,000 answers (idle time included; always busy; use)",
    ...costs.map(
      ({ name, per1000, per1000AtFullUse, utilisation, reason }) =>
        `    ${name.padEnd(width)}  ${money(per1000).padStart(14)}  ${money(per1000AtFullUse).padStart(14)}  ${percent(utilisation)}${reason === null ? "" : `  ${reason}`}`,
    ),
  ];
}

const row = (name: string, value: string): string => `    ${name.padEnd(16)} ${value}`;

function duration(ms: number | null): string {
  if (ms === null) return "unknown";
  const minutes = ms / 60_000;
  if (minutes < 120) return `${minutes.toFixed(1)} minutes`;
  return minutes < 2880 ? `${(minutes / 60).toFixed(1)} hours` : `${(minutes / 1440).toFixed(1)} days`;
}
