import { matchesGlob } from "node:path";

/**
 * What `npm test` leaves to `npm run test:slow`, and why: what takes long by nature, and what measures time and so has
 * to be alone on the machine. CI runs both. Everything else must be quick enough for a contributor to wait for.
 */
export const slow: Readonly<Record<string, string>> = {
  "tests/actions/gate/clones.test.ts":
    "clones repositories shallow, deep and forked, and gates each with the built action",
  "tests/actions/notify/{life,trouble}.test.ts": "starts the built notify step a hundred times, with every outage",
  "tests/bot/safety-table.test.ts": "plays 630 combinations of who acts, on what, and when",
  "tests/bot/kill.test.ts": "kills and restarts the bot at ten boundaries",
  "tests/bot/{events/one-card,inbox/inbox}.test.ts": "the bundled bot beside the notify step, bursts, and restarts",
  "tests/cli/init.test.ts": "sets models up as a new user would, each in a repository of its own",
  "tests/cli/models-page.test.ts": "follows docs/models.md from training to verdict, command by command",
  "tests/cli/package.test.ts": "packs the command line, installs it in an empty project and uses it there",
  "tests/cli/examples.test.ts": "gates the four example repositories",
  "tests/corpus/corpus.test.ts": "plays every pull request of the corpus through the built action",
  "tests/deploy/bad-deploys.test.ts": "deploys real Spaces that fail, and waits for each to be rolled back",
  "tests/deploy/{stories,weights,command-line,rollout}.test.ts": "each deploys to a real server behind a stand-in Hub",
  "tests/deploy/faults.test.ts": "plays the worst places of the fault table, each with its recovery",
  "tests/deploy/troubles.test.ts": "deploys in spite of lost answers, crashes, replicas and other people's commits",
  "tests/deploy/virality.test.ts": "deploys virality to a real Space and proves it there",
  "tests/eval/latency/processes.test.ts": "measures latency in real processes",
  "tests/models/core/generate/{moonshine,mt-ende}.test.ts": "transcribes a minute of speech, translates 1,000 captions",
  "tests/models/core/lookup/redis.test.ts": "asks a real Redis, which it stops and starts again",
  "tests/models/compositions-page.test.ts": "gates, serves and deploys docs/compositions.md's example by command",
  "tests/models/every-task.test.ts": "takes a model of every task from the gate to the deployed bundle",
  "tests/models/{emoji,virality}.test.ts": "gate, plan and serve two sample models whole",
  "tests/rehearsal/executor/predict-workflow.test.ts": "plays predict.yml whole, with real models, commits and a retry",
  "tests/rehearsal/executor/release-workflow.test.ts": "plays release.yml whole, with the real bundles and packages",
  "tests/rehearsal/executor/retrain-workflow.test.ts": "plays retrain.yml whole, with real trainings and pull requests",
  "tests/rehearsal/rehearsal.test.ts": "plays the stories of `npm run rehearsal`",
  "tests/predict/{predict,sqlite}.test.ts": "answers whole files and tables against real servers, and is killed",
  "tests/predict/postgres.test.ts": "installs and crashes a real Postgres",
  "tests/spaces/server/jobs-kill.test.ts": "kills a server at many moments, and starts it again",
  "tests/spaces/server/jobs-postgres.test.ts": "shares jobs between servers through a real Postgres",
  "tests/spaces/server/transcription.test.ts": "transcribes a minute of speech in four ways",
  "tests/spaces/server/lifecycle.test.ts": "starts, drains and stops whole servers",
  "tests/spaces/server/overload.test.ts":
    "fills queues and lets deadlines pass: others' load would change what it sees",
  "tests/watch/retrain/merge.test.ts": "plays ten gates on a stand-in of GitHub, each with its pull request",
  "tests/watch/export/promtool.test.ts": "plays 19 stories of an hour with promtool, where it is installed",
  "tests/spaces/ui/{jobs,mood,page,pair,placeholder,sound}.test.ts": "use the page in Chromium",
};

/**
 * Those of `slow` that run alone, one after the other: they measure time, fill queues, or install and stop system
 * services. Of the others two run at a time.
 */
export const alone: readonly string[] = [
  "tests/bot/kill.test.ts",
  "tests/eval/latency/processes.test.ts",
  "tests/models/core/lookup/redis.test.ts",
  "tests/predict/postgres.test.ts",
  "tests/spaces/server/jobs-postgres.test.ts",
  "tests/spaces/server/lifecycle.test.ts",
  "tests/spaces/server/overload.test.ts",
];

/**
 * What starts real processes: actions, servers, bots, shells. Two of these files run at a time, after the others, so
 * that they don't wait for a machine full of unit tests.
 */
export const processes: readonly string[] = [
  "tests/{actions,bot,cli,deploy,predict,rehearsal,spaces}/**/*.test.ts",
  "tests/models/*.test.ts",
  "tests/watch/retrain/*.test.ts",
];

export type Project = "parts" | "processes" | "slow" | "alone";

/** @param file path in the repository, with slashes */
export function projectOf(file: string): Project {
  if (alone.includes(file)) return "alone";
  if (Object.keys(slow).some((pattern) => matchesGlob(file, pattern))) return "slow";
  return processes.some((pattern) => matchesGlob(file, pattern)) ? "processes" : "parts";
}
