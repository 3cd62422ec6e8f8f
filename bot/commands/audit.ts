import { safe, shortSha } from "../context/text.ts";
import type { AuditEntry } from "../store/audit.ts";
import type { Command } from "./command.ts";

const maxEntries = 15;

export const audit: Command = {
  name: "audit",
  usage: "/audit",
  about: "who did what, on which commit and report, and what came of it",
  run({ services: { store } }) {
    const broken = store.audit.brokenAt();
    const lines = store.audit.latest(maxEntries).map(line);
    return {
      html: [
        broken === null
          ? "<b>Audit</b>, its chain of hashes holds"
          : `🛑 <b>Audit</b>: entry ${broken} was tampered with`,
        ...(lines.length === 0 ? ["nothing yet"] : lines),
      ].join("\n"),
    };
  },
};

/** "11-21 08:00 ana-gh deploy done: mood production · commit 1a2b3c4 · report 0123456789ab · started run 501 · sl-…" */
function line({ at, user, login, event, detail }: AuditEntry): string {
  const text = (name: string) =>
    typeof detail[name] === "string" || typeof detail[name] === "number" ? String(detail[name]) : "";
  const what = [
    text("model"),
    text("environment"),
    text("version"),
    text("reason"),
    text("run") === "" ? "" : `run ${text("run")}`,
  ]
    .filter((one) => one !== "")
    .join(" ");
  const parts = [
    what === "" ? "" : safe(what, 80),
    text("sha") === "" ? "" : `commit ${shortSha(text("sha"))}`,
    text("digest") === "" ? "" : `report ${safe(text("digest").slice(0, 12))}`,
    safe([text("result"), text("why")].join(""), 80).replace(/^\?$/, ""),
    safe(text("action"), 24).replace(/^\?$/, ""),
  ].filter((one) => one !== "");
  return `${new Date(at).toISOString().slice(5, 16).replace("T", " ")} <b>${safe(login ?? (user === null ? "the bot" : String(user)), 40)}</b> ${safe(event, 40)}${parts.length === 0 ? "" : `: ${parts.join(" · ")}`}`;
}
