import { backendCards } from "./backends.js";
import { codeSample } from "./code-sample.js";
import { comparison, costOf } from "./comparison.js";
import { fill, h } from "./dom.js";
import { formField } from "./fields.js";
import { historyView, summary } from "./history.js";

/**
 * One model's tab: its form, its answer, and the answers of this visit.
 * @param {import("./model.js").Model} model
 * @param {readonly import("./model.js").Backend[]} backends
 * @returns {HTMLElement}
 */
export function modelPanel(model, backends) {
  const fields = model.fields.map((facts) => formField(facts, () => code.update(read())));
  const answers = backendCards(backends);
  const whole = h("div", { class: "wrong", role: "alert" });
  const send = h("button", { type: "submit", class: "primary" }, "Predict");
  const form = h(
    "form",
    {
      class: "card form",
      novalidate: true,
      "aria-label": `Input of ${model.id}`,
      onsubmit(/** @type {Event} */ event) {
        event.preventDefault();
        void ask();
      },
    },
    model.examples.length > 0 &&
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Examples" },
        h("span", { class: "quiet" }, "Examples"),
        ...model.examples.map((row) =>
          h(
            "button",
            {
              type: "button",
              class: "chip",
              onclick() {
                write(row);
                void ask();
              },
            },
            summary(row),
          ),
        ),
      ),
    ...fields.map((field) => field.element),
    whole,
    h(
      "div",
      { class: "actions" },
      send,
      h("span", { class: "quiet wide-only" }, h("kbd", null, "Ctrl"), " + ", h("kbd", null, "Enter")),
    ),
  );
  const past = historyView(model, (row) => {
    write(row);
    form.scrollIntoView({ block: "nearest" });
    fields[0]?.focus();
  });
  const code = codeSample(model);
  const usable = backends.filter(({ missing }) => missing === "");
  const compared =
    usable.length < 2
      ? null
      : comparison(
          usable.map(({ title, prices }) => ({
            name: title,
            currency: String(prices?.currency ?? "USD"),
            perHour: typeof prices?.perHour === "number" ? prices.perHour : null,
          })),
        );

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void ask();
  });

  /** @returns {Record<string, unknown>} */
  function read() {
    return Object.fromEntries(
      fields.map((field) => [field.name, field.read()]).filter(([, value]) => value !== undefined),
    );
  }

  /** @param {Record<string, unknown>} row */
  function write(row) {
    for (const field of fields) field.write(row[field.name]);
    fill(whole);
    code.update(read());
  }

  async function ask() {
    const row = read();
    for (const field of fields) field.showErrors([]);
    fill(whole);
    const empty = model.fields.findIndex(
      ({ name, kind, required }) => kind === "text" && required && String(row[name] ?? "").trim() === "",
    );
    if (empty >= 0) {
      fields[empty]?.showErrors(["Write something first."]);
      fields[empty]?.focus();
      return;
    }
    send.setAttribute("aria-busy", "true");
    const { answered, failed, cancelled } = await answers.ask(row, ask);
    send.removeAttribute("aria-busy");
    // With a pair, the history has the local answers and the comparison has both.
    for (const { backend, prediction } of answered)
      if (backend === backends[0]) past.add({ at: new Date(), row, prediction, backend: backend.title });
    if (!cancelled && answered.length + failed.length > 0)
      compared?.add(usable.map((backend) => seenOf(backend, answered, failed)));
    failed
      .filter(({ failure }) => failure.fields.length > 0)
      .slice(0, 1)
      .forEach(({ failure }) => place(failure.fields));
  }

  /** @param {readonly import("./api.js").FieldError[]} errors */
  function place(errors) {
    const otherErrors = errors.filter(({ field }) => !fields.some(({ name }) => belongs(field, name)));
    const touched = fields.filter((field) => {
      const own = errors.filter((error) => belongs(error.field, field.name));
      field.showErrors(
        own.map((error) => (error.field === field.name ? sentence(error.message) : `${error.field}: ${error.message}`)),
      );
      return own.length > 0;
    });
    fill(
      whole,
      ...otherErrors.map((error) =>
        h("p", null, error.field === "" ? sentence(error.message) : `${error.field}: ${error.message}`),
      ),
    );
    touched[0]?.focus();
  }

  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "intro" },
      h("h2", null, model.id, " ", h("span", { class: "version" }, `v${model.version}`)),
      model.description !== "" && h("p", null, model.description),
    ),
    backends.length < 2 && h("div", { class: "work" }, form, h("div", { class: "stack" }, answers.element)),
    ...(backends.length < 2 ? [] : [form, answers.element]),
    compared?.element,
    past.element,
    code.element,
  );
}

/**
 * @param {import("./model.js").Backend} backend
 * @param {readonly import("./backends.js").Answered[]} answered
 * @param {readonly import("./backends.js").Failed[]} failed
 * @returns {import("./comparison.js").Seen | null}
 */
function seenOf(backend, answered, failed) {
  const found = answered.find((one) => one.backend === backend)?.prediction;
  if (found === undefined)
    return failed.some((one) => one.backend === backend && one.failure.kind !== "cancelled")
      ? { ms: null, workMs: null, firstMs: null, cost: null }
      : null;
  const text = found.heads.find((head) => head.kind === "text");
  return {
    ms: found.timing.totalMs,
    workMs: found.timing.inferenceMs,
    firstMs: found.timing.firstMs ?? null,
    cost: backend.remote === null ? null : costOf(backend.prices, text?.kind === "text" ? text.usage : null),
  };
}

/** @param {string} path of the error, e.g. "history[3]" @param {string} name */
function belongs(path, name) {
  return path === name || path.startsWith(`${name}[`) || path.startsWith(`${name}.`);
}

/** @param {string} text */
function sentence(text) {
  return text === "" ? text : `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
