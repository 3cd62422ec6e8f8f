import { fill, h, svg } from "./dom.js";

/**
 * A small SVG line chart with a value axis. It is redrawn when its width changes. Its legend shows the newest values,
 * or those under the pointer. `max` fixes the top of the axis; otherwise it follows the values.
 * @typedef {{ name: string, values: readonly (number | null)[] }} Series oldest first; null leaves a gap
 * @typedef {{ name: string, low: readonly (number | null)[], high: readonly (number | null)[] }} Band drawn behind them
 * @typedef {{ name: string, values: readonly (number | null)[] }} Marks points to look at, in rings on top
 * @typedef {{
 *   title: string, format: (value: number) => string, height?: number, from?: string, to?: string, max?: number,
 *   empty: string,
 * }} ChartOptions
 */

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;

/**
 * @param {ChartOptions} options
 * @returns {{
 *   element: HTMLElement, update: (series: readonly Series[], to?: string, band?: Band, marks?: Marks) => void,
 * }} `to` is a new label for the right end of the axis
 */
export function chart(options) {
  const legend = h("div", { class: "legend" });
  const plot = h("div", { class: "plot" });
  const element = h("figure", { class: "chart" }, h("figcaption", null, options.title), legend, plot);
  const height = options.height ?? 150;
  /** @type {readonly Series[]} */
  let series = [];
  /** @type {Band | undefined} */
  let band;
  /** @type {Marks | undefined} */
  let marks;
  let end = options.to ?? "";

  const draw = () => {
    const width = plot.clientWidth;
    if (width === 0) return;
    const length = Math.max(0, ...series.map((one) => one.values.length));
    const values = [...series.map((one) => one.values), band?.low ?? [], band?.high ?? []]
      .flat()
      .filter((value) => value !== null && Number.isFinite(value))
      .map(Number);
    if (values.length === 0) {
      fill(plot, h("p", { class: "quiet empty" }, options.empty));
      fill(legend);
      return;
    }
    const { low, high, ticks } = axis(values, options.max);
    const x = (/** @type {number} */ i) => LEFT + (length <= 1 ? 0.5 : i / (length - 1)) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ value) => TOP + (1 - (value - low) / (high - low)) * (height - TOP - BOTTOM);
    const cursor = svg("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, x1: -9, x2: -9 });
    const drawing = svg(
      "svg",
      {
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": `${options.title}: ${sentence(series, options.format)}${band === undefined ? "" : `; ${band.name} from ${range(band, options.format)}`}${marks === undefined ? "" : `; ${counted(marks)}`}`,
      },
      ...ticks.map((tick) =>
        svg(
          "g",
          { class: "tick" },
          svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
          svg("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, options.format(tick)),
        ),
      ),
      svg("text", { class: "ends", x: LEFT, y: height - 5 }, options.from ?? ""),
      svg("text", { class: "ends", x: width - RIGHT, y: height - 5, "text-anchor": "end" }, end),
      cursor,
      band !== undefined && area(band, x, y),
      ...series.flatMap((one, s) => lines(one.values, x, y, s)),
      ...(marks === undefined ? [] : rings(marks.values, x, y)),
    );
    fill(plot, drawing);
    describe(length - 1);
    drawing.addEventListener("pointermove", (event) => {
      const share = (event.offsetX - LEFT) / Math.max(1, width - LEFT - RIGHT);
      const i = Math.min(length - 1, Math.max(0, Math.round(share * (length - 1))));
      cursor.setAttribute("x1", String(x(i)));
      cursor.setAttribute("x2", String(x(i)));
      describe(i);
    });
    drawing.addEventListener("pointerleave", () => {
      cursor.setAttribute("x1", "-9");
      cursor.setAttribute("x2", "-9");
      describe(length - 1);
    });
  };

  /** @param {number} i */
  const describe = (i) =>
    fill(
      legend,
      ...series.map((one, s) => {
        const value = one.values[i];
        return h(
          "span",
          { class: `key series-${s}` },
          h("i", { "aria-hidden": "true" }),
          `${one.name} `,
          h("b", null, value === null || value === undefined ? "–" : options.format(value)),
        );
      }),
      band !== undefined && bandKey(band, i),
      marks !== undefined && h("span", { class: "key mark-key" }, h("i", { "aria-hidden": "true" }), counted(marks)),
    );

  /** @param {Band} drawn @param {number} i */
  const bandKey = (drawn, i) => {
    const [low, high] = [drawn.low[i] ?? null, drawn.high[i] ?? null];
    return h(
      "span",
      { class: "key band-key" },
      h("i", { "aria-hidden": "true" }),
      `${drawn.name} `,
      h("b", null, low === null || high === null ? "–" : `${options.format(low)} to ${options.format(high)}`),
    );
  };

  new ResizeObserver(draw).observe(plot);
  return {
    element,
    update(next, to = end, around, noticed) {
      series = next;
      band = around;
      marks = noticed;
      end = to;
      draw();
    },
  };
}

/**
 * Line segments between gaps; a single value between two gaps is a dot.
 * @param {readonly (number | null)[]} values
 * @param {(i: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} s index of the series
 */
function lines(values, x, y, s) {
  /** @type {[number, number][][]} */
  const runs = [[]];
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) runs.push([]);
    else runs.at(-1)?.push([x(i), y(value)]);
  });
  return runs
    .filter((run) => run.length > 0)
    .map((run) => {
      const [first] = run;
      return run.length === 1 && first !== undefined
        ? svg("circle", { class: `dot series-${s}`, cx: first[0], cy: first[1], r: 3 })
        : svg("polyline", {
            class: `line series-${s}`,
            points: run.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" "),
          });
    });
}

