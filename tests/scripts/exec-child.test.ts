import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const node = join(root, "node_modules/node/bin/node");
const launcher = `import { execChild } from ${JSON.stringify(join(root, "scripts/exec-child.mjs"))};
execChild(process.execPath, ["--eval", process.argv[1]]);`;

/** Starts a program like `sluice` on an older Node: in a child process, which the caller must not notice. */
function start(program: string) {
  const child = spawn(node, ["--input-type=module", "--eval", launcher, program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  return { child, exited, said: once(child.stdout, "data").then(([chunk]) => String(chunk)) };
}

it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s reaches the program, and its exit code comes back",
  async (signal) => {
    const { child, exited, said } = start(
      `process.on("${signal}", () => process.exit(7)); setInterval(() => {}, 1000); process.stdout.write("up")`,
    );
    expect(await said).toBe("up");
    child.kill(signal);
    expect(await exited).toEqual([7, null]);
  },
);

it("an exit code and a death by signal are passed on", async () => {
  expect(await start("process.exit(3)").exited).toEqual([3, null]);
  expect(await start('process.kill(process.pid, "SIGKILL")').exited).toEqual([null, "SIGKILL"]);
});
