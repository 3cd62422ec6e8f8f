import { parseArgs } from "node:util";
import { failureLines } from "./report/failure.ts";
import { countLines, counts, timeline, type Played } from "./report/figures.ts";
import { follow, slowDown } from "./report/follow.ts";
import { playInLanes } from "./stories/lanes.ts";
import { servePage } from "./page/server.ts";
import type { StoryState } from "./page/state.ts";
import { chat, Scene, type SceneOptions } from "./scene/scene.ts";
import { models, spaces, teamFiles } from "./scene/team.ts";
import { stories } from "./stories/all.ts";
import { isCalled, nameOf, type Story } from "./stories/story.ts";

const usage = `npm run rehearsal -- [--story N]… [--watch] [--keep]
  --story N  only that story; may be given several times. "8 mood": only as that system plays it
  --watch    slowly, logging what happens at each service as it happens
  --keep     leaves everything up afterwards, with a page that shows it; Ctrl-C ends it`;
const viewersPauseMs = 1500;

function options(): { keep: boolean; watch: boolean; wanted: readonly Story[] } {
  const complain = (why: string): never => {
    process.stderr.write(`${why}\n${usage}\n`);
    process.exit(2);
  };
  try {
    const { values } = parseArgs({
      options: {
        keep: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        story: { type: "string", multiple: true, default: [] },
      },
    });
    if (values.help) {
      process.stdout.write(
        `${usage}\n\n${stories.map((story) => `${nameOf(story).padEnd(12)}  ${story.title}`).join("\n")}\n`,
      );
      process.exit(0);
    }
    const unknown = values.story.find((one) => !stories.some((story) => isCalled(story, one)));
    if (unknown !== undefined)
      complain(`--story: there is no story ${unknown}; there are ${stories.map(nameOf).join(", ")}`);
    return {
      ...values,
      wanted:
        values.story.length === 0
          ? stories
          : stories.filter((story) => values.story.some((one) => isCalled(story, one))),
    };
  } catch (error) {
    return complain((error as Error).message);
  }
}

const { keep, watch, wanted } = options();
const beganAt = Date.now();
const say = (line = "") => {
  process.stdout.write(`${line}\n`);
};
const log = (line: string) => {
  say(`${((Date.now() - beganAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
};
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    interrupt.abort();
  });

/** @param named whether each line names its story, because stories run in parallel and their lines mix */
async function play(
  shared: Scene,
  ours: readonly Story[],
  named: boolean,
  onEnd: (story: Story) => void = () => {},
): Promise<Played[]> {
  const played: Played[] = [];
  for (const story of ours) {
    if (interrupt.signal.aborted) break;
    const state = states[wanted.indexOf(story)] as StoryState;
    const scene = story.setting === undefined || story.setting === own ? shared : await open(story.setting);
    const words = (line: string) => {
      log(`  ${watch ? "▸ " : ""}${named ? `${nameOf(story)}: ` : ""}${line}`);
    };
    const from = Date.now();
    let step = "the beginning";
    let error: unknown = null;
    let reportLines: readonly string[] = [];
    state.state = "playing";
    log(`Story ${nameOf(story)}: ${story.title}`);
    const ended = new Promise<never>((_, reject) => {
      interrupt.signal.addEventListener(
        "abort",
        () => {
          reject(new Error("interrupted"));
        },
        { once: true },
      );
    });
    try {
      reportLines =
        (await Promise.race([
          story.play(scene, (line) => {
            step = line;
            words(line);
          }),
          ended,
        ])) ?? [];
    } catch (caught) {
      error = caught;
      words(interrupt.signal.aborted ? "interrupted" : "FAILED");
      if (!interrupt.signal.aborted)
        for (const line of failureLines(scene, { error, step, sinceMs: from })) say(`          ${line}`);
    }
    const until = Date.now();
    Object.assign(state, { state: error === null ? "passed" : "failed", seconds: (until - from) / 1000 });
    played.push({ story, fromMs: from - beganAt, untilMs: until - beganAt, error, reportLines });
    onEnd(story);
  }
  return played;
}

/** Plays all stories. With --keep or --watch they share one scene, because a viewer sees only one. */
async function playAll(scene: Scene, open: () => Promise<Scene>): Promise<Played[]> {
  if (keep || watch) return await play(scene, wanted, false);
  const named = wanted.some(({ beside }) => beside === true) && wanted.some(({ beside }) => beside !== true);
  const played: Played[] = [];
  await playInLanes(
    wanted,
    async (ours, onEnd) => {
      played.push(...(await play(scene, ours, named, onEnd)));
    },
    async (ours, onEnd) => {
      played.push(...(await play(await open(), ours, named, onEnd)));
    },
    interrupt.signal,
  );
  return played.toSorted((a, b) => wanted.indexOf(a.story) - wanted.indexOf(b.story));
}

function addresses(scene: Scene, page: string): string[] {
  return [
    `${page}  the pull request, the chat and the Space side by side`,
    `${scene.github.apiUrl}  GitHub's API, e.g. /repos/acme/models/pulls`,
    `${scene.hubs.url}  the Hub's API, e.g. /api/spaces/acme/fares/runtime`,
    `${scene.telegram.url}  Telegram's Bot API; the team's chat is ${chat}`,
    ...scene.hubs.all
      .filter(({ space }) => space.live !== null)
      .map(({ space, domain }) => `http://${domain}  the Space ${space.name}, e.g. /model/info`),
    `${scene.directory}  the bot's files and the runner's`,
  ];
}

const scenes: Scene[] = [];
const open = async (setting: SceneOptions = { spaces, models, files: teamFiles }) => {
  const opened = await Scene.open(setting);
  scenes.push(opened);
  return opened;
};
const own = wanted.every(({ setting }) => setting !== undefined) ? wanted[0]?.setting : undefined;
const scene = await open(own);
const states = wanted.map((story): StoryState => ({
  name: nameOf(story),
  title: story.title,
  state: "waiting",
  seconds: null,
}));
let page: Awaited<ReturnType<typeof servePage>> | null = null;
let stop = () => {};
try {
  if (keep) {
    page = await servePage(scene, states);
    log(`Watch it at ${page.url}`);
  }
  if (watch) {
    slowDown(scene, viewersPauseMs);
    stop = follow(scene, (line) => {
      log(`      ${line}`);
    });
  }
  const played = await playAll(scene, open);
  stop();
  const all = counts(scenes);
  const whole = played.length === wanted.length && played.every(({ error }) => error === null);
  say("\nTimeline");
  for (const line of timeline(played)) say(line);
  for (const { story, reportLines } of played)
    if (reportLines.length > 0) for (const line of ["", `Story ${nameOf(story)}`, ...reportLines]) say(line);
  say();
  for (const line of countLines(all)) say(line);
  process.exitCode = interrupt.signal.aborted
    ? 130
    : whole && all.every(({ violations }) => violations.length === 0)
      ? 0
      : 1;
  say(
    `\n${played.filter(({ error }) => error === null).length} of ${wanted.length} stories as told, in ${((Date.now() - beganAt) / 1000).toFixed(0)} s`,
  );
  if (page !== null && !interrupt.signal.aborted) {
    say("\nEverything is left up until Ctrl-C:");
    for (const line of addresses(scene, page.url)) say(`  ${line}`);
    await new Promise<void>((resolve) => {
      interrupt.signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
} finally {
  stop();
  await page?.close();
  await Promise.all(scenes.map((one) => one.close()));
}
// Do not wait for what an interrupted story is still waiting for.
if (interrupt.signal.aborted) process.exit(130);
