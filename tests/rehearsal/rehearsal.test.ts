import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counts } from "./figures.ts";
import { Scene } from "./scene/scene.ts";
import { models, spaces, teamFiles } from "./scene/team.ts";
import { stories } from "./stories/all.ts";
import { nameOf } from "./stories/story.ts";

let scene: Scene;
beforeAll(async () => { scene = await Scene.open({ spaces, models, files: teamFiles }); }, 120_000);
afterAll(() => scene.close(), 60_000);

describe("the rehearsal", () => {
  it.each(stories.map((story) => [nameOf(story), story.title, story] as const))("story %s: %s", async (_name, _title, story) => {
    await expect(story.play(scene, () => {})).resolves.toBeUndefined();
  }, 300_000);

  it("asked GitHub, Telegram and the Hub nothing that they do not document", () => {
    expect(counts([scene]).map(({ service, violations }) => [service, violations])).toEqual([["GitHub", []], ["Telegram", []], ["Hub", []]]);
    expect(scene.github.transcript.length).toBeGreaterThan(100);
  });
});
