import { compositionGraph } from "./composition-graph.js";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";
import { count, duration, plural, size } from "./format.js";

/**
 * What a model is and how it runs, for the status tab.
 * @param {import("./model.js").Model} model
 * @returns {HTMLElement}
 */
export function modelCard(model) {
  const { runs } = model;
  return h(
    "section",
    { class: "card", "aria-label": `Model ${model.id}` },
    h(
      "div",
      { class: "card-head" },
      h("h3", null, model.id, " ", h("span", { class: "version" }, `v${model.version}`)),
      verdictBadge(model),
    ),
    model.description !== "" && h("p", { class: "quiet" }, model.description),
    model.missing !== "" && h("p", { class: "warn pre" }, model.missing),
    model.error !== "" && h("p", { class: "wrong pre" }, model.error),
    h(
      "dl",
      { class: "facts" },
      ...[
        ["Task", model.task.replaceAll("-", " ")],
        ["License", model.license],
        ["Remote model", model.remote?.model ?? ""],
        ["Circuit breaker", model.remote?.circuit ?? ""],
        ["Tried in turn", (model.remote?.backends ?? []).map(backendWords).join(", ")],
        ["Longest answer", model.remote === null ? "" : duration(model.remote.timeoutMs)],
        ["At the same time", model.remote === null ? "" : plural(model.remote.concurrency, "call")],
        [
          "Runs on",
          [runs.provider, runs.threads === null ? "" : plural(runs.threads, "thread")].filter(Boolean).join(", "),
        ],
        ["ONNX Runtime", runs.runtime],
        ["Model size", runs.bytes === null ? "" : size(runs.bytes)],
        ["Loaded in", runs.loadMs === null ? "" : duration(runs.loadMs)],
        ["1,000 answers", runs.cost],
        ["Warm-up", runs.warmUpMs === null ? "" : duration(runs.warmUpMs)],
      ]
        .filter(([, value]) => value !== "")
        .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
    ),
    h(
      "dl",
      { class: "facts halves" },
      ...[
        ["Engine", runs.engine, runs.engineReason],
        ["Batching", runs.batching, runs.batchingReason],
      ]
        .filter(([, value]) => value !== "")
        .map(([name, value, reason]) =>
          h(
            "div",
            null,
            h("dt", null, name),
            h("dd", null, value, reason !== "" && h("p", { class: "hint reason" }, reason)),
          ),
        ),
      model.sha256 !== "" &&
        h(
          "div",
          { class: "wide" },
          h("dt", null, "SHA-256, checked before loading"),
          h(
            "dd",
            { class: "row" },
            h("code", { class: "digest" }, model.sha256),
            copyButton(() => model.sha256, `Copy the SHA-256 of ${model.id}`),
          ),
        ),
    ),
    model.composition !== null && compositionGraph(model.composition),
    runs.sweep.length > 0 && sweepTable(runs),
  );
}

/** @param {{ name: string, circuit: { state: string }, missing: string | null }} backend */
function backendWords({ name, circuit, missing }) {
  if (missing !== null) return `${name} (not set up)`;
  return circuit.state === "closed" ? name : `${name} (${circuit.state})`;
}

/** @param {import("./model.js").Model} model */
function verdictBadge({ verdict, remote }) {
  if (verdict === null) return h("span", { class: "badge" }, remote === null ? "no gate verdict" : "remote, not gated");
  if (!verdict.fits)
    return h(
      "span",
      { class: "badge badge-incomparable", title: "The receipt beside this model names other weights." },
      `Gate: ${verdict.verdict}, for other weights`,
    );
  return h(
    "span",
    { class: `badge badge-${verdict.verdict.toLowerCase()}`, title: verdict.why },
    `Gate: ${verdict.verdict}`,
  );
}

/** @param {import("./model.js").Runs} runs */
function sweepTable(runs) {
  const best = Math.max(...runs.sweep.map(({ rowsPerSecond }) => rowsPerSecond));
  const budgets = runs.sweep.some(({ tokenBudget }) => tokenBudget !== null);
  return h(
    "details",
    { class: "sweep" },
    h("summary", null, "Batch sizes measured at warm-up"),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", class: "num" }, "Rows per run"),
            budgets && h("th", { scope: "col", class: "num" }, "Token budget"),
            h("th", { scope: "col", class: "num" }, "Rows/s"),
            h("th", { scope: "col", class: "wide-only" }, h("span", { class: "sr" }, "Share of the best")),
          ),
        ),
        h(
          "tbody",
          null,
          ...runs.sweep.map((point) => {
            const filled = h("i", { class: point.chosen ? "first" : null });
            filled.style.width = `${(point.rowsPerSecond / best) * 100}%`;
            return h(
              "tr",
              null,
              h("td", { class: "num" }, point.batch, point.chosen && h("span", { class: "quiet" }, " in use")),
              budgets && h("td", { class: "num" }, point.tokenBudget ?? "–"),
              h("td", { class: "num" }, count(point.rowsPerSecond)),
              h("td", { class: "wide-only" }, h("span", { class: "bar" }, filled)),
            );
          }),
        ),
      ),
    ),
  );
}
