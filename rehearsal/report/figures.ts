import { hubViolations } from "../hub/wire.ts";
import type { Scene } from "../scene/scene.ts";
import { nameOf, type Story } from "../stories/story.ts";

/** One played story. Times are in milliseconds since the beginning of the rehearsal. */
export type Played = {
  story: Story;
  fromMs: number;
  untilMs: number;
  error: unknown;
  /** What the story has to tell in the report. */
  reportLines: readonly string[];
};

const width = 40;

/** Each story with its time and result, and a bar that shows when it was played. */
export function timeline(played: readonly Played[]): string[] {
  const wholeMs = Math.max(1, ...played.map(({ untilMs }) => untilMs));
  return played.map(({ story, fromMs, untilMs, error }) => {
    const begin = Math.min(width - 1, Math.floor((fromMs / wholeMs) * width));
    const length = Math.max(1, Math.round(((untilMs - fromMs) / wholeMs) * width));
    const bar = `${"·".repeat(begin)}${"━".repeat(Math.min(length, width - begin))}`.padEnd(width, "·");
    return `${nameOf(story).padEnd(10)}  ${error === null ? "✓" : "✗"} ${((untilMs - fromMs) / 1000).toFixed(1).padStart(6)} s  ${bar}  ${story.title}`;
  });
}

type Count = { service: string; requests: number; heldTo: string; violations: readonly string[] };

/** The number of requests to each service, and everything in them that the service does not document. */
export function counts(scenes: readonly Scene[]): Count[] {
  const toHub = scenes.flatMap(({ hubs }) => hubs.all.flatMap(({ transcript }) => transcript));
  const sum = (count: (scene: Scene) => number) => scenes.reduce((total, scene) => total + count(scene), 0);
  return [
    {
      service: "GitHub",
      requests: sum(({ github }) => github.transcript.length),
      heldTo: "its OpenAPI description",
      violations: scenes.flatMap(({ github }) => github.violations()),
    },
    {
      service: "Telegram",
      requests: sum(({ telegram }) => telegram.transcript.length),
      heldTo: "the Bot API's types",
      violations: scenes.flatMap(({ telegram }) => telegram.violations),
    },
    { service: "Hub", requests: toHub.length, heldTo: "its wire table", violations: hubViolations(toHub) },
  ];
}

const maxShown = 20;

export function countLines(all: readonly Count[]): string[] {
  return all.flatMap(({ service, requests, heldTo, violations }) => [
    `${service.padEnd(9)} ${requests.toLocaleString("en").padStart(7)} requests held to ${heldTo.padEnd(24)} ${violations.length === 0 ? "0 violations" : `${violations.length} VIOLATIONS`}`,
    ...[...new Set(violations)].slice(0, maxShown).map((one) => `          ${one}`),
  ]);
}
