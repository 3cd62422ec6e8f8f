"""Simulates card payments with fraud. Nobody made these payments: every figure measured on them is one of a simulation.

The design (customers and terminals on a plane, frauds by scenario) follows what is published of such simulators, and the
code is this file's own. A world is a function of its seed and size.

World
- Customers live on a square of 100 x 100 km. Each has a rate of payments a day, a mean amount, hours, and a share of
  payments online, and one card. Terminals are shops (pos), cash machines (atm) and web shops (online).
- A customer pays in the nearest shops and machines, the nearer the oftener, and in a few web shops. Four in ten
  customers travel once for 3 to 10 days, and pay far from home. Some payments are large, some come in bursts of errands,
  some are small and online: none of this is fraud, and all of it looks a little like it.

Frauds, about one payment in a hundred
1. skimmed terminal: for 8 to 28 days, each payment there is repeated within half an hour, with the same card at the same
   terminal, with probability 0.3.
2. stolen card: for 1 to 3 days the thief pays 2 to 6 times a day in shops and machines around a place, with 1 to 3 times
   the owner's mean amount.
3. test burst: 2 to 5 payments of less than 3 within a quarter of an hour in one web shop, and then mostly 1 to 3 larger
   ones in others within the hour.
After 2 and 3 the card is blocked and the customer gets another one, about which nothing is known.

A payment is known to be fraud 7 days after it.
"""
import numpy as np

DAY = 86_400_000
# Channels of a terminal.
POS, ATM, ONLINE = 0, 1, 2
CHANNELS = ["pos", "atm", "online"]
SCENARIOS = ["genuine", "skimmed-terminal", "stolen-card", "test-burst"]
# Monday, 5 January 2026, 00:00 UTC: day 0 of every world.
START = 1_767_571_200_000


class _Payments:
    """Columns of payments, appended to."""

    def __init__(self):
        self.at, self.customer, self.terminal, self.amount, self.scenario = [], [], [], [], []

    def add(self, at, customer, terminal, amount, scenario=0):
        at = np.atleast_1d(at)
        n = len(at)
        self.at.append(at)
        self.customer.append(np.full(n, customer))
        self.terminal.append(np.broadcast_to(terminal, n))
        self.amount.append(np.broadcast_to(amount, n))
        self.scenario.append(np.full(n, scenario))

    def arrays(self):
        join = np.concatenate
        return (join(self.at), join(self.customer).astype(np.int64), join(self.terminal).astype(np.int64),
                join(self.amount).astype(float), join(self.scenario).astype(np.int64))


