// Runs a program in the place of this one: its signals, its output, its exit code.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * SIGTERM, SIGINT and SIGHUP are handed on, once: a terminal sends Ctrl+C to the whole group, so the program has it
 * already. Ends with the program's exit code, or dies by the signal that ended it.
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
    // For a process that survives its own signal: the code that a shell reports.
    process.exitCode = 128 + (constants.signals[signal] ?? 0);
    process.kill(process.pid, signal);
  });
}