/** @param {Marks} marks */
const counted = ({ name, values }) => `${values.filter((value) => value !== null).length} ${name}`;

/**
 * @param {readonly (number | null)[]} values
 * @param {(i: number) => number} x
 * @param {(value: number) => number} y
 */
function rings(values, x, y) {
  return values.flatMap((value, i) =>
    value === null ? [] : [svg("circle", { class: "mark", cx: x(i), cy: y(value), r: 6 })],
  );
}

/**
 * The area between two lines, where both have values; they have no gaps among them.
 * @param {Band} band
 * @param {(i: number) => number} x
 * @param {(value: number) => number} y
 */
function area({ low, high }, x, y) {
  const edge = (/** @type {readonly (number | null)[]} */ values) =>
    values.flatMap((value, i) => (value === null ? [] : [`${x(i).toFixed(1)},${y(value).toFixed(1)}`]));
  return svg("polygon", { class: "band", points: [...edge(high), ...edge(low).toReversed()].join(" ") });
}

/** @param {Band} band @param {(value: number) => string} format */
function range({ low, high }, format) {
  const known = (/** @type {readonly (number | null)[]} */ values) =>
    values.filter((value) => value !== null).map(Number);
  return `${format(Math.min(...known(low)))} to ${format(Math.max(...known(high)))}`;
}

/**
 * Round values for an axis that holds every value. It starts at zero unless the values lie close together far from it.
 * @param {readonly number[]} values
 * @param {number} [max]
 * @returns {{ low: number, high: number, ticks: number[] }}
 */
export function axis(values, max) {
  const least = Math.min(...values);
  const most = max ?? Math.max(...values);
  const bottom =
    max === undefined && least > 0 && most - least < most * 0.3 && most > least ? least : Math.min(0, least);
  const span = most - bottom || Math.abs(most) || 1;
  const rough = span / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((m) => m * power >= rough) ?? 10);
  const low = Math.floor(bottom / step) * step;
  const high = max ?? low + Math.ceil((bottom + span - low) / step - 1e-9) * step;
  const ticks = [];
  for (let i = 0; low + i * step <= high + step * 1e-6; i += 1) ticks.push(Number((low + i * step).toPrecision(12)));
  return { low, high, ticks };
}

/** @param {readonly Series[]} series @param {(value: number) => string} format */
function sentence(series, format) {
  return series
    .map((one) => {
      const known = one.values.filter((value) => value !== null).map(Number);
      return known.length === 0
        ? `${one.name} has no values`
        : `${one.name} now ${format(known.at(-1) ?? 0)}, lowest ${format(Math.min(...known))}, highest ${format(Math.max(...known))}`;
    })
    .join("; ");
}

/**
 * The shape of a list of numbers, shown beside a field.
 * @param {readonly number[]} values
 * @returns {SVGElement}
 */
export function sparkline(values) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const points = values.map(
    (value, i) =>
      `${((i / Math.max(1, values.length - 1)) * 100).toFixed(2)},${(29 - ((value - low) / span) * 28).toFixed(2)}`,
  );
  return svg(
    "svg",
    { class: "sparkline", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polyline", { class: "line series-0", points: points.join(" "), "vector-effect": "non-scaling-stroke" }),
  );
}
