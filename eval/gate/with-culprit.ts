import { SluiceError } from "../../models/core/errors.ts";

/** Says in an error whose fault it is, so that a broken baseline is not mistaken for a broken candidate. */
export async function withCulprit<T>(who: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof SluiceError)
      throw new SluiceError({ ...error.diagnostic, problem: `${who}: ${error.diagnostic.problem}` }, { cause: error });
    throw error;
  });
}
