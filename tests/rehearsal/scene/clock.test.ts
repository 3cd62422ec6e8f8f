import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, expect, it } from "vitest";
import { Clock } from "../../../rehearsal/scene/clock.ts";
import { folderWith } from "../../eval/dataset/build.ts";

let child: ReturnType<typeof spawn> | null = null;
afterEach(() => {
  child?.kill("SIGKILL");
});

it("a process sees the time that is set, in every form of Date, and other dates as ever", async () => {
  const clock = new Clock(folderWith({}), "spaces");
  const program = `process.stdin.on("data", () => console.log(JSON.stringify([
    Date.now(), new Date().getTime(), Date.parse(Date()), new Date(5).getTime(), new Date(2000, 0, 1) instanceof Date])))`;
  child = spawn(process.execPath, ["-e", program], { env: { ...process.env, ...clock.env } });
  const lines = createInterface({ input: child.stdout! });
  const ask = async (): Promise<unknown[]> => {
    child!.stdin!.write("?\n");
    const [line] = (await once(lines, "line")) as [string];
    return JSON.parse(line) as unknown[];
  };
  expect(Math.abs(Number((await ask())[0]) - Date.now())).toBeLessThan(30_000);
  for (const year of [2004, 2031]) {
    const at = Date.UTC(year, 0, 1, 12);
    await clock.set(at);
    const [now, made, called, other, isDate] = await ask();
    for (const seen of [now, made, called]) expect(Math.abs(Number(seen) - at)).toBeLessThan(30_000);
    expect([other, isDate]).toEqual([5, true]);
  }
});
