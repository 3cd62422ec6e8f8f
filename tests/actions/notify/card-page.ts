// node scripts/with-node24.mjs tests/actions/notify/card-page.ts VERDICT.json
//
// Plays one candidate's life with the built action and the stand-in Telegram. Writes what the chat shows to
// docs/telegram-card.html and, if Chromium is installed, to docs/images/telegram-card.png. VERDICT.json is a real
// verdict, such as .sluice/verdict.json after `npx sluice gate`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { verdictFile } from "../../../eval/schema/verdict.ts";
import { stories } from "../../eval/report/stories.ts";
import { startGitHub } from "../../../rehearsal/github/seeded/github.ts";
import { addChat, startTelegram } from "../../../rehearsal/telegram/server.ts";
import type { StoredMessage } from "../../../rehearsal/telegram/state.ts";
import { page, type Scene } from "./page.ts";
import { receipt, runNotify, unpackNotify, type NotifyOptions } from "./step.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: card-page.ts VERDICT.json");
const verdict = verdictFile.parse(JSON.parse(await readFile(path, "utf8")));
const births = { ...verdict, models: verdict.models.filter((one) => one.model.id === "births") };
const model = births.models[0]?.model;
if (model === undefined) throw new Error(`${path} has no model births`);
const chat = -1001234567890;
const deployed = (outcome: string, change: object = {}) =>
  receipt(outcome, { url: "https://octo-births.hf.space", ...change }, { id: model.id, version: model.version });

const action = await unpackNotify();
const telegram = await startTelegram();
const github = await startGitHub();
addChat(telegram.state, { id: chat });
const scenes: Scene[] = [];
const bot = () => telegram.state.messages.filter((one): one is StoredMessage => one.from.is_bot);

async function act(caption: string, options: Partial<NotifyOptions>): Promise<void> {
  const rungBefore = telegram.transcript.filter((call) => call.audible).length;
  const run = await runNotify({
    action,
    apiUrl: github.url,
    env: { GITHUB_SERVER_URL: "https://github.com" },
    ...options,
    inputs: {
      token: telegram.token,
      chat: String(chat),
      "api-root": telegram.url,
      "github-token": "ghs_page",
      ...options.inputs,
    },
  });
  if (run.code !== 0 || run.outputs["status"] === "failed") throw new Error(run.log);
  const rang = telegram.transcript.filter((call) => call.audible).length > rungBefore;
  const cards = bot().filter((one) => one.replyTo === null);
  scenes.push({
    caption,
    card: structuredClone(cards.at(-1) as StoredMessage),
    edited: run.outputs["status"] === "edited",
    ring: rang ? structuredClone(bot().at(-1) as StoredMessage) : null,
  });
}

try {
  await act("The pull request is opened.", { inputs: { models: `births@${model.version}` } });
  await act("The gate has judged.", { inputFiles: { verdict: births } });
  await act("Merged; production wants an approval.", { inputFiles: { verdict: births }, inputs: { phase: "waiting" } });
  await act("Approved: the Space is built, started and proved.", {
    inputFiles: { verdict: births, deployment: deployed("live") },
    inputs: { phase: "proving" },
  });
  await act("Proved.", { inputFiles: { verdict: births, deployment: deployed("live") } });
  await act("Had the proof failed:", {
    inputFiles: {
      verdict: births,
      deployment: deployed("rolled-back", {
        reason: "golden predictions differ: row 17 is 9,412, measured was 9,431",
        rolledBackTo: { version: births.models[0]?.baseline?.version ?? "1.0.0" },
      }),
    },
  });
  await act("Another candidate does not pass.", { inputFiles: { verdict: stories.fail } });
  telegram.state.rich = false;
  telegram.state.messages.length = 0;
  github.state.comments.length = 0;
  await act("The same where the Bot API has no rich messages.", { inputFiles: { verdict: stories.fail } });
} finally {
  await telegram.close();
  await github.close();
  action.remove();
}
if (telegram.violations.length > 0) throw new Error(telegram.violations.join("\n"));
const html = fileURLToPath(new URL("../../../docs/telegram-card.html", import.meta.url));
await writeFile(html, page(scenes));
console.log(`docs/telegram-card.html: ${scenes.length} scenes`);

const chromium = "/usr/bin/chromium";
if (existsSync(chromium)) {
  const shot = join(mkdtempSync(join(tmpdir(), "sluice-card-")), "card.png");
  const { status, stderr } = spawnSync(
    chromium,
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--window-size=1480,1600",
      `--screenshot=${shot}`,
      `file://${html}`,
    ],
    { encoding: "utf8", timeout: 60_000 },
  );
  if (status !== 0) throw new Error(stderr);
  const images = new URL("../../../docs/images/", import.meta.url);
  await mkdir(images, { recursive: true });
  const { data: trimmed } = await sharp(shot).trim({ threshold: 5 }).toBuffer({ resolveWithObject: true });
  const image = await sharp(trimmed)
    .extend({ top: 16, bottom: 16, left: 16, right: 16, background: "#eef2f5" })
    .png({ palette: true, colours: 128, effort: 10 })
    .toBuffer();
  await writeFile(new URL("telegram-card.png", images), image);
  console.log(`docs/images/telegram-card.png: ${(image.length / 1000).toFixed(0)} kB`);
}
