import { Refusal } from "../../rehearsal/telegram/refusal.ts";
import { said, until, world } from "./harness.ts";

// node scripts/with-node24.mjs tests/bot/soak.ts [UPDATES] [CHATS] [KILLS]
//
// Sends a burst of updates over many private chats, with Telegram's flood control at one message a second in each chat.
// Injects 429s, 502s and lost answers, and kills the process at random moments. Prints how long it took to answer
// everything, and fails if an answer is missing, repeated or out of order.

const [updates = 500, chats = 50, kills = 5] = process.argv.slice(2).map(Number);
const here = await world({
  config: { telegram: { users: Array.from({ length: chats }, (_, i) => ({ id: 100 + i })) } },
});
const { telegram } = here;
telegram.state.limits = { private: { count: 1, perMs: 1_000 }, group: { count: 20, perMs: 60_000 } };
const people = Array.from({ length: chats }, (_, i) => telegram.people.person(100 + i, `P${i}`));
await here.start();
for (let i = 0; i < updates / 10; i += 1)
  telegram.fail({
    method: "sendMessage",
    times: 1,
    does: [
      { kind: "refuse" as const, refusal: new Refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 }) },
      { kind: "html" as const, status: 502 },
      { kind: "accept-then-reset" as const },
      { kind: "reset" as const },
    ][i % 4] as never,
  });
const began = performance.now();
for (let i = 0; i < updates; i += 1)
  telegram.people.says(people[i % chats] as (typeof people)[number], `/nonsense${i}`);
const numbers = (chat: number) =>
  said(here, chat)
    .flatMap(({ text }) => /nonsense(\d+)/.exec(text ?? "")?.[1] ?? [])
    .map(Number);
const total = () => people.reduce((sum, { id }) => sum + numbers(id).length, 0);
for (let i = 0; i < kills; i += 1) {
  await until(() => total() >= ((i + 1) * updates) / (kills + 2), `progress: ${total()}`, 300_000);
  await here.kill();
  await here.start();
}
await until(() => total() >= updates, `the last answer: ${total()} of ${updates}`, 600_000);
const seconds = (performance.now() - began) / 1000;
await new Promise((resolve) => {
  setTimeout(resolve, 3_000);
});
let wrong = 0;
for (const [c, { id }] of people.entries()) {
  const expected = Array.from({ length: Math.ceil((updates - c) / chats) }, (_, k) => c + k * chats);
  if (JSON.stringify(numbers(id)) !== JSON.stringify(expected)) {
    wrong += 1;
    console.log(`chat ${id}: ${numbers(id).join(" ")}, expected ${expected.join(" ")}`);
  }
}
const refused = telegram.transcript.filter(({ status }) => status === 429).length;
console.log(
  `${updates} updates in ${chats} chats, ${kills} kills -9, ${refused} answers of 429: drained in ${seconds.toFixed(1)} s; chats with missing, doubled or misplaced answers: ${wrong}; invalid calls: ${telegram.violations.length}`,
);
await here.close();
process.exitCode = wrong === 0 && telegram.violations.length === 0 ? 0 : 1;
