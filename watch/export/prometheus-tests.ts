import type { AlertingRule, PrometheusRules } from "./prometheus.ts";
import type { ExportedModel } from "./selectors.ts";

/** One series in promtool's notation: `0+600x400` is 0, 600, 1200, … in 401 minutes. */
type Series = { series: string; values: string };
type Labels = Record<string, string>;
type Case = {
  name: string;
  /** Minutes after which the alerts are looked at. */
  minutes: number;
  /** Take the place of the healthy series of the same name and labels, or come beside them; null takes one away. */
  series: Record<string, string | null>;
  /** Alert → labels of each one beside severity and windows. Every other alert of the rules must be silent. */
  alerts: Record<string, Labels[]>;
};
type AlertTest = {
  eval_time: string;
  alertname: string;
  exp_alerts: { exp_labels: Labels; exp_annotations: Labels }[];
};
export type PrometheusTests = {
  rule_files: string[];
  evaluation_interval: string;
  tests: { name: string; interval: string; input_series: Series[]; alert_rule_test: AlertTest[] }[];
};

/** Minutes that every series lasts. */
const LENGTH = 400;
const steady = (perMinute: number) => `0+${perMinute}x${LENGTH}`;
/** Nothing for an hour, then so many a minute. */
const afterAnHour = (perMinute: number) => `0x59 0+${perMinute}x${LENGTH - 60}`;
const level = (value: number) => `${value}x${LENGTH}`;

/**
 * Unit tests for the rules, for `promtool test rules`: what the first model's series must be for each alert, and that no
 * other alert comes with it.
 *
 * @param ruleFile name of the rules' file, beside which the tests lie
 * @param match as for the rules
 */
export function prometheusTests(
  rules: PrometheusRules,
  models: readonly ExportedModel[],
  ruleFile: string,
  match = "",
): PrometheusTests {
  const alerts = rules.groups.flatMap(({ rules: own }) => own.filter((one) => "alert" in one));
  const names = [...new Set(alerts.map((one) => one.alert))];
  return {
    rule_files: [ruleFile],
    evaluation_interval: "1m",
    tests: cases(models).map(({ name, minutes, series, alerts: expected }) => {
      const all = { ...healthy(models), ...series };
      return {
        name,
        interval: "1m",
        input_series: Object.entries(all).flatMap(([key, values]) =>
          values === null ? [] : [{ series: withMatch(key, match), values }],
        ),
        alert_rule_test: names.map((alertname) => ({
          eval_time: `${minutes}m`,
          alertname,
          exp_alerts: (expected[alertname] ?? []).map((labels) => expectedAlert(alerts, alertname, labels, match)),
        })),
      };
    }),
  };
}

function withMatch(series: string, match: string): string {
  return match === "" ? series : series.replace("{", `{${match},`);
}

function expectedAlert(alerts: readonly AlertingRule[], name: string, labels: Labels, match: string) {
  const named = alerts.filter(({ alert }) => alert === name);
  const rule = named.find((one) => one.labels["model"] === labels["model"]) ?? named[0]!;
  // absent() keeps the labels that it was asked with.
  const asked = rule.expr.startsWith("absent(")
    ? Object.fromEntries([...match.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]))
    : {};
  const fill = (text: string) =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "");
  return {
    exp_labels: { ...asked, ...rule.labels, ...labels },
    exp_annotations: Object.fromEntries(Object.entries(rule.annotations).map(([key, text]) => [key, fill(text)])),
  };
}

/** Ten requests a second, each fast and well. */
function healthy(models: readonly ExportedModel[]): Record<string, string> {
  return Object.fromEntries(
    models.flatMap(({ model, slo }) => [
      [`model_info{model="${model}",sha256="a1"}`, level(1)],
      [`model_ready{model="${model}"}`, level(1)],
      [`inference_requests_total{model="${model}",status="200"}`, steady(600)],
      [`inference_request_duration_seconds_count{model="${model}"}`, steady(600)],
      [`inference_request_duration_seconds_bucket{model="${model}",le="${slo.latency.ms / 1000}"}`, steady(600)],
      [`inference_request_duration_seconds_bucket{model="${model}",le="+Inf"}`, steady(600)],
      [`inference_queue_duration_seconds_bucket{model="${model}",le="0.0001"}`, steady(600)],
      [`inference_queue_duration_seconds_bucket{model="${model}",le="+Inf"}`, steady(600)],
      [`profile_rows{model="${model}"}`, level(5000)],
      [`profile_refused_rows{model="${model}",reason="missing"}`, level(10)],
      [`profile_quality_rise{model="${model}",quality="missing"}`, level(0.01)],
      ...[0, 1].flatMap((cell) => [
        [`profile_answer_rows{model="${model}",answer="score",cell="${cell}"}`, level(2500)],
        [`profile_reference_share{model="${model}",answer="score",cell="${cell}"}`, level(0.5)],
      ]),
      [`prediction_feedback_total{model="${model}",result="recorded"}`, steady(60)],
    ]),
  );
}

