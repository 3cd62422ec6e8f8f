import { shown } from "../../eval/init/choose.ts";
import type { Seen, SetUp } from "../../eval/init/set-up.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

const few = (names: readonly string[]) =>
  names.length <= 8 ? names.join(", ") : `${names.slice(0, 7).join(", ")}, … (${names.length})`;

/** Lines of at most `width` columns; the next ones are indented two further than the first. */
export function wrapped(text: string, width: number): string {
  const indent = " ".repeat((/^ */.exec(text)?.[0].length ?? 0) + 2);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.trim() !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" && lines.length === 0 && word !== "" ? word : ` ${word}`;
  }
  return [...lines, line].join("\n").replace(/^ (?= )/, "");
}

/** What was found in the two files. */
export function seenInWords({ seen, scene, format, rows, data }: Seen): string[] {
  const { graph } = seen;
  const tensors = (all: readonly { name: string; dtype: string; shape: readonly (number | string)[] }[]) =>
    few(
      all.map(
        ({ name, dtype, shape }) => `${name} ${dtype} [${shape.map((size) => (size === "" ? "?" : size)).join(", ")}]`,
      ),
    );
  const sets = graph.opsets
    .filter(({ domain }) => domain === "" || domain === "ai.onnx.ml")
    .map(({ domain, version }) => (domain === "" ? `opset ${version}` : `${domain} ${version}`));
  const beside = [
    scene.sidecar.tokenizer === null ? null : "tokenizer.json",
    scene.sidecar.classes === null ? null : "config.json",
    scene.sidecar.image === null ? null : "preprocessor_config.json",
  ].filter((one) => one !== null);
  return [
    `${seen.file}: ${[graph.producer === "" ? null : `${graph.producer} ${graph.producerVersion}`.trim(), ...sets].filter((one) => one !== null).join(", ")}`,
    `  in:   ${tensors(graph.inputs)}`,
    `  out:  ${tensors(graph.outputs)}${graph.classes === null ? "" : `; classes ${few(graph.classes)}`}${seen.changed ? " (ZipMap taken out)" : ""}`,
    ...(beside.length === 0 ? [] : [`  with: ${beside.join(", ")}`]),
    `${data}: ${rows.toLocaleString("en")} rows, ${format}`,
    `  columns: ${few(scene.columns.map(({ name, kind, missing }) => `${name} (${kind}${missing > 0 ? `, ${missing} missing` : ""})`))}`,
  ];
}

/** What was decided, and what else was likely. */
export function wiringInWords({ choice, notes, gates }: SetUp): string[] {
  const { best, runnerUp } = choice;
  const figure = ({ metric, value, rows }: (typeof best)["trial"]) => `${metric} ${shown(value)} on ${rows} rows`;
  return [
    `Taken: ${best.input.says}; ${best.head.says}: ${figure(best.trial)}`,
    ...(runnerUp === null
      ? []
      : [
          `  next best: ${runnerUp.input === best.input ? runnerUp.head.says : runnerUp.input.says}: ${figure(runnerUp.trial)}`,
        ]),
    ...notes.filter(({ guess }) => guess).map(({ about, says }) => `  guess (${about}): ${says}`),
    ...gates.dropped.map((one) => `  ${one}`),
  ];
}

/** What a person does next. */
export function nextInWords(
  { id, dir }: SetUp,
  code: number,
  { workflows, gated }: { workflows: boolean; gated: boolean },
): string[] {
  const file = `${dir}/model.yaml`.replaceAll("\\", "/");
  return [
    "Next:",
    `  read ${file}, above all what is marked "guess:"`,
    ...(!gated
      ? [`  ${sluiceCommand()} gate ${id} --baseline none`]
      : code === 0
        ? [`  ${sluiceCommand()} serve ${id}    # its page and its API, here`]
        : [`  .sluice/report.md says what is wrong; then ${sluiceCommand()} gate ${id} --baseline none`]),
    "  git add -A && git commit: this version is what later ones are compared with",
    ...(workflows ? ['  on GitHub, require the check "gate / gate" for the default branch'] : []),
  ];
}
