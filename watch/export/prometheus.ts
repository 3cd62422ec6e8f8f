import { burnRules } from "../ops/burn-rate.ts";
import { sloOf } from "../../models/core/manifest/slo.ts";
import { matchersOf, type ExportedModel, type Matchers } from "./selectors.ts";

type RecordingRule = { record: string; expr: string; labels?: Record<string, string> };
export type AlertingRule = {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};
type RuleGroup<R> = { name: string; interval?: string; rules: R[] };
export type PrometheusRules = { groups: RuleGroup<RecordingRule | AlertingRule>[] };

/** Windows of the burn-rate rules, shortest first, in PromQL. */
const windows = ["5m", "30m", "1h", "6h", "3d"] as const;
type Window = (typeof windows)[number];
/** Fewer bad requests, or minutes without the model, than this in the long window never alert. */
const leastBad = { requests: 10, minutes: 3 };
/** Rows of a day below which its distribution says nothing. */
const leastRows = 500;
/** Requests, or feedback, of a window below which its share says nothing. */
const leastRequests = 100;

/** What a burn-rate rule watches. `bad`: how many bad ones there were in a window, for the floor. */
type Indicator = {
  name: string;
  record: string;
  budget: string;
  bad: (window: Window) => string;
  floor: number;
  what: string;
};

/**
 * Recording and alerting rules for the series of Sluice's servers. The burn-rate rules are those of ops/burn-rate.ts,
 * which names their source.
 *
 * @param match label matchers that every series must have, such as `job="production"`; "" for none
 */
export function prometheusRules(models: readonly ExportedModel[], match = ""): PrometheusRules {
  const of = matchersOf(models, match);
  return {
    groups: [
      { name: "sluice-objectives", rules: objectives(models) },
      { name: "sluice-indicators", rules: windows.flatMap((window) => indicators(of, window)) },
      { name: "sluice-burn-rate", rules: burnIndicators(of).flatMap(burnAlerts) },
      { name: "sluice-service", rules: serviceAlerts(models, of, match) },
      { name: "sluice-models", rules: modelAlerts(of) },
    ],
  };
}

/** The objectives as series, so that every rule and panel reads the same number. */
function objectives(models: readonly ExportedModel[]): RecordingRule[] {
  return models.flatMap(({ model, slo }) =>
    [
      { record: "model:slo_availability:budget", value: 1 - slo.availability },
      { record: "model:slo_errors:budget", value: slo.errors },
      { record: "model:slo_latency:budget", value: 1 - slo.latency.share },
      { record: "model:slo_latency:seconds", value: slo.latency.ms / 1000 },
    ].map(({ record, value }) => ({ record, expr: `vector(${Number(value.toPrecision(12))})`, labels: { model } })),
  );
}

function indicators(of: Matchers, window: Window): RecordingRule[] {
  const all = `sum by (model) (rate(inference_requests_total${of()}[${window}]))`;
  return [
    {
      // No 5xx yet is no series; a server without requests has 0/0, which `> 0` leaves out.
      record: `model:inference_errors:ratio_rate${window}`,
      expr: `(sum by (model) (rate(inference_requests_total${of('status=~"5.."')}[${window}])) or 0 * ${all}) / (${all} > 0)`,
    },
    {
      record: `model:inference_slow:ratio_rate${window}`,
      expr: `1 - (${fast(of, `rate`, window)}) / (sum by (model) (rate(inference_request_duration_seconds_count${of()}[${window}])) > 0)`,
    },
    ...(window === "5m"
      ? [
          {
            // A model that was there within six hours and is gone counts as not ready.
            record: "model:ready:known",
            expr: `max by (model) (model_ready${of()}) or 0 * max by (model) (max_over_time(model_ready${of()}[6h]))`,
          },
          {
            record: "model:inference_queue_seconds:p99_10m",
            expr: `histogram_quantile(0.99, sum by (model, le) (rate(inference_queue_duration_seconds_bucket${of()}[10m])))`,
          },
          { record: "model_answer:psi:1d", expr: psi(of) },
        ]
      : []),
    {
      record: `model:unready:ratio_avg${window}`,
      expr: `1 - avg_over_time(model:ready:known[${window}])`,
    },
  ];
}

