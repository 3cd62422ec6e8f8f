import { dashboardRows, type PanelPlan } from "./grafana-rows.ts";

type Panel = Record<string, unknown> & { id: number; type: string; title: string };
/** A Grafana dashboard, as it is imported and provisioned. */
export type Dashboard = Record<string, unknown> & { uid: string; schemaVersion: number; panels: Panel[] };

const datasource = { type: "prometheus", uid: "${datasource}" };
const COLUMNS = 24;
const WIDTH = 8;
const HEIGHT = 8;

/**
 * A dashboard of the series of Sluice's servers and of the recording rules of prometheus.ts. The data source and the
 * model are variables, so that one file serves every installation.
 *
 * @param match label matchers that every series must have; "" for none
 */
export function grafanaDashboard(match = ""): Dashboard {
  const of = (...own: string[]) => `{${[match, 'model=~"$model"', ...own].filter((one) => one !== "").join(",")}}`;
  let id = 0;
  let top = 0;
  const panels: Panel[] = [];
  for (const { title, plans } of dashboardRows(of)) {
    id += 1;
    panels.push({ id, type: "row", title, collapsed: false, gridPos: { h: 1, w: COLUMNS, x: 0, y: top }, panels: [] });
    top += 1;
    plans.forEach((plan, i) => {
      id += 1;
      const column = (i * WIDTH) % COLUMNS;
      panels.push(
        panelOf(plan, id, { h: HEIGHT, w: WIDTH, x: column, y: top + HEIGHT * Math.floor((i * WIDTH) / COLUMNS) }),
      );
    });
    top += HEIGHT * Math.ceil((plans.length * WIDTH) / COLUMNS);
  }
  return {
    uid: "sluice-models",
    title: "Sluice: models",
    description: "Service and behaviour of the models that Sluice serves.",
    tags: ["sluice", "machine-learning"],
    schemaVersion: 42,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: "browser",
    refresh: "1m",
    time: { from: "now-24h", to: "now" },
    templating: {
      list: [
        {
          name: "datasource",
          label: "Data source",
          type: "datasource",
          query: "prometheus",
          refresh: 1,
          hide: 0,
          multi: false,
          includeAll: false,
          options: [],
          current: {},
        },
        {
          name: "model",
          label: "Model",
          type: "query",
          datasource,
          query: { query: `label_values(model_info${match === "" ? "" : `{${match}}`}, model)`, refId: "model" },
          definition: `label_values(model_info${match === "" ? "" : `{${match}}`}, model)`,
          refresh: 2,
          sort: 1,
          hide: 0,
          multi: true,
          includeAll: true,
          allValue: ".*",
          options: [],
          current: {},
        },
      ],
    },
    annotations: {
      list: [
        {
          name: "A version changes",
          datasource,
          enable: true,
          hide: false,
          iconColor: "blue",
          expr: `changes(count by (model, version) (model_info${of()})[5m:1m]) > 0 or count by (model, version) (model_info${of()}) unless count by (model, version) (model_info${of()} offset 5m)`,
          titleFormat: "{{model}} {{version}}",
          step: "60s",
        },
      ],
    },
    links: [],
    panels,
  };
}

function panelOf(
  { title, description, unit, kind = "timeseries", queries, max }: PanelPlan,
  id: number,
  gridPos: object,
): Panel {
  const custom = kind === "timeseries" ? { lineWidth: 1, fillOpacity: 8, showPoints: "never", spanNulls: false } : {};
  return {
    id,
    type: kind,
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: { unit, min: 0, ...(max === undefined ? {} : { max }), custom },
      overrides: [],
    },
    options: optionsOf(kind),
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      editorMode: "code",
      expr,
      legendFormat: legend,
      range: kind !== "table",
      instant: kind === "table",
      format: kind === "table" ? "table" : kind === "heatmap" ? "heatmap" : "time_series",
    })),
  };
}

function optionsOf(kind: NonNullable<PanelPlan["kind"]>): object {
  switch (kind) {
    case "timeseries":
      return {
        legend: { showLegend: true, displayMode: "list", placement: "bottom", calcs: [] },
        tooltip: { mode: "multi", sort: "desc" },
      };
    case "stat":
      return {
        reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
        colorMode: "value",
        graphMode: "area",
      };
    case "table":
      return { showHeader: true, cellHeight: "sm" };
    case "heatmap":
      return { calculate: false, yAxis: { unit: "short" } };
  }
}
