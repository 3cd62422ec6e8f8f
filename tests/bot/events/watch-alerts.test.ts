import { afterEach, beforeAll, expect, it } from "vitest";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import { gatedModel, riskRows, served } from "../../watch/live-model.ts";
import { alreadyLinked, ask, group, labels, said, tap, until, world, type World } from "../harness.ts";

let here: World;
let dir = "";
beforeAll(async () => {
  ({ dir } = await gatedModel());
}, 60_000);
afterEach(async () => {
  const { violations } = here.telegram;
  await here.close();
  expect(violations).toEqual([]);
});

it("tells a chat once that scores drifted, although the bot was killed and Telegram refused and lost the alert", async () => {
  const server = await served(dir);
  here = await world({ config: { models: [{ id: "risk", live: server.url }], watch: { intervalSeconds: 1 } } });
  alreadyLinked(here, here.ana, "ana-gh");
  await here.start();
  await ask(here, here.ana, "/subscribe risk watch", group);
  await server.ask(riskRows(1000, 2));
  const looked = async () => (await ask(here, here.ana, "/watch")).text ?? "";
  for (let text = ""; !text.includes("✅ PASS");) text = await looked();
  await here.kill();

  await server.ask(riskRows(3000, 4, { scoreShift: 2.5 }));
  const { faults } = here.telegram.state;
  faults.push(
    {
      method: "sendMessage",
      times: 1,
      does: { kind: "refuse", refusal: new Refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 }) },
    },
    { method: "sendMessage", times: 1, does: { kind: "html", status: 502 } },
    { method: "sendMessage", times: 1, does: { kind: "accept-then-reset" } },
  );
  await here.start();
  const alerts = () => said(here, group).filter(({ text }) => text?.startsWith("❌ FAIL watch of risk 1.0.0"));
  const alert = await until(() => alerts()[0], "the alert");
  expect(alert.text).toMatch(/in production, after PASS\n• risk\.score: drift/);
  expect(labels(alert)).toEqual(["Acknowledge", "Snooze 1 d", "State"]);
  await tap(here, here.ana, alert, "Acknowledge");
  expect(alert.text).toContain("acknowledged by ana-gh");
  await here.kill();
  await here.start();
  expect(await looked()).toMatch(/alert FAIL since .*acknowledged by ana-gh/);
  expect(faults.every(({ times }) => times === 0)).toBe(true);
  expect(alerts()).toHaveLength(1);
});