/** Requests within the objective: its bucket, which differs by model. Prometheus 3 writes `le="1"` as `1.0`. */
function fast(of: Matchers, fn: "rate" | "increase", window: Window): string {
  const bucket = `sum by (model, le) (${fn}(inference_request_duration_seconds_bucket${of('le!="+Inf"')}[${window}]))`;
  const bound = `label_replace(${bucket}, "bound", "$1", "le", "(.*?)(\\\\.0)?")`;
  const wanted = `count_values by (model) ("bound", model:slo_latency:seconds)`;
  return `sum by (model) (${bound} * on (model, bound) group_left () ${wanted})`;
}

/**
 * Population stability index of the answers of a day against the gate's, ½ added to each cell as watch/drift/psi.ts
 * does.
 */
function psi(of: Matchers): string {
  const live = `sum by (model, answer, cell) (profile_answer_rows${of()})`;
  const cells = `count by (model, answer) (${live})`;
  const p = `(${live} + 0.5) / on (model, answer) group_left () (sum by (model, answer) (${live}) + 0.5 * ${cells})`;
  const q = `clamp_min(max by (model, answer, cell) (profile_reference_share${of()}), 0.0005)`;
  return `sum by (model, answer) (((${p}) - ${q}) * ln((${p}) / ${q}))`;
}

function burnIndicators(of: Matchers): Indicator[] {
  const requests = (window: Window, status = "") =>
    `sum by (model) (increase(inference_requests_total${of(status)}[${window}]))`;
  return [
    {
      name: "Errors",
      record: "model:inference_errors:ratio_rate",
      budget: "model:slo_errors:budget",
      bad: (window) => requests(window, 'status=~"5.."'),
      floor: leastBad.requests,
      what: "requests end with a status from 500 on",
    },
    {
      name: "Latency",
      record: "model:inference_slow:ratio_rate",
      budget: "model:slo_latency:budget",
      bad: (window) => `(model:inference_slow:ratio_rate${window} * ${requests(window)})`,
      floor: leastBad.requests,
      what: "requests are slower than the objective",
    },
    {
      name: "Availability",
      record: "model:unready:ratio_avg",
      budget: "model:slo_availability:budget",
      bad: (window) => `sum_over_time((1 - model:ready:known)[${window}:1m])`,
      floor: leastBad.minutes,
      what: "the model is not ready",
    },
  ];
}

function burnAlerts({ name, record, budget, bad, floor, what }: Indicator): AlertingRule[] {
  return burnRules.map(({ severity, burn, longMs, shortMs }) => {
    const [long, short] = [windowOf(longMs), windowOf(shortMs)];
    const over = (window: Window) => `${record}${window} > on (model) ${burn} * ${budget}`;
    return {
      alert: `Sluice${name}Burn${burn === 14.4 ? "Fast" : burn === 6 ? "Steady" : "Slow"}`,
      expr: `(${over(long)}) and on (model) (${over(short)}) and on (model) ${bad(long)} >= ${floor}`,
      labels: { severity, long_window: long, short_window: short },
      annotations: {
        summary: `{{ $labels.model }}: ${what}, and the error budget burns ${burn} times too fast`,
        description: `In the last ${long} and ${short}. At this rate the budget of 30 days is gone in ${spentIn(burn)}.`,
      },
    };
  });
}

const spentIn = (burn: number): string => (burn === 1 ? "30 days" : `${Math.round(30 / burn)} days`);

function windowOf(ms: number): Window {
  const found = windows.find((window) => minutesOf(window) * 60_000 === ms);
  if (found === undefined) throw new RangeError(`no indicator is recorded over ${ms} ms`);
  return found;
}

function minutesOf(window: Window): number {
  return Number.parseInt(window, 10) * { m: 1, h: 60, d: 1440 }[window.at(-1) as "m" | "h" | "d"];
}

