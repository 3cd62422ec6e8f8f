// What the report's plots use of echarts, for the bundles: eval/report/plots/chart.ts loads the whole library instead,
// because several hundred small modules take ten times as long to load as one file.
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

export { init };
