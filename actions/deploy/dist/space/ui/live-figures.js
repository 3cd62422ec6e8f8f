import { count, duration, number, percent, size } from "./format.js";
import { between, buckets, parseMetrics, quantile, total } from "./prometheus.js";

/**
 * Turns readings of /metrics into what the status tab draws. Quantiles are over the ten seconds before each reading.
 * @typedef {{ atMs: number, latency: import("./prometheus.js").Buckets, requests: number }} Reading
 * @typedef {{
 *   p50Ms: (number | null)[], p95Ms: (number | null)[], perSecond: (number | null)[],
 *   facts: { name: string, value: string }[],
 * }} Figures
 */

const REQUESTS = "inference_request_duration_seconds";
const KEPT = 150;
const WINDOW = 5;

export function liveFigures() {
  /** @type {(Reading | null)[]} */
  let readings = [];
  /** @type {Figures["facts"]} */
  let facts = [];

  /** @param {Reading | null} reading */
  const push = (reading) => {
    readings = [...readings, reading].slice(-KEPT);
  };

  return {
    /** @param {string} text of /metrics @param {number} atMs */
    read(text, atMs) {
      const samples = parseMetrics(text);
      push({ atMs, latency: buckets(samples, REQUESTS), requests: total(samples, `${REQUESTS}_count`) ?? 0 });
      facts = factsOf(samples);
    },
    gap() {
      push(null);
    },
    /** @returns {Figures} five minutes of values, oldest first; null where nothing was read */
    now() {
      const observed = readings.map((reading, i) => {
        const before = readings.slice(Math.max(0, i - WINDOW), i).find((one) => one !== null);
        return reading === null || before === undefined || before === null
          ? null
          : between(before.latency, reading.latency);
      });
      const ms = (/** @type {number} */ q) =>
        observed.slice(1).map((one) => inMs(one === null ? null : quantile(one, q)));
      return {
        p50Ms: padded(ms(0.5)),
        p95Ms: padded(ms(0.95)),
        perSecond: padded(readings.slice(1).map((reading, i) => rate(readings[i] ?? null, reading))),
        facts,
      };
    },
  };
}

/**
 * @param {(number | null)[]} values
 * @returns {(number | null)[]} of fixed length, so that the newest value is at the right edge
 */
function padded(values) {
  return [...new Array(Math.max(0, KEPT - 1 - values.length)).fill(null), ...values];
}

/** @param {number | null} seconds */
function inMs(seconds) {
  return seconds === null ? null : seconds * 1000;
}

/** @param {Reading | null} before @param {Reading | null} after @returns {number | null} requests per second */
function rate(before, after) {
  if (before === null || after === null || after.atMs <= before.atMs) return null;
  const more = after.requests >= before.requests ? after.requests - before.requests : after.requests;
  return (1000 * more) / (after.atMs - before.atMs);
}

/** @param {readonly import("./prometheus.js").Sample[]} samples @returns {Figures["facts"]} */
function factsOf(samples) {
  const rows = total(samples, "inference_batch_size_sum");
  const groups = total(samples, "inference_batch_size_count");
  const hits = total(samples, "response_cache_requests_total", { result: "hit" });
  const asked = total(samples, "response_cache_requests_total");
  const whole = buckets(samples, REQUESTS);
  const median = inMs(quantile(whole, 0.5));
  const slow = inMs(quantile(whole, 0.95));
  const lag = total(samples, "nodejs_eventloop_lag_p99_seconds");
  const memory = total(samples, "process_resident_memory_bytes");
  const start = total(samples, "process_start_time_seconds");
  return [
    { name: "Requests answered", value: count(total(samples, `${REQUESTS}_count`) ?? 0) },
    { name: "Median since the start", value: median === null ? "–" : duration(median) },
    { name: "p95 since the start", value: slow === null ? "–" : duration(slow) },
    { name: "Rows run", value: count(total(samples, "inference_rows_total") ?? 0) },
    { name: "Waiting rows", value: count(total(samples, "inference_queue_rows") ?? 0) },
    { name: "Refused", value: count(total(samples, "inference_requests_rejected_total") ?? 0) },
    { name: "Rows per group", value: rows === null || !groups ? "–" : number(rows / groups) },
    ...(asked ? [{ name: "Cache hits", value: percent((hits ?? 0) / asked) }] : []),
    ...(lag === null ? [] : [{ name: "Event loop p99", value: duration(lag * 1000) }]),
    ...(memory === null ? [] : [{ name: "Memory", value: size(memory) }]),
    ...(start === null ? [] : [{ name: "Up for", value: age(Date.now() / 1000 - start) }]),
  ];
}

/** @param {number} seconds */
function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
