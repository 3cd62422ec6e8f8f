import { rankingDifference } from "../../models/core/postprocess/ranking-difference.ts";

/**
 * Describes the first difference between a golden answer and a received one; null if they agree. Numbers may differ by
 * `tolerance`, absolute and relative; 0 requires equality. Texts, labels, the places of spans and the lengths of lists
 * must be equal. Of rankings every item's score must agree; items may change places, and leave at the cut, only where
 * their scores are that close.
 */
export function differenceOf(expected: unknown, received: unknown, tolerance: number, path = "heads"): string | null {
  if (typeof expected === "number") {
    if (typeof received !== "number" || !Number.isFinite(received))
      return `${path}: expected ${expected}, received ${JSON.stringify(received) ?? "nothing"}`;
    const allowed = tolerance * (1 + Math.abs(expected));
    return Math.abs(received - expected) <= allowed ? null : `${path}: expected ${expected}, received ${received}`;
  }
  if (typeof expected !== "object" || expected === null)
    return Object.is(expected, received)
      ? null
      : `${path}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(received) ?? "nothing"}`;
  if (typeof received !== "object" || received === null || Array.isArray(expected) !== Array.isArray(received))
    return `${path}: expected ${Array.isArray(expected) ? "a list" : "an object"}, received ${JSON.stringify(received) ?? "nothing"}`;
  if (Array.isArray(expected) && expected.length !== (received as unknown[]).length)
    return `${path}: expected ${expected.length} items, received ${(received as unknown[]).length}`;
  if (tolerance > 0 && isRanking(expected) && isRanking(received)) {
    const difference = rankingDifference(received.items, expected.items);
    return difference <= tolerance
      ? null
      : `${path}: the rankings differ by ${difference}: expected ${shown(expected.items)}, received ${shown(received.items)}`;
  }
  for (const [name, value] of Object.entries(expected)) {
    const allowed = places.has(name) && isPlaced(expected) ? 0 : tolerance;
    const found = differenceOf(value, (received as Record<string, unknown>)[name], allowed, `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

/** Keys of spans that say where in a text something is: beside 20,000 a tolerance would allow a few characters. */
const places: ReadonlySet<string> = new Set(["start", "end", "readTo"]);

const isPlaced = (value: object) => "type" in value || (value as { kind?: unknown }).kind === "spans";

type Ranking = { kind: "ranking"; items: { id: string; score: number }[] };

function isRanking(value: object): value is Ranking {
  const { kind, items } = value as Partial<Ranking>;
  return (
    kind === "ranking" &&
    Array.isArray(items) &&
    items.every((item: unknown) => {
      const { id, score } = (item ?? {}) as Partial<Ranking["items"][number]>;
      return typeof id === "string" && Number.isFinite(score);
    })
  );
}

const shown = (items: Ranking["items"]) =>
  `${items
    .slice(0, 5)
    .map(({ id, score }) => `${id} (${score})`)
    .join(", ")}${items.length > 5 ? ", …" : ""}`;
