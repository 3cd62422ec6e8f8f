import { exitNow } from "./lifecycle/exit-now.ts";
import { startServer, type Deps, type Server } from "./server.ts";
import type { Settings } from "./settings/settings.ts";

/**
 * Serves until SIGTERM or SIGINT, then drains. SIGHUP reloads every model.
 *
 * @param onListening called once the port is open.
 * @returns when everything is answered and closed. If the deadline passes first, the process ends here, because a run
 *   that is still going on cannot be stopped.
 */
export async function serveUntilSignal(
  dirs: readonly string[],
  settings: Settings,
  deps: Deps,
  onListening: (server: Server) => void,
): Promise<void> {
  const server = await startServer(dirs, settings, deps);
  onListening(server);
  const lameDuckMs = await new Promise<number>((resolve) => {
    const reload = () => void server.reloadAll();
    // A second signal while draining changes nothing: the deadline already limits the wait.
    process.on("SIGHUP", reload);
    process.on("SIGTERM", () => resolve(settings.lameDuckSeconds * 1000));
    // From the keyboard: whoever pressed it waits for the end.
    process.on("SIGINT", () => resolve(0));
  });
  if (!(await server.drain(settings.drainSeconds * 1000, lameDuckMs))) exitNow();
}
