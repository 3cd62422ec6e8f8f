import { isDeepStrictEqual } from "node:util";

export type PolicyChange = { path: string; base: unknown; candidate: unknown };

/**
 * What a candidate changes in the base branch's gates, leaf by leaf, so that a report can show both. Lists are compared
 * by position.
 */
export function policyChanges(base: unknown, candidate: unknown, path = "gates"): PolicyChange[] {
  if (isDeepStrictEqual(base, candidate)) return [];
  if (!isContainer(base) || !isContainer(candidate) || Array.isArray(base) !== Array.isArray(candidate)) {
    return [{ path, base: base ?? null, candidate: candidate ?? null }];
  }
  const keys = new Set([...Object.keys(base), ...Object.keys(candidate)]);
  return [...keys].flatMap((key) =>
    policyChanges(base[key], candidate[key], Array.isArray(base) ? `${path}[${key}]` : `${path}.${key}`),
  );
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
