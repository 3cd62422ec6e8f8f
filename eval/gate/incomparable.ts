import { SluiceError } from "../../models/core/errors.ts";

/** Candidate and base cannot be held against each other: verdict INCOMPARABLE, exit code 3. */
export class IncomparableError extends SluiceError {}