def simulate(seed, customers, terminals, days):
    """Payments in the order of their time: a dict of arrays.

    at (int64, ms since 1970), card (int64, running number), terminal (int64), channel (0 pos, 1 atm, 2 online), amount
    (float, two decimals), distance_km (float, one decimal; from the customer's home, 0 online), scenario (0 genuine; 1-3)
    """
    rng = np.random.default_rng(seed)
    home = rng.uniform(0, 100, (customers, 2))
    rate = rng.gamma(3, 0.4, customers) + 0.1
    mean_amount = np.exp(rng.normal(3.2, 0.5, customers))
    hour = rng.normal(14, 1.5, customers)
    online_share = rng.beta(2, 5, customers)
    place = rng.uniform(0, 100, (terminals, 2))
    channel = rng.choice(3, terminals, p=[0.72, 0.1, 0.18])
    by_channel = [np.flatnonzero(channel == kind) for kind in range(3)]
    popularity = rng.zipf(1.6, terminals).clip(1, 50).astype(float)

    paid = _Payments()

    def amounts(mean, kinds):
        """One amount per payment: cash in tens, a large one now and then."""
        drawn = rng.gamma(1.6, mean / 1.6, len(kinds)) * np.where(rng.random(len(kinds)) < 0.012, rng.uniform(3, 7, len(kinds)), 1)
        drawn = np.where(kinds == ATM, np.ceil(drawn * 1.8 / 10) * 10, drawn)
        return np.maximum(drawn, 0.5)

    def near(point, kind, count):
        """The terminals of a kind nearest to a place, and how often each is chosen."""
        some = by_channel[kind]
        order = some[np.argsort(((place[some] - point) ** 2).sum(1))[:count]]
        weight = 1 / np.arange(1, len(order) + 1)
        return order, weight / weight.sum()

    def choose(point, kinds, webshops):
        chosen = np.empty(len(kinds), dtype=np.int64)
        for kind, count in ((POS, 12), (ATM, 3)):
            at = np.flatnonzero(kinds == kind)
            if len(at):
                chosen[at] = rng.choice(near(point, kind, count)[0], len(at), p=near(point, kind, count)[1])
        at = np.flatnonzero(kinds == ONLINE)
        chosen[at] = rng.choice(webshops, len(at))
        return chosen

    web = by_channel[ONLINE]
    web_weight = popularity[web] / popularity[web].sum()
    webshops_of = [rng.choice(web, 6, p=web_weight) for _ in range(customers)]
    for one in range(customers):
        count = rng.poisson(rate[one] * days)
        day = rng.integers(0, days, count)
        time = (day * DAY + (np.mod(rng.normal(hour[one], 3.5, count), 24) * 3_600_000)).astype(np.int64)
        # Errands: some payments are followed by others within the next forty minutes.
        again = np.repeat(time[rng.random(count) < 0.06], 2)
        time = np.concatenate([time, again + rng.integers(120_000, 2_400_000, len(again))])
        kinds = np.where(rng.random(len(time)) < online_share[one], ONLINE, np.where(rng.random(len(time)) < 0.12, ATM, POS))
        mean = np.full(len(time), mean_amount[one])
        where = choose(home[one], kinds, webshops_of[one])
        if rng.random() < 0.4 * days / 120:
            begin, length = rng.integers(0, days), rng.integers(3, 11)
            away = (time >= begin * DAY) & (time < (begin + length) * DAY) & (kinds != ONLINE)
            where[away] = choose(rng.uniform(0, 100, 2), kinds[away], webshops_of[one])
            mean[away] *= 1.4
        worth = amounts(mean, kinds)
        small = (kinds == ONLINE) & (rng.random(len(time)) < 0.1)
        worth = np.where(small, rng.uniform(0.5, 8, len(time)), worth)
        paid.add(time, one, where, worth)

    # Blocked cards: (time, customer); what is paid later is paid with a new one.
    blocked = []
    for one in np.flatnonzero(rng.random(customers) < 1 - np.exp(-0.00075 * days)):
        begin, length = rng.integers(0, days * DAY), rng.integers(1, 4)
        count = rng.integers(2, 7, length).sum()
        time = begin + np.sort(rng.integers(0, length * DAY, count))
        kinds = np.where(rng.random(count) < 0.25, ATM, POS)
        spot = rng.uniform(0, 100, 2) if rng.random() < 0.7 else home[one]
        paid.add(time, one, choose(spot, kinds, webshops_of[one]), amounts(mean_amount[one] * rng.uniform(1, 3), kinds), 2)
        blocked.append((time[-1] + 3_600_000, one))
    for one in np.flatnonzero(rng.random(customers) < 1 - np.exp(-0.0006 * days)):
        begin = rng.integers(0, days * DAY)
        tests = rng.integers(2, 6)
        time = begin + np.sort(rng.integers(0, 900_000, tests))
        paid.add(time, one, rng.choice(web, p=web_weight), rng.uniform(0.5, 3, tests), 3)
        buys = rng.integers(1, 4) if rng.random() < 0.75 else 0
        if buys:
            later = begin + 900_000 + np.sort(rng.integers(0, 3_600_000, buys))
            paid.add(later, one, rng.choice(web, buys, p=web_weight), mean_amount[one] * rng.uniform(1.5, 5, buys), 3)
        blocked.append((begin + 5_000_000, one))

    at, customer, terminal, amount, scenario = paid.arrays()
    for one in np.flatnonzero(rng.random(terminals) < 1 - np.exp(-0.0018 * days)):
        if channel[one] == ONLINE:
            continue
        begin = rng.integers(0, days * DAY)
        end = begin + rng.integers(8, 29) * DAY
        seen = np.flatnonzero((terminal == one) & (at >= begin) & (at < end) & (scenario == 0))
        seen = seen[rng.random(len(seen)) < 0.3]
        if len(seen):
            paid.at.append(at[seen] + rng.integers(60_000, 1_800_000, len(seen)))
            paid.customer.append(customer[seen])
            paid.terminal.append(terminal[seen])
            paid.amount.append(amount[seen] * rng.uniform(0.8, 1.8, len(seen)))
            paid.scenario.append(np.full(len(seen), 1))
    at, customer, terminal, amount, scenario = paid.arrays()

    inside = np.flatnonzero(at < days * DAY)
    order = inside[np.argsort(at[inside], kind="stable")]
    at, customer, terminal, amount, scenario = at[order], customer[order], terminal[order], amount[order], scenario[order]
    card = customer.copy()
    for number, (time, one) in enumerate(sorted((int(t), int(c)) for t, c in blocked)):
        card[(customer == one) & (at > time)] = customers + number
    gap = np.sqrt(((home[customer] - place[terminal]) ** 2).sum(1))
    return {
        "at": at + START,
        "card": card,
        "terminal": terminal,
        "channel": channel[terminal],
        "amount": np.round(amount, 2),
        "distance_km": np.where(channel[terminal] == ONLINE, 0, np.round(gap, 1)),
        "scenario": scenario,
    }


def day_of(at):
    """Day of the world, from 0."""
    return (np.asarray(at) - START) // DAY


def csv_lines(world, rows):
    """The rows as lines of a CSV file, header first."""
    yield "id,at,day,card_id,terminal_id,channel,amount,amount_band,distance_km,fraud\n"
    day = day_of(world["at"])
    for i in rows:
        amount = world["amount"][i]
        band = "0-20" if amount < 20 else "20-100" if amount < 100 else "100+"
        yield (f"p{i},{world['at'][i]},{day[i]},c{world['card'][i]},t{world['terminal'][i]},{CHANNELS[world['channel'][i]]},"
               f"{amount:.2f},{band},{world['distance_km'][i]:g},{int(world['scenario'][i] > 0)}\n")
