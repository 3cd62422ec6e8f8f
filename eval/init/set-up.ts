import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { manifestOf, type Candidate } from "./candidate.ts";
import { chooseWiring, shown, type Choice } from "./choose.ts";
import { headPlans, outputFacts } from "./heads.ts";
import { inputPlans } from "./inputs.ts";
import { digestOf, lookAtData, lookAtModel, lookBeside, type SeenModel } from "./look.ts";
import { modelYaml } from "./model-yaml.ts";
import { proposeGates, type ProposedGates } from "./propose-gates.ts";
import type { Answers, Note, Question } from "./question.ts";
import { rolesOf, type Roles } from "./roles.ts";
import { Lacking, type HeadPlan, type InputPlan, type Scene } from "./scene.ts";
import { tryWiring } from "./trial.ts";

export type InitRequest = {
  /** The repository, absolute. */
  root: string;
  /** An ONNX file, or a folder that Optimum exported. */
  model: string;
  /** A data file, or a folder with a sub-folder per class. */
  data: string;
  tokenizer: string | null;
};

/** All that was seen, before anything is decided. */
export type Seen = InitRequest & {
  seen: SeenModel;
  format: string;
  rows: number;
  scene: Omit<Scene, "answers">;
};

/** A file of the new model. `source`: copied from there; else `content`. */
export type NewFile = { path: string } & ({ content: string | Uint8Array } | { source: string });

export type SetUp = {
  id: string;
  /** Folder of the model, relative to the root. */
  dir: string;
  files: NewFile[];
  manifest: ManifestInput;
  choice: Choice;
  gates: ProposedGates;
  notes: Note[];
};

export type InitDeps = { env: NodeJS.ProcessEnv; fetch: typeof fetch; workDir: string };

/** Looks at the model, at what lies beside it, and at the data. Runs nothing. */
export async function lookAround(request: InitRequest): Promise<Seen> {
  const seen = await lookAtModel(request.model);
  const [sidecar, data] = await Promise.all([lookBeside(seen.file, request.tokenizer), lookAtData(request.data)]);
  const { format, columns, rows } = data;
  return { ...request, seen, format, rows, scene: { graph: seen.graph, columns, sidecar } };
}

/** Which column is what, and what nobody but a person can tell. */
export function rolesIn({ scene, format }: Seen, answers: Answers): Roles {
  const whole: Scene = {
    ...scene,
    answers: format === "folder" && answers.label === undefined ? { ...answers, label: "label" } : answers,
  };
  const { classes, names, horizon } = outputFacts(whole);
  const loose = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const read = scene.columns
    .map(({ name }) => name)
    .filter((name) => scene.graph.inputs.some((input) => loose(input.name) === loose(name)));
  const roles = rolesOf(
    scene.columns,
    {
      outputs: scene.graph.outputs.map(({ name }) => name),
      classes,
      names,
      horizon,
      read: [...read, ...(answers.features ?? [])],
    },
    whole.answers,
  );
  if (roles === null)
    throw new Lacking([
      answers.label === undefined
        ? `no column of the data fits what the graph answers (${scene.graph.outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ")}): name it with --label COLUMN; the columns are ${scene.columns.map(({ name }) => name).join(", ")}`
        : `the data has no column "${answers.label}"; it has ${scene.columns.map(({ name }) => name).join(", ")}`,
    ]);
  return format === "folder" ? { ...roles, id: null, slices: [], notes: [], questions: [] } : roles;
}

/** What is open about the classes. */
export function classQuestion(heads: readonly HeadPlan[], answers: Answers): Question | null {
  const [first] = heads;
  if (first?.head.kind !== "classification" || !first.orderGuessed || answers.labels !== undefined) return null;
  const { labels } = first.head;
  return {
    key: "labels",
    flag: "--labels",
    asks: "In which order does the graph give its classes?",
    because: "nothing in the file names them",
    choices: [labels.join(","), labels.toReversed().join(",")],
    guess: labels.join(","),
  };
}

/** The likeliest ways to feed the graph and to read it. @throws Lacking */
export function plansFor({ scene }: Seen, roles: Roles, answers: Answers): { inputs: InputPlan[]; heads: HeadPlan[] } {
  const whole: Scene = { ...scene, answers };
  const label = scene.columns.find(({ name }) => name === roles.label)!;
  const lacks: string[] = [];
  const attempt = <T>(make: () => T): T | null => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Lacking)) throw error;
      lacks.push(...error.lacks);
      return null;
    }
  };
  const heads = attempt(() => headPlans(whole, label));
  const inputs = attempt(() => inputPlans(whole, roles));
  if (inputs === null || heads === null) throw new Lacking(lacks);
  return { inputs, heads };
}

