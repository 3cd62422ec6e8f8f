import type { ServedCheck } from "../features/check.ts";
import { counted } from "./text/format.ts";

/** The result of `sluice features check`, for a terminal. */
export function renderServedCheck({ verdict, reason, steps }: ServedCheck): string {
  const lines = steps.map(
    ({ step, records, differing, otherEvent, unknownKeys, missing, medianAgeSeconds, stores }) =>
      `${step}: ${counted(records, "record")}, ${differing} differ, ${otherEvent} from another event, ${unknownKeys} of keys that the history lacks; ${missing.unknown} were served without features, ${missing.stale} with features too old, ${missing.null} with a value missing; median age ${medianAgeSeconds === null ? "unknown" : `${medianAgeSeconds.toFixed(0)} s`}; ${stores.length === 0 ? "Redis" : counted(stores.length, "table")}`,
  );
  return `${[...lines, `${verdict}: ${reason}`].join("\n")}\n`;
}
