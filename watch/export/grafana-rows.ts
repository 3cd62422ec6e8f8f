type Query = { expr: string; legend: string };
/** One panel: its title, the unit as Grafana names it, its queries with their legends. */
export type PanelPlan = {
  title: string;
  description: string;
  unit: string;
  kind?: "timeseries" | "stat" | "table" | "heatmap";
  queries: Query[];
  max?: number;
};

type Of = (...own: string[]) => string;

/** What the dashboard shows, row by row. @param of label matchers of a series */
export function dashboardRows(of: Of): { title: string; plans: PanelPlan[] }[] {
  const rate = (series: string, by: string, ...own: string[]) =>
    `sum by (${by}) (rate(${series}${of(...own)}[$__rate_interval]))`;
  const quantile = (q: number, series: string) => `histogram_quantile(${q}, ${rate(`${series}_bucket`, "model, le")})`;
  const quantiles = (series: string): Query[] =>
    [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, series), legend: `{{model}} p${q * 100}` }));
  const burn = (record: string, budget: string): Query[] =>
    ["1h", "6h", "3d"].map((window) => ({
      expr: `${record}${window}{model=~"$model"} / on (model) ${budget}{model=~"$model"}`,
      legend: `{{model}} ${window}`,
    }));
  /** Series of a process have no model: those of the servers that have it. */
  const ofServers = (expr: string) => `${expr} and on (job, instance) model_info${of()}`;
  const plain = (expr: string, legend = "{{model}}"): Query[] => [{ expr, legend }];
  return [
    {
      title: "Objectives",
      plans: [
        plan(
          "Error budget burn",
          "Times faster than allowed. Pages at 14.4 and 6, a ticket at 1.",
          "x",
          burn("model:inference_errors:ratio_rate", "model:slo_errors:budget"),
        ),
        plan(
          "Latency budget burn",
          "Requests slower than the objective, against its budget.",
          "x",
          burn("model:inference_slow:ratio_rate", "model:slo_latency:budget"),
        ),
        plan(
          "Availability budget burn",
          "Time in which no server is ready, against its budget.",
          "x",
          burn("model:unready:ratio_avg", "model:slo_availability:budget"),
        ),
      ],
    },
    {
      title: "Service",
      plans: [
        {
          ...plan(
            "What serves",
            "Versions and weights that answer now.",
            "short",
            plain(`count by (model, version, sha256, provider) (model_info${of()})`),
          ),
          kind: "table",
        },
        {
          ...plan(
            "Servers that are ready",
            "Replicas that answer.",
            "short",
            plain(`sum by (model) (model_ready${of()})`),
          ),
          kind: "stat",
        },
        plan(
          "Requests by status",
          "Requests for predictions a second.",
          "reqps",
          plain(rate("inference_requests_total", "model, status"), "{{model}} {{status}}"),
        ),
        plan("Request time", "Whole requests.", "s", quantiles("inference_request_duration_seconds")),
        plan(
          "Wait before a run",
          "Grows before anything else when there is too much to do.",
          "s",
          quantiles("inference_queue_duration_seconds"),
        ),
        plan("Time in the graph", "Per group of rows.", "s", quantiles("inference_duration_seconds")),
        plan(
          "Time around the graph",
          "Preprocessing and heads, per group of rows.",
          "s",
          quantiles("preprocessing_duration_seconds"),
        ),
        plan("Rows a second", "Rows that were run, and what the warm-up measured as the most.", "rowsps", [
          ...plain(rate("inference_rows_total", "model")),
          {
            expr: `sum by (model) (max by (model, instance) (model_batch_sweep_rows_per_second${of()}))`,
            legend: "{{model}} most",
          },
        ]),
        plan(
          "Rows of a group",
          "Mean number of rows that run together.",
          "short",
          plain(`${rate("inference_batch_size_sum", "model")} / ${rate("inference_batch_size_count", "model")}`),
        ),
        plan("Queue", "Rows that wait now.", "short", plain(`sum by (model) (inference_queue_rows${of()})`)),
        plan(
          "Turned away",
          "By reason.",
          "reqps",
          plain(rate("inference_requests_rejected_total", "model, reason"), "{{model}} {{reason}}"),
        ),
        {
          ...plan(
            "Cache hits",
            "Share of the requests that the response cache answered.",
            "percentunit",
            plain(
              `${rate("response_cache_requests_total", "model", 'result="hit"')} / ${rate("response_cache_requests_total", "model")}`,
            ),
          ),
          max: 1,
        },
      ],
    },
    {
      title: "Inputs",
      plans: [
        plan(
          "Rows without an answer",
          "By reason.",
          "rowsps",
          plain(rate("inference_row_errors_total", "model, reason"), "{{model}} {{reason}}"),
        ),
        {
          ...plan(
            "Share that is missing, unseen, outside, cut",
            "Of the worst feature, last 24 hours.",
            "percentunit",
            plain(`max by (model, quality) (profile_quality_share${of()})`, "{{model}} {{quality}}"),
          ),
          max: 1,
        },
        plan(
          "The same against the gate's rows",
          "Rise of the share. `sluice watch` decides at 5 points, with an interval.",
          "percentunit",
          plain(`max by (model, quality) (profile_quality_rise${of()})`, "{{model}} {{quality}}"),
        ),
        plan(
          "Look-ups without a value",
          "By step and reason.",
          "rowsps",
          plain(rate("feature_lookups_missing_total", "model, step, reason"), "{{model}} {{step}} {{reason}}"),
        ),
        plan(
          "Rows counted on the profile",
          "Of the answered rows; the rest is left out under load.",
          "rowsps",
          plain(rate("profile_rows_observed_total", "model")),
        ),
        plan(
          "Refused rows",
          "Last 24 hours.",
          "short",
          plain(`sum by (model, reason) (profile_refused_rows${of()})`, "{{model}} {{reason}}"),
        ),
      ],
    },
    {
      title: "Answers",
      plans: [
        plan(
          "Distance of the answers from the gate's",
          "Population stability index of a day: .1 is small, .2 is not.",
          "short",
          plain('model_answer:psi:1d{model=~"$model"}', "{{model}} {{answer}}"),
        ),
        {
          ...plan(
            "Scores",
            "Of the classification heads.",
            "short",
            plain(`sum by (le) (increase(prediction_score_bucket${of()}[$__rate_interval]))`, "{{le}}"),
          ),
          kind: "heatmap",
        },
        plan(
          "Answers by label",
          "A second.",
          "short",
          plain(rate("predictions_total", "model, head, label"), "{{model}} {{label}}"),
        ),
        plan(
          "Values",
          "Quantiles of the regression heads, each server's last ten minutes.",
          "short",
          plain(`avg by (model, head, quantile) (prediction_value${of()})`, "{{model}} {{head}} {{quantile}}"),
        ),
        plan(
          "Rules that fired",
          "Beside the model.",
          "short",
          plain(rate("rule_fires_total", "model, rule"), "{{model}} {{rule}}"),
        ),
        plan(
          "Answers by cell",
          "Last 24 hours, on the cells of the gate's profile.",
          "short",
          plain(`sum by (model, answer, cell) (profile_answer_rows${of()})`, "{{model}} {{answer}} {{cell}}"),
        ),
      ],
    },
    {
      title: "Labels",
      plans: [
        {
          ...plan(
            "Labels that agree",
            "Share of the labelled answers of 24 hours whose class was true.",
            "percentunit",
            plain(
              `sum by (model, head) (profile_label_agreement${of()} * on (model, head, instance) profile_labelled_rows${of()}) / sum by (model, head) (profile_labelled_rows${of()})`,
              "{{model}} {{head}}",
            ),
          ),
          max: 1,
        },
        plan(
          "Answers with a label",
          "Last 24 hours.",
          "short",
          plain(`sum by (model, head) (profile_labelled_rows${of()})`, "{{model}} {{head}}"),
        ),
        plan(
          "Feedback",
          "By what became of it.",
          "short",
          plain(rate("prediction_feedback_total", "model, result"), "{{model}} {{result}}"),
        ),
        plan(
          "Business events",
          "Last 24 hours, by name.",
          "short",
          plain(`sum by (model, event) (profile_event_rows${of()})`, "{{model}} {{event}}"),
        ),
      ],
    },
    {
      title: "Remote models",
      plans: [
        plan(
          "Rows by result",
          "What a provider answered.",
          "rowsps",
          plain(rate("remote_requests_total", "model, result"), "{{model}} {{result}}"),
        ),
        plan(
          "Tokens",
          "Read and written.",
          "short",
          plain(rate("remote_tokens_total", "model, direction"), "{{model}} {{direction}}"),
        ),
        plan("Time to the first token", "Of a streamed answer.", "s", quantiles("remote_first_token_duration_seconds")),
      ],
    },
    {
      title: "Processes",
      plans: [
        plan(
          "Processor",
          "Cores in use.",
          "short",
          plain(ofServers("rate(process_cpu_seconds_total[$__rate_interval])"), "{{instance}}"),
        ),
        plan("Memory", "Resident.", "bytes", plain(ofServers("process_resident_memory_bytes"), "{{instance}}")),
        plan(
          "Event loop",
          "99th percentile of its delay: above 50 ms the server is short of processor.",
          "s",
          plain(ofServers("nodejs_eventloop_lag_p99_seconds"), "{{instance}}"),
        ),
      ],
    },
  ];
}

const plan = (title: string, description: string, unit: string, queries: Query[]): PanelPlan => ({
  title,
  description,
  unit,
  queries,
});
