import { Command, Option } from "commander";
import type { Answers } from "../eval/init/question.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import { sluiceCommand } from "../models/core/invocation.ts";
import type { Finish } from "./exit-code.ts";
import { list } from "./flag-values.ts";
import { write, type Streams } from "./streams.ts";

type InitFlags = {
  data: string;
  id?: string;
  task?: string;
  label?: string;
  labels?: string[];
  map?: string[];
  positive?: string;
  features?: string[];
  text?: string;
  image?: string;
  tokenizer?: string;
  idColumn?: string;
  group?: string;
  time?: string;
  slices?: string[];
  suite?: string;
  workflows: boolean;
  gate: boolean;
  anyway: boolean;
  dryRun: boolean;
  yes: boolean;
  json: boolean;
};

export function initCommand(streams: Streams, finish: Finish): Command {
  return new Command("init")
    .description("look into an ONNX file and a data file, write model.yaml, sluice.yaml and the workflows, and gate")
    .argument("<model>", "an ONNX file, or a folder that Optimum exported")
    .requiredOption(
      "--data <file|dir>",
      "rows that the model was not trained on, or a folder with one sub-folder per class",
    )
    .option("--id <id>", "the model's name here; default: the file's")
    .addOption(
      new Option("--task <task>", "what it answers; default: what graph and data show").choices(["regression"]),
    )
    .option("--label <column>", "column with the true value")
    .option("--labels <a,b>", "classes in the order of the graph's", list)
    .option("--map <value=class,…>", "how the data writes the classes", list)
    .option("--positive <class>", "the class whose probability is the score")
    .option("--features <a,b,c>", "columns of the graph's vector, in its order", list)
    .option("--text <column>", "column with the text")
    .option("--image <column>", "column with the pictures")
    .option("--tokenizer <file>", "tokenizer.json; default: the one beside the model")
    .option("--id-column <column>", "column that names a row")
    .option("--group <column>", "column whose equal values belong together")
    .option("--time <column>", "column with a row's time")
    .option("--slices <a,b>", 'columns whose values are judged apart; "" for none', (text: string) =>
      text === "" ? [] : list(text),
    )
    .option("--suite <owner/name>", "GitHub repository of the release that the workflows name")
    .option("--no-workflows", "write no workflows")
    .option("--no-gate", "do not run the gate afterwards")
    .option("--anyway", "set it up even where no wiring is better than an answer that ignores the row", false)
    .option("--dry-run", "print what would be written, and write nothing", false)
    .option("-y, --yes", "ask nothing: take what is likely, and mark it in the file", false)
    .option("--json", "one JSON document on stdout; progress stays on stderr", false)
    .addHelpText(
      "after",
      `\nNothing that is there is written over. Exit codes are the gate's; 2 where the model cannot be set up, with what it needs.\n\nExamples:\n  ${sluiceCommand()} init model.onnx --data rows.csv\n  ${sluiceCommand()} init classifier.onnx --data pictures/ --id cats --yes`,
    )
    .action(async (model: string, flags: InitFlags) => {
      const { Lacking } = await import("../eval/init/scene.ts");
      try {
        await init(model, flags, streams, finish);
      } catch (error) {
        if (!(error instanceof Lacking)) throw error;
        throw new ConfigurationError(
          {
            code: "init-lacks",
            place: model,
            problem: "this model cannot be set up without more",
            received: error.lacks.join("\n            "),
            hint: "docs/models.md says what each kind of graph takes, and how model.yaml is written by hand",
          },
          { cause: error },
        );
      }
    });
}

function answersOf(flags: InitFlags): Answers {
  const { id, task, label, labels, positive, features, text, image, idColumn, group, time, slices } = flags;
  const pairs = flags.map?.map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1)
      throw new ConfigurationError({
        code: "flags",
        place: "--map",
        problem: "not a pair",
        expected: "VALUE=CLASS, separated by commas",
        received: pair,
        example: "--map 0=negative,1=positive",
      });
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const given = { id, task, label, labels, positive, features, text, image, idColumn, group, time, slices };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(pairs === undefined ? {} : { map: Object.fromEntries(pairs) }),
  };
}

