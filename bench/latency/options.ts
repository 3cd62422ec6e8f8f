import { parseArgs } from "node:util";

/** Parses `--name value` flags over defaults. An unknown flag, or text where a number is expected, ends the program. */
export function flags<Defaults extends Record<string, string | number>>(defaults: Defaults): Defaults {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }])),
  });
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = values[name];
      if (given === undefined) return [name, value];
      if (typeof value === "string") return [name, given];
      if (!Number.isFinite(Number(given))) throw new Error(`--${name} wants a number, not ${given}`);
      return [name, Number(given)];
    }),
  ) as Defaults;
}
