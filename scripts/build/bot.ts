import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundle, type Bundle } from "./bundle.ts";

// node scripts/with-node24.mjs scripts/build/bot.ts DIR    bundles the bot into DIR: one file to start, no node_modules

export const botBundle: Bundle = { dist: "bot/dist", native: false, entries: { bot: "bot/main.ts" } };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? "bot/dist";
  const { files } = await buildBundle(botBundle, fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, ""));
  await mkdir(out, { recursive: true });
  for (const { name, bytes } of files) await writeFile(join(out, name), bytes);
  console.log(`${out}: ${files.map(({ name }) => name).join(" ")}`);
}
