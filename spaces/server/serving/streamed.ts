import type { Row } from "../../../models/core/row.ts";
import type { RequestDeadline, RowsTicket, Scheduler } from "../scheduling/scheduler.ts";
import { only } from "./only.ts";
import type { Prediction } from "./served-model.ts";

/**
 * A row's text piece by piece, then its whole answer, which is the one that `predict` gives. A reader that is slower than
 * the model gets several pieces at once.
 *
 * @throws as `Scheduler.rows`, perhaps after some pieces
 */
export async function* streamed(
  scheduler: Pick<Scheduler, "rows">,
  row: Row,
  requestDeadline: RequestDeadline,
): AsyncGenerator<string, Prediction> {
  let pieces = "";
  let settled: { ticket: RowsTicket } | { error: unknown } | null = null;
  let wake = () => {};
  const onPiece = (_: number, piece: string) => {
    pieces += piece;
    wake();
  };
  scheduler.rows([row], { ...requestDeadline, onPiece }).then(
    (ticket) => {
      settled = { ticket };
      wake();
    },
    (error: unknown) => {
      settled = { error };
      wake();
    },
  );
  // Read through a function, because TypeScript does not see that a callback sets it.
  const outcome = () => settled as { ticket: RowsTicket } | { error: unknown } | null;
  for (;;) {
    if (pieces !== "") {
      const piece = pieces;
      pieces = "";
      yield piece;
      continue;
    }
    const done = outcome();
    if (done !== null) {
      if ("error" in done) throw done.error;
      return only(done.ticket);
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
