// Runs a program in place of this one, with its signals, its output and its exit code.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Forwards SIGTERM, SIGINT and SIGHUP. On a terminal SIGINT is not forwarded, because Ctrl+C goes to the whole process
 * group and the program already gets it. Ends with the program's exit code, or by the signal that killed it.
 * @param {string} file
 * @param {readonly string[]} args
 */
export function execChild(file, args) {
  const child = spawn(file, args, { stdio: "inherit" });
  const signals = /** @type {const} */ (["SIGTERM", "SIGINT", "SIGHUP"]);
  const listeners = signals.map((signal) => {
    const listener = () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    process.on(signal, listener);
    return /** @type {const} */ ([signal, listener]);
  });
  child.once("error", (error) => {
    console.error(`${file} cannot be started: ${error.message}`);
    process.exit(126);
  });
  child.once("exit", (code, signal) => {
    for (const [name, listener] of listeners) process.off(name, listener);
    if (signal === null) process.exit(code ?? 1);
    // In case this process survives the signal: the exit code that a shell would report.
    process.exitCode = 128 + (constants.signals[signal] ?? 0);
    process.kill(process.pid, signal);
  });
}
