import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { modelFolder, serve, served, temporaryFolder } from "./harness.ts";

it.each(["main", "worker", "process"])(
  "the runtime writes nothing into the home folder: --engine %s",
  async (engine) => {
    const home = temporaryFolder();
    const server = await serve([modelFolder(served())], ["--engine", engine], { env: { HOME: home } });
    expect((await server.post("/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
    await server.kill();
    expect(readdirSync(home)).toEqual([]);
  },
);