function serviceAlerts(models: readonly ExportedModel[], of: Matchers, match: string): AlertingRule[] {
  const rejections = `sum by (model) (increase(inference_requests_rejected_total${of('reason!="cancelled"')}[10m]))`;
  const requests = `sum by (model) (increase(inference_requests_total${of()}[10m]))`;
  return [
    ...models.map(({ model }) =>
      alert(
        "SluiceModelAbsent",
        `absent(model_info{${[match, `model="${model}"`].filter(Boolean).join(",")}})`,
        "5m",
        "page",
        {
          summary: `${model}: no server shows it`,
          description: "No scraped server has this model. It sleeps, is down, or Prometheus no longer scrapes it.",
        },
        { model },
      ),
    ),
    alert("SluiceModelNotReady", `max by (model) (model_ready${of()}) == 0`, "5m", "page", {
      summary: "{{ $labels.model }} is served by nobody",
      description: "Every scraped server has it, and none can answer. /readyz and the log say why.",
    }),
    alert(
      "SluiceVersionsDiffer",
      `count by (model) (count by (model, sha256) (model_info${of()})) > 1`,
      "30m",
      "ticket",
      {
        summary: "{{ $labels.model }}: servers answer with different weights",
        description: "Two sha256 for half an hour: a roll-out that hangs, or a replica that was not replaced.",
      },
    ),
    alert(
      "SluiceReloadFailed",
      `sum by (model) (increase(model_reloads_total${of('result="failure"')}[30m])) > 0`,
      "0m",
      "ticket",
      {
        summary: "{{ $labels.model }}: a new version could not be loaded",
        description: "The version before still answers.",
      },
    ),
    alert(
      "SluiceRejections",
      `(${rejections} / (${requests} > ${leastRequests}) > 0.01) and on (model) ${rejections} >= ${leastBad.requests}`,
      "10m",
      "ticket",
      {
        summary: "{{ $labels.model }}: more than 1 % of the requests are turned away",
        description: "Queue full, waits too long, or a deadline passed. More replicas, or fewer requests.",
      },
    ),
    alert(
      "SluiceQueueSlow",
      "model:inference_queue_seconds:p99_10m > on (model) 0.5 * model:slo_latency:seconds",
      "10m",
      "ticket",
      {
        summary: "{{ $labels.model }}: rows wait for half of the latency objective",
        description: "The 99th percentile of the wait before a run, over ten minutes.",
      },
    ),
    alert("SluiceCircuitOpen", `max by (model) (remote_circuit_state${of('state="open"')}) == 1`, "5m", "page", {
      summary: "{{ $labels.model }}: its provider fails, and is not asked at the moment",
      description: "The circuit breaker is open.",
    }),
  ];
}

function modelAlerts(of: Matchers): AlertingRule[] {
  const feedback = (result = "") => `sum by (model) (increase(prediction_feedback_total${of(result)}[1h]))`;
  const rows = `sum by (model) (profile_rows${of()}) >= ${leastRows}`;
  const refused = `sum by (model) (profile_refused_rows${of()})`;
  return [
    alert("SluiceAnswersDrift", `model_answer:psi:1d > 0.2 and on (model) ${rows}`, "1h", "ticket", {
      summary: "{{ $labels.model }}: {{ $labels.answer }} is distributed otherwise than on the gate's rows",
      description: "Population stability index of a day above 0.2. `sluice watch` decides, with an interval.",
    }),
    alert(
      "SluiceInputsDegraded",
      `max by (model, quality) (profile_quality_rise${of('quality!="outside"')}) > 0.05 and on (model) ${rows}`,
      "1h",
      "ticket",
      {
        summary: "{{ $labels.model }}: more values are {{ $labels.quality }} than on the gate's rows",
        description: "By more than 5 points in a day, for one feature at least.",
      },
    ),
    alert(
      "SluiceRowsRefused",
      `${refused} / (${refused} + sum by (model) (profile_rows${of()}) >= ${leastRows}) > 0.05`,
      "1h",
      "ticket",
      {
        summary: "{{ $labels.model }}: more than 5 % of the rows are refused",
        description: "They do not fit the model's columns; profile_refused_rows says why.",
      },
    ),
    alert(
      "SluiceFeedbackSuspicious",
      `(${feedback('result=~"conflict|unknown|invalid"')} / (${feedback()} >= ${leastRequests})) > 0.2`,
      "0m",
      "ticket",
      {
        summary: "{{ $labels.model }}: a fifth of the feedback contradicts itself, or is about nothing",
        description: "Somebody guesses ids or repeats labels, or labels come after a restart.",
      },
    ),
  ];
}

function alert(
  name: string,
  expr: string,
  wait: string,
  severity: "page" | "ticket",
  annotations: AlertingRule["annotations"],
  labels: Record<string, string> = {},
): AlertingRule {
  return { alert: name, expr, ...(wait === "0m" ? {} : { for: wait }), labels: { severity, ...labels }, annotations };
}

/** The models as they are exported, with their objectives. */
export function exportedModels(ids: readonly string[], settings: Parameters<typeof sloOf>[0]): ExportedModel[] {
  return ids.map((model) => ({ model, slo: sloOf(settings, model) }));
}
