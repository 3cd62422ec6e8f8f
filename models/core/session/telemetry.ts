/**
 * Keeps ONNX Runtime 1.30 and later from writing a device id and a database of events into the home folder, and from
 * sending them. The runtime reads the variable when it is loaded. A worker thread has only a copy of the environment,
 * so the main thread has to set it, before the thread starts.
 */
export function disableRuntimeTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
}
