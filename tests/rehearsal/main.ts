import { parseArgs } from "node:util";
import { Scene } from "./scene/scene.ts";
import { models, spaces, teamFiles } from "./scene/team.ts";
import { stories } from "./stories/all.ts";

const { values } = parseArgs({ options: { keep: { type: "boolean", default: false }, watch: { type: "boolean", default: false }, story: { type: "string", multiple: true, default: [] } } });
const wanted = values.story.length === 0 ? stories : stories.filter(({ number }) => values.story.includes(String(number)));
const beganAt = Date.now();
const tell = (line: string) => { process.stdout.write(`${((Date.now() - beganAt) / 1000).toFixed(1).padStart(6)} s  ${line}\n`); };
const scene = await Scene.open({ spaces, models, files: teamFiles });
let failed = 0;
try {
  for (const story of wanted) {
    tell(`Story ${story.number}: ${story.title}`);
    await story.play(scene, (line) => { tell(`  ${line}`); }).catch((error: unknown) => {
      failed += 1;
      tell(`  FAILED: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
} finally {
  await scene.close();
}
process.exitCode = failed === 0 ? 0 : 1;
