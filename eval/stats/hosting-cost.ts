/** Hardware with a price, and what the model was measured to answer on it. */
export type Hosting = {
  name: string;
  /** Any currency; all results are in it. */
  pricePerHour: number;
  /** Answers per second of one replica, measured; null where it was not. */
  throughputPerSecond: number | null;
  /** Sleeps after so many hours without a request; null never sleeps. */
  sleepsAfterHours?: number | null;
  /** Share of the time lost to interruptions and restarts, as on spot machines. */
  interruptedShare?: number;
};

export type Cost = {
  name: string;
  /** Null where it cannot be told; `reason` says why. */
  per1000: number | null;
  /** What 1,000 answers would cost if every replica were always busy. */
  per1000AtFullUse: number | null;
  total: number | null;
  /** Answers over what the hours that are paid for could have given. */
  utilisation: number | null;
  replicaHours: number | null;
  reason: string | null;
};

/** Above this use of a replica queues grow, so another one is started. */
const targetUtilisation = 0.7;

/**
 * Cost per 1,000 answers of real traffic on a hosting, idle hours included: Σ replicas × price / answers × 1,000. Each
 * hour has as many replicas as its answers need at 70 % use, at least one unless it sleeps. Hours are the finest grain:
 * bursts within one are not seen.
 *
 * @param answersByHour answers of consecutive hours
 */
export function costOf(hosting: Hosting, answersByHour: readonly number[]): Cost {
  const { name, pricePerHour, throughputPerSecond, interruptedShare = 0 } = hosting;
  const nothing = { name, per1000: null, per1000AtFullUse: null, total: null, utilisation: null, replicaHours: null };
  if (throughputPerSecond === null) return { ...nothing, reason: "its throughput was not measured" };
  if (!(throughputPerSecond > 0) || !(pricePerHour >= 0) || !(interruptedShare >= 0 && interruptedShare < 1))
    throw new RangeError(
      `${name} needs a throughput above 0, a price from 0 and an interrupted share below 1, got ${throughputPerSecond}, ${pricePerHour}, ${interruptedShare}`,
    );
  const perReplicaHour = throughputPerSecond * 3600 * (1 - interruptedShare);
  const replicaHours = replicas(hosting, answersByHour, perReplicaHour).reduce((sum, one) => sum + one, 0);
  const answers = answersByHour.reduce((sum, one) => sum + one, 0);
  const total = replicaHours * pricePerHour;
  return {
    name,
    per1000: answers === 0 ? null : (1000 * total) / answers,
    per1000AtFullUse: (1000 * pricePerHour) / perReplicaHour,
    total,
    utilisation: replicaHours === 0 ? null : answers / (replicaHours * perReplicaHour),
    replicaHours,
    reason: answers === 0 ? "there were no answers" : null,
  };
}

function replicas(
  { sleepsAfterHours = null }: Hosting,
  answersByHour: readonly number[],
  perReplicaHour: number,
): number[] {
  let idleHours = Number.POSITIVE_INFINITY;
  return answersByHour.map((answers) => {
    const asleep = sleepsAfterHours !== null && answers === 0 && idleHours >= sleepsAfterHours;
    idleHours = answers === 0 ? idleHours + 1 : 0;
    return asleep ? 0 : Math.max(1, Math.ceil(answers / (targetUtilisation * perReplicaHour)));
  });
}

/** The same traffic on other hostings (hardware, int8, spot, sleeping), cheapest first, those without a cost last. */
export function whatIf(hostings: readonly Hosting[], answersByHour: readonly number[]): Cost[] {
  const rank = ({ per1000 }: Cost): number => per1000 ?? Number.POSITIVE_INFINITY;
  return hostings
    .map((hosting) => costOf(hosting, answersByHour))
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}
