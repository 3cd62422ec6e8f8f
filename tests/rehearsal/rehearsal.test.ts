import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubViolations } from "./hub-wire.ts";
import { Scene } from "./scene/scene.ts";
import { models, spaces, teamFiles } from "./scene/team.ts";
import { stories } from "./stories/all.ts";

let scene: Scene;
beforeAll(async () => { scene = await Scene.open({ spaces, models, files: teamFiles }); }, 120_000);
afterAll(() => scene.close(), 60_000);

describe("the rehearsal", () => {
  const told: string[] = [];
  it.each(stories.map((story) => [story.number, story.title, story] as const))("story %d: %s", async (_number, _title, story) => {
    await expect(story.play(scene, (line) => { told.push(line); })).resolves.toBeUndefined();
  }, 300_000);

  it("asked GitHub, Telegram and the Hub nothing that they do not document", () => {
    expect(scene.github.violations()).toEqual([]);
    expect(scene.telegram.violations).toEqual([]);
    expect(scene.hubs.all.flatMap(({ transcript }) => hubViolations(transcript))).toEqual([]);
    expect(scene.github.transcript.length).toBeGreaterThan(100);
  });
});
