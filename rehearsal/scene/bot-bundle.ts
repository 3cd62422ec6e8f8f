import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { botBundle } from "../../scripts/build/bot.ts";
import { buildBundle } from "../../scripts/build/bundle.ts";
import { root } from "./repository.ts";

let built: Promise<string> | undefined;

/** The bot's bundle as the image runs it: in a folder without node_modules. It is built once. */
export function bundledBot(): Promise<string> {
  built ??= (async () => {
    const dir = mkdtempSync(join(tmpdir(), "sluice-bot-"));
    const { files } = await buildBundle(botBundle, root);
    for (const { name, bytes } of files) writeFileSync(join(dir, name), bytes);
    return dir;
  })();
  return built;
}
