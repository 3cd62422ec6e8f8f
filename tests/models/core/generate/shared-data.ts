import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of data that lies beside the repository; null where there is none. */
export const sharedData =
  [1, 2]
    .map((up) => join(import.meta.dirname, "../../../..", ...Array.from({ length: up }, () => ".."), "shared/data"))
    .find((place) => existsSync(place)) ?? null;
