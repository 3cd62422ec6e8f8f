import { afterEach, expect, it } from "vitest";
import { alreadyLinked, ask, linkAccount, said, until, world, type World } from "../harness.ts";

let here: World;
afterEach(() => here.close());

it("tells whoever had an account that somebody else has proved it", async () => {
  here = await world();
  alreadyLinked(here, here.ana, "ben-gh");
  await here.start();
  await linkAccount(here, here.ben, "ben-gh");
  const message = await until(() => said(here, here.ana.id)[0], "the message to the former owner");
  expect(message.text).toContain("Telegram user 12 has proved to be ben-gh");
  expect((await ask(here, here.ana, "/whoami")).text).toContain("not linked");
});
