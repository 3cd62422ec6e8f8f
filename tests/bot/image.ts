import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { addRun } from "../../rehearsal/github/seeded/state.ts";
import { addChat, startTelegram } from "../../rehearsal/telegram/server.ts";
import { until } from "./harness.ts";

// docker build -f bot/Dockerfile -t sluice-bot .
// node scripts/with-node24.mjs tests/bot/image.ts docker run --rm --network host sluice-bot
//
// Starts the image with stand-ins for Telegram and GitHub on this machine's loopback. Checks its message without a
// configuration, its user, and that it answers, acts and stops on request. It is slow, so it is not part of the tests.

const [engine, ...given] = process.argv.slice(2);
if (engine === undefined)
  throw new Error("usage: image.ts COMMAND that runs the image, e.g. docker run --rm --network host sluice-bot");

function start(...command: string[]) {
  const child = spawn(engine as string, [...given, ...command], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  return {
    child,
    said: () => text,
    ended: new Promise<number>((resolve) => {
      child.on("close", (code) => {
        resolve(code ?? -1);
      });
    }),
  };
}

/** A URL that does not answer until `stop` is called. */
async function askedToStop(): Promise<{ url: string; stop: () => void }> {
  const waiting: (() => void)[] = [];
  const server = createServer((_request, response) => {
    waiting.push(() => {
      response.end("now");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      for (const answer of waiting) answer();
      server.close();
    },
  };
}

const failures: string[] = [];
function claim(what: string, holds: boolean, shown = ""): void {
  console.log(`${holds ? "✓" : "✗"} ${what}${holds || shown === "" ? "" : `: ${shown}`}`);
  if (!holds) failures.push(what);
}

const bare = start();
const code = await bare.ended;
claim(
  "without a configuration it says where one belongs and exits with 2",
  code === 2 && bare.said().includes("/etc/sluice/bot.yaml: there is no configuration here"),
  `${code} ${bare.said()}`,
);

const telegram = await startTelegram();
const github = await startGitHub({ viewer: "sluice[bot]" });
try {
  const ana = telegram.people.person(11, "Ana");
  addChat(telegram.state, { id: -5 });
  addRun(github.state.workflows, { file: "gate.yml", name: "gate", conclusion: "success", sha: "a".repeat(40) });
  const yaml = stringify({
    schemaVersion: 1,
    repository: "octo/models",
    models: [{ id: "mood" }],
    telegram: { users: [{ id: ana.id }], chats: [-5] },
    github: { pollSeconds: 1 },
  });
  const env = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_PACE: "none",
    GITHUB_TOKEN: "ghp_standinbottoken0123456789",
    GITHUB_API_URL: github.url,
  };
  // Not every container engine forwards signals. So a script inside waits for our answer and then sends the signal.
  const stopper = await askedToStop();
  // The files are written inside, because engines differ in how they take volumes and variables. The rest is the
  // image's own command.
  const script = [
    `echo ${Buffer.from(yaml).toString("base64")} | base64 -d > /tmp/bot.yaml`,
    ...Object.entries(env).map(([name, value]) => `export ${name}='${value}'`),
    "id -u; pwd; ls /",
    "node /bot/bot.js /tmp/bot.yaml & bot=$!",
    `node -e "fetch('${stopper.url}').then((a) => a.text())"`,
    "kill -TERM $bot; wait $bot; echo ended $?",
  ].join("\n");
  const bot = start("sh", "-c", script);
  await until(
    () => bot.said().includes('"event":"polling"') || bot.child.exitCode !== null,
    `the bot to start: ${bot.said()}`,
    60_000,
  ).catch((error: unknown) => {
    failures.push(String(error));
  });
  claim("it runs as user 1000 in /data", bot.said().startsWith("1000\n/data\n"), bot.said());
  claim("there is one file to run and no node_modules", !/node_modules|\bsrc\b/.test(bot.said()));
  claim(
    "it prints nothing but JSON lines",
    bot
      .said()
      .split("\n")
      .slice(2)
      .filter((line) => line.includes("Warning")).length === 0,
    bot.said(),
  );
  telegram.people.says(ana, "/runs");
  const answer = await until(
    () => telegram.state.messages.find(({ from, text }) => from.is_bot && text?.includes("Latest runs")),
    `an answer: ${bot.said()}`,
    30_000,
  );
  claim("/runs is answered with what GitHub says", /✅ success gate/.test(answer.text ?? ""), answer.text ?? "");
  const began = performance.now();
  stopper.stop();
  await bot.ended;
  claim(
    "SIGTERM ends it, with exit code 0",
    bot.said().includes('"event":"ended"') && bot.said().trimEnd().endsWith("ended 0"),
    bot.said(),
  );
  console.log(`  after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  claim("no call that Telegram does not know", telegram.violations.length === 0, telegram.violations.join("; "));
  claim(
    "no token in what it printed",
    ![telegram.token.split(":")[1] as string, env.GITHUB_TOKEN].some((secret) => bot.said().includes(secret)),
  );
} finally {
  await telegram.close();
  await github.close();
}
process.exitCode = failures.length === 0 ? 0 : 1;
setTimeout(() => process.exit(), 1_000).unref();