/**
 * Decides by running, and makes the files of the model. Writes nothing but in the scratch folder.
 *
 * @param onTrial a wiring and what came of it, for progress
 * @throws Lacking; ConfigurationError where the model's folder has a manifest already
 */
export async function setUp(
  looked: Seen,
  roles: Roles,
  answers: Answers,
  deps: InitDeps,
  onTrial: (says: string, result: string) => void,
  anyway = false,
): Promise<SetUp> {
  const { seen, root, data, scene } = looked;
  const { inputs, heads } = plansFor(looked, roles, answers);
  const id = answers.id ?? idFrom(seen.file, data);
  const place = placeOf(looked, id);
  const modelDir = join(deps.workDir, "model");
  const files = modelFiles(looked, place);
  for (const one of files) await put(join(modelDir, relative(place.dir, one.path)), one);
  const tokenizer = scene.sidecar.tokenizer;
  const here = (input: InputPlan): InputPlan =>
    tokenizer === null
      ? input
      : {
          ...input,
          steps: Object.fromEntries(
            Object.entries(input.steps).map(([name, step]) => [
              name,
              step.kind === "text"
                ? {
                    ...step,
                    tokenizer: basename(tokenizer.file),
                    ...(tokenizer.config === null ? {} : { tokenizerConfig: basename(tokenizer.config) }),
                  }
                : step,
            ]),
          ),
        };
  const manifest = (candidate: Candidate) =>
    manifestOf({ ...candidate, input: here(candidate.input) }, { ...scene, answers }, roles, {
      id,
      artifact: {
        path: place.artifact,
        sha256: seen.sha256,
        ...(seen.external.length === 0
          ? {}
          : { externalData: seen.external.map(({ path, sha256 }) => ({ path, sha256 })) }),
      },
      files: [{ path: place.data }],
      datasetId: idOf(basename(data, extname(data))),
    });
  const choice = await chooseWiring(
    inputs,
    heads,
    (candidate, most) => tryWiring(manifest(candidate), most, { ...deps, modelDir, data: resolve(data) }),
    onTrial,
    anyway,
  );
  const { best } = choice;
  const gates = proposeGates(best.head.task, best.trial.predictions, roles.slices);
  const notes = notesOf(choice, roles, looked);
  const chosen = manifest(best);
  const { bad } = best.trial;
  const complete: ManifestInput = {
    ...chosen,
    dataset: { ...chosen.dataset!, ...(bad === 0 ? {} : { maxBadRows: bad }) },
  };
  const text = modelYaml({
    manifest: complete,
    gates,
    notes,
    about: aboutOf(looked),
    example: exampleOf(best.trial.firstRow, best.input.reads),
    schema: null,
  });
  return {
    id,
    dir: place.dir,
    files: [
      ...files.filter((one) => !("source" in one) || resolve(one.source) !== join(root, one.path)),
      { path: join(place.dir, "model.yaml"), content: text },
      ...place.copies,
    ],
    manifest: complete,
    choice,
    gates,
    notes,
  };
}

type Place = { dir: string; artifact: string; data: string; copies: NewFile[] };

/** Where things go: the model into models/ID, data that lies in the repository stays. */
function placeOf({ seen, root, data }: Seen, id: string): Place {
  const inside = (path: string) => {
    const way = relative(root, resolve(path));
    return way !== "" && !way.startsWith("..") && !way.startsWith(sep) ? way : null;
  };
  const own = inside(dirname(seen.file));
  // A model that lies in a folder of its own stays there.
  const stays = own !== null && own !== "" && /^models[\\/]/.test(own);
  const dir = stays ? own : join("models", id);
  const artifact =
    seen.changed && stays ? `${basename(seen.file, ".onnx")}.tensors.onnx` : stays ? basename(seen.file) : "model.onnx";
  const known = inside(data);
  const name = basename(resolve(data));
  return known === null
    ? { dir, artifact, data: `data/${name}`, copies: [{ path: join(dir, "data", name), source: resolve(data) }] }
    : { dir, artifact, data: relative(dir, known).split(sep).join("/"), copies: [] };
}

function modelFiles({ seen, scene }: Seen, { dir, artifact }: Place): NewFile[] {
  const { tokenizer } = scene.sidecar;
  return [
    seen.changed
      ? { path: join(dir, artifact), content: seen.bytes }
      : { path: join(dir, artifact), source: resolve(seen.file) },
    ...seen.external.map(({ path, file }) => ({ path: join(dir, path), source: resolve(file) })),
    ...(tokenizer === null
      ? []
      : [tokenizer.file, ...(tokenizer.config === null ? [] : [tokenizer.config])].map((file) => ({
          path: join(dir, basename(file)),
          source: resolve(file),
        }))),
  ];
}