function cases(models: readonly ExportedModel[]): Case[] {
  const { model, slo } = models[0]!;
  const of = (name: string, labels = "") => `${name}{model="${model}"${labels === "" ? "" : `,${labels}`}}`;
  const alert = (labels: Labels = {}): Labels[] => [{ model, ...labels }];
  // A generous objective cannot burn 14.4 times too fast: all of the requests would not be enough.
  const burns = (name: string, bad: number, budget: number) =>
    Object.fromEntries(
      [
        ["Fast", 14.4],
        ["Steady", 6],
        ["Slow", 1],
      ].flatMap(([speed, burn]) =>
        (burn as number) * budget < bad ? [[`Sluice${name}Burn${speed}`, alert()] as const] : [],
      ),
    );
  const bucket = (le: string | number) => of("inference_request_duration_seconds_bucket", `le="${le}"`);
  return [
    { name: "all is well", minutes: 75, series: {}, alerts: {} },
    {
      name: "no requests: 0/0 is no alert",
      minutes: 75,
      series: {
        [of("inference_requests_total", 'status="200"')]: steady(0),
        [of("inference_request_duration_seconds_count")]: steady(0),
        [bucket(slo.latency.ms / 1000)]: steady(0),
        [bucket("+Inf")]: steady(0),
      },
      alerts: {},
    },
    {
      name: "half of the requests fail",
      minutes: 75,
      series: { [of("inference_requests_total", 'status="500"')]: steady(600) },
      alerts: burns("Errors", 0.49, slo.errors),
    },
    {
      name: "little traffic, of which one request in five fails",
      minutes: 75,
      series: {
        [of("inference_requests_total", 'status="200"')]: `0x59 0+0.8x${LENGTH - 60}`,
        [of("inference_requests_total", 'status="500"')]: `0x59 0+0.2x${LENGTH - 60}`,
      },
      alerts: {},
    },
    {
      name: "half of the requests are slow",
      minutes: 75,
      series: { [bucket(slo.latency.ms / 1000)]: steady(300) },
      alerts: burns("Latency", 0.49, 1 - slo.latency.share),
    },
    {
      name: "it is not ready for an hour",
      minutes: 75,
      series: { [of("model_ready")]: `1x14 0x${LENGTH - 15}` },
      alerts: { ...burns("Availability", 0.78, 1 - slo.availability), SluiceModelNotReady: alert() },
    },
    {
      name: "the server is gone",
      minutes: 75,
      series: {
        [of("model_ready")]: `1x14 _x${LENGTH - 15}`,
        [of("model_info", 'sha256="a1"')]: `1x14 _x${LENGTH - 15}`,
      },
      alerts: { ...burns("Availability", 0.78, 1 - slo.availability), SluiceModelAbsent: alert() },
    },
    {
      name: "a restart of two minutes",
      minutes: 64,
      series: { [of("model_ready")]: `1x59 0 0 1x${LENGTH - 63}` },
      alerts: {},
    },
    {
      name: "two versions answer for 20 minutes, as in a roll-out",
      minutes: 20,
      series: { [of("model_info", 'sha256="b2"')]: level(1) },
      alerts: {},
    },
    {
      name: "two versions answer for 40 minutes",
      minutes: 40,
      series: { [of("model_info", 'sha256="b2"')]: level(1) },
      alerts: { SluiceVersionsDiffer: alert() },
    },
    {
      name: "a reload fails",
      minutes: 70,
      series: { [of("model_reloads_total", 'result="failure"')]: `0x59 1x${LENGTH - 60}` },
      alerts: { SluiceReloadFailed: alert() },
    },
    {
      name: "the queue is full for one request in ten",
      minutes: 85,
      series: {
        [of("inference_requests_total", 'status="429"')]: afterAnHour(60),
        [of("inference_requests_rejected_total", 'reason="queue-full"')]: afterAnHour(60),
      },
      alerts: { SluiceRejections: alert() },
    },
    {
      name: "rows wait longer than the objective",
      minutes: 60,
      series: {
        [of("inference_queue_duration_seconds_bucket", 'le="0.0001"')]: steady(0),
        [of("inference_queue_duration_seconds_bucket", `le="${slo.latency.ms / 1000}"`)]: steady(0),
        [of("inference_queue_duration_seconds_bucket", `le="${(2 * slo.latency.ms) / 1000}"`)]: steady(600),
      },
      alerts: { SluiceQueueSlow: alert() },
    },
    {
      name: "a provider fails",
      minutes: 60,
      series: { [of("remote_circuit_state", 'state="open"')]: level(1) },
      alerts: { SluiceCircuitOpen: alert() },
    },
    {
      name: "the answers are distributed otherwise: PSI .80",
      minutes: 75,
      series: {
        [of("profile_answer_rows", 'answer="score",cell="0"')]: level(4500),
        [of("profile_answer_rows", 'answer="score",cell="1"')]: level(500),
      },
      alerts: { SluiceAnswersDrift: alert({ answer: "score" }) },
    },
    {
      name: "the same with 50 rows says nothing",
      minutes: 75,
      series: {
        [of("profile_rows")]: level(50),
        [of("profile_answer_rows", 'answer="score",cell="0"')]: level(45),
        [of("profile_answer_rows", 'answer="score",cell="1"')]: level(5),
      },
      alerts: {},
    },
    {
      name: "a column is missing more often",
      minutes: 75,
      series: { [of("profile_quality_rise", 'quality="missing"')]: level(0.2) },
      alerts: { SluiceInputsDegraded: alert({ quality: "missing" }) },
    },
    {
      name: "a tenth of the rows is refused",
      minutes: 75,
      series: { [of("profile_refused_rows", 'reason="missing"')]: level(600) },
      alerts: { SluiceRowsRefused: alert() },
    },
    {
      name: "somebody guesses the ids of predictions",
      minutes: 75,
      series: { [of("prediction_feedback_total", 'result="unknown"')]: steady(60) },
      alerts: { SluiceFeedbackSuspicious: alert() },
    },
  ];
}