async function init(model: string, flags: InitFlags, streams: Streams, finish: Finish): Promise<void> {
  const [{ lookAround, rolesIn, plansFor, classQuestion, setUp, refuseOverwriting }, { withWorkDir }] =
    await Promise.all([import("../eval/init/set-up.ts"), import("../eval/gate/work-dir.ts")]);
  const { ask } = await import("./init/ask.ts");
  const { ownRelease } = await import("./init/release.ts");
  const { workflowsFor } = await import("../eval/init/workflows.ts");
  const { besides, writeAll } = await import("./init/write.ts");
  const { seenInWords, nextInWords, wiringInWords, wrapped } = await import("./init/words.ts");
  const root = process.cwd();
  const say = (text: string) => void streams.stderr.write(`${wrapped(text, streams.stderr.columns ?? 100)}\n`);
  const sayList = (text: string) => say(`  - ${text}`);
  let answers = answersOf(flags);

  const looked = await lookAround({ root, model, data: flags.data, tokenizer: flags.tokenizer ?? null });
  for (const line of seenInWords(looked)) say(line);
  let roles = rolesIn(looked, answers);
  if (roles.questions.length > 0) {
    answers = { ...answers, ...(await ask(roles.questions, flags.yes, streams.stderr)) };
    roles = rolesIn(looked, answers);
  }
  const open = classQuestion(plansFor(looked, roles, answers).heads, answers);
  if (open !== null) answers = { ...answers, ...(await ask([open], flags.yes, streams.stderr)) };

  say("Trying:");
  const made = await withWorkDir(streams.env, (workDir) =>
    setUp(
      looked,
      roles,
      answers,
      { env: streams.env, fetch, workDir },
      (says, result) => sayList(`${says}: ${result}`),
      flags.anyway,
    ),
  );
  for (const line of wiringInWords(made)) say(line);

  const release = flags.workflows
    ? await releaseFor(flags.suite, () => ownRelease(import.meta.url, streams.env))
    : null;
  const rest = await besides(root, made.dir, release === null ? [] : workflowsFor(release));
  const files = [...made.files.map((one) => ({ ...one, how: "new" as const })), ...rest.files];
  await refuseOverwriting(root, made);
  if (flags.dryRun) {
    const yaml = made.files.find(({ path }) => path.endsWith("model.yaml"));
    const listed = files.map(({ path, how }) => ({ path, how }));
    await write(
      streams.stdout,
      flags.json
        ? `${JSON.stringify({ schemaVersion: 1, id: made.id, files: listed }, null, 2)}\n`
        : `${listed.map(({ path, how }) => `${how.padEnd(8)} ${path}`).join("\n")}\n\n${yaml !== undefined && "content" in yaml ? String(yaml.content) : ""}`,
    );
    return finish(0);
  }
  const written = await writeAll(root, files);
  for (const { path, how } of written) say(`${how.padEnd(8)} ${path}`);
  if (flags.workflows && release === null)
    say("no workflows: nothing says whose release they would name; --suite OWNER/NAME does");

  let code: ReturnType<typeof exitOf> = 0;
  if (flags.gate) code = await runGateOf(made.id, streams, flags.json);
  if (flags.json)
    await write(
      streams.stdout,
      `${JSON.stringify({ schemaVersion: 1, id: made.id, files: written, exitCode: code }, null, 2)}\n`,
    );
  for (const line of nextInWords(made, code, { workflows: release !== null, gated: flags.gate })) say(line);
  finish(code);
}

type Exit = Parameters<Finish>[0];
const exitOf = (code: Exit): Exit => code;

/** The gate of the new model: a first version, so its limits decide. */
async function runGateOf(id: string, streams: Streams, quiet: boolean): Promise<Exit> {
  const [
    { runGate },
    { renderTerminal },
    { exitCodeOf },
    { Progress },
    { showEvent },
    { releases },
    { terminalOptions },
  ] = await Promise.all([
    import("../eval/gate.ts"),
    import("../eval/report/terminal.ts"),
    import("../eval/judge/algebra.ts"),
    import("./streams.ts"),
    import("./show-event.ts"),
    import("./releases.ts"),
    import("./terminal.ts"),
  ]);
  const progress = new Progress(streams.stderr);
  try {
    const outcome = await runGate(
      {
        root: process.cwd(),
        configFile: "sluice.yaml",
        models: [id],
        baseline: "none",
        out: ".sluice",
        seed: 1,
        performance: true,
      },
      { env: streams.env, now: () => new Date(), fetch, releases, onEvent: (event) => showEvent(progress, event) },
    );
    progress.close();
    if (!quiet)
      await write(streams.stdout, `${renderTerminal(outcome.verdict, outcome.metrics, terminalOptions(streams))}\n`);
    return exitCodeOf(outcome.verdict.verdict);
  } finally {
    progress.close();
  }
}

async function releaseFor(
  suite: string | undefined,
  own: () => ReturnType<typeof import("./init/release.ts").ownRelease>,
): ReturnType<typeof import("./init/release.ts").ownRelease> {
  if (suite === undefined) return own();
  if (!/^[\w.-]+\/[\w.-]+$/.test(suite))
    throw new ConfigurationError({
      code: "flags",
      place: "--suite",
      problem: "not a GitHub repository",
      expected: "OWNER/NAME",
      received: suite,
      example: "--suite octo/sluice",
    });
  const { sluiceVersion } = await import("../models/core/version.ts");
  return { repository: suite, version: sluiceVersion, commit: null };
}
