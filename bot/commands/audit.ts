import type { Command } from "./command.ts";
import { safe } from "./words.ts";

export const audit: Command = {
  name: "audit", usage: "/audit", about: "who did what, latest first",
  run({ store }) {
    const broken = store.audit.brokenAt();
    const lines = store.audit.latest(15).map(({ at, user, login, event, detail }) => `${new Date(at).toISOString().slice(5, 16).replace("T", " ")} <b>${safe(login ?? (user === null ? "the bot" : String(user)), 40)}</b> ${safe(event, 40)} ${safe(Object.values(detail).filter((value) => typeof value === "string" || typeof value === "number").join(" "), 120)}`);
    return { html: [broken === null ? "<b>Audit</b>, its chain of hashes holds" : `🛑 <b>Audit</b>: entry ${broken} was tampered with`, ...(lines.length === 0 ? ["nothing yet"] : lines)].join("\n") };
  },
};
