import { chat, Scene, team, textOf } from "../scene/scene.ts";

const lookEveryMs = 150;

/** Logs events at the three services as they happen. @returns a function that stops it */
export function follow(scene: Scene, log: (line: string) => void): () => void {
  const known = new Map<string, string>();
  const news = (of: string, state: string, words: string) => {
    if (known.get(of) === state) return;
    known.set(of, state);
    log(words);
  };
  const look = () => {
    for (const { number, author, headSha, merged } of scene.github.world.repositories.get(team)?.pulls.values() ?? []) {
      news(`pull ${number}`, headSha, `GitHub    pull request ${number}: ${author} pushes ${headSha.slice(0, 7)}`);
      if (merged !== null)
        news(`merge ${number}`, merged.sha, `GitHub    pull request ${number}: ${merged.by} merges it`);
    }
    for (const run of scene.executor.runs) {
      for (const job of run.jobs) {
        // Skipped and briefly queued jobs would bury the interesting lines.
        if (job.status === "queued" || job.conclusion === "skipped") continue;
        news(
          `job ${run.id} ${job.id}`,
          `${job.status} ${job.conclusion}`,
          `GitHub    ${run.workflowName} ${run.id}, ${job.name}: ${job.conclusion ?? job.status.replaceAll("_", " ")}`,
        );
      }
      if (run.status === "completed")
        news(`run ${run.id}`, "completed", `GitHub    ${run.workflowName} ${run.id}: ${run.conclusion}`);
    }
    for (const { space } of scene.hubs.all) {
      const seen = Number(known.get(`space ${space.name}`) ?? "0");
      for (const stage of space.history.slice(seen)) log(`Hub       ${space.name}: ${stage}`);
      known.set(`space ${space.name}`, String(space.history.length));
    }
    for (const message of scene.telegram.state.messages.filter((one) => one.chat === chat)) {
      const line = textOf(message).split("\n")[0] ?? "";
      news(`message ${message.message_id}`, line, `Telegram  ${message.from.first_name}: ${line}`);
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return () => {
    clearInterval(timer);
    look();
  };
}

/** Slows the scene down for a viewer: a pause before people act and after each awaited event. */
export function slowDown(scene: Scene, pauseMs: number): void {
  const pause = () =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  const { propose, merge, until } = Scene.prototype;
  scene.propose = async (...given) => {
    await pause();
    return propose.apply(scene, given);
  };
  scene.merge = async (...given) => {
    await pause();
    return merge.apply(scene, given);
  };
  scene.until = async (...given) => {
    const found = (await until.apply(scene, given)) as never;
    await pause();
    return found;
  };
}
