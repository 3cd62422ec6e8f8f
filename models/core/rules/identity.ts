import { createHash } from "node:crypto";
import type { Rules } from "./schema.ts";

/** `sha256`: of the rules as they were read, defaults included. */
export type RulesIdentity = { version: string; sha256: string };

/** Which rules a model has, as a part of what identifies it; nothing for a model without rules. */
export function rulesIdentity({ rules }: { rules?: Rules | undefined }): { rules?: RulesIdentity } {
  return rules === undefined
    ? {}
    : {
        rules: { version: rules.version, sha256: createHash("sha256").update(JSON.stringify(rules)).digest("hex") },
      };
}