/** Writes one file. A folder of pictures is copied whole. */
export async function put(target: string, file: NewFile): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if ("content" in file) await writeFile(target, file.content);
  else {
    const { cp, stat } = await import("node:fs/promises");
    if ((await stat(file.source)).isDirectory()) await cp(file.source, target, { recursive: true });
    else await copyFile(file.source, target);
  }
}

function notesOf({ best, runnerUp, padded }: Choice, roles: Roles, { scene, seen }: Seen): Note[] {
  const { input, head, trial } = best;
  const figure = `${trial.metric} ${shown(trial.value)} on ${trial.rows} rows`;
  return [
    { about: "preprocess", says: `${input.says} (${figure})`, guess: input.guess },
    ...(runnerUp === null || runnerUp.input === input
      ? []
      : [
          {
            about: "preprocess",
            says: `the next best: ${runnerUp.input.says} (${runnerUp.trial.metric} ${shown(runnerUp.trial.value)} on ${runnerUp.trial.rows} rows)`,
            guess: false,
          },
        ]),
    ...(padded
      ? [
          {
            about: "preprocess",
            says: "the graph's answer to a row depended on the rows beside it, because it reads padding; with padTo every row is padded alike",
            guess: false,
          },
        ]
      : []),
    { about: "postprocess", says: head.says, guess: head.guess },
    ...(runnerUp === null || runnerUp.head === head
      ? []
      : [
          {
            about: "postprocess",
            says: `the next best: ${runnerUp.head.says} (${runnerUp.trial.metric} ${shown(runnerUp.trial.value)})`,
            guess: false,
          },
        ]),
    ...(seen.changed
      ? [
          {
            about: "task",
            says: "the ZipMap at the end of the graph was taken out of this copy, so that it answers with a tensor; nothing else was changed",
            guess: false,
          },
        ]
      : []),
    ...roles.notes,
    ...(trial.bad > 0
      ? [{ about: "maxBadRows", says: `${trial.bad} rows cannot be read as they are; look at them`, guess: true }]
      : []),
    ...(scene.sidecar.architecture === null ? [] : []),
  ];
}

function aboutOf({ seen, scene, data, rows }: Seen): string[] {
  const { producer, producerVersion, opsets } = seen.graph;
  const made = producer === "" ? "" : ` by ${producer} ${producerVersion}`.trimEnd();
  const sets = opsets
    .filter(({ domain }) => domain === "" || domain === "ai.onnx" || domain === "ai.onnx.ml")
    .map(({ domain, version }) => `${domain === "" ? "opset" : domain} ${version}`)
    .join(", ");
  return [
    `Made by \`sluice init\` from ${basename(seen.file)}${made === "" ? "" : `, written${made}`} (${sets}), and ${basename(resolve(data))} (${rows} rows).${scene.sidecar.architecture === null ? "" : ` Architecture: ${scene.sidecar.architecture}.`}`,
    "It is yours now: init never writes it again. What is marked `guess:` was likely, and nothing more; look at it.",
  ];
}

/** The first row as a person would write it; null for bytes and long lists. */
function exampleOf(row: Readonly<Record<string, unknown>>, reads: readonly string[]): Record<string, unknown> | null {
  const example: Record<string, unknown> = {};
  for (const name of reads) {
    const value = row[name];
    if (ArrayBuffer.isView(value)) return null;
    if (value !== undefined && value !== null) example[name] = typeof value === "string" ? value.slice(0, 500) : value;
  }
  return Object.keys(example).length === 0 || JSON.stringify(example).length > 4000 ? null : example;
}

const idOf = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 64) || "model";

/** The file's name; a file that is called model.onnx has its folder's, or its data's. */
function idFrom(model: string, data: string): string {
  const name = idOf(basename(model, ".onnx"));
  if (!/^(model|output|export|clf|pipeline)$/.test(name)) return name;
  const folder = basename(dirname(resolve(model)));
  return /^(models?|onnx|exports?|out(put)?|tmp|\.)?$/.test(folder)
    ? idOf(basename(data, extname(data)))
    : idOf(folder);
}

/** @throws ConfigurationError where a file of the model is there already and differs */
export async function refuseOverwriting(root: string, { files }: Pick<SetUp, "files">): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  for (const one of files) {
    const there = await readFile(join(root, one.path)).catch(() => null);
    if (there === null) continue;
    const wanted = "content" in one ? Buffer.from(one.content) : await readFile(one.source).catch(() => null);
    if (wanted !== null && digestOf(there) === digestOf(wanted)) continue;
    throw new ConfigurationError({
      code: "init-exists",
      place: one.path,
      problem: "the file is there already, and init never writes over anything",
      expected: "a new model",
      example: "--id another-name",
      hint: "change model.yaml by hand, or remove the folder first",
    });
  }
}
