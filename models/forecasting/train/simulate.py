"""Made-up monthly series that the small networks learn from, beside the real ones: what a month can do to a number.

The logarithm of a value is a level (random walk, damped local trend, or return to a mean), a pattern of twelve months
(absent, fixed or drifting), a cycle of two to eight years, noise (with memory, sometimes with heavy tails), and now and
then an outlier or a step. Nothing of it is fitted to any data set; the ranges are the whole of its knowledge.
"""
import numpy as np

PERIOD = 12


def between(random, low, high, size):
    """Log-uniform numbers."""
    return np.exp(random.uniform(np.log(low), np.log(high), size))


def simulate(random, count, months):
    """[count, months] positive values, float64."""
    burn = 24
    total = months + burn
    memory = np.where(random.random(count) < 0.5, random.uniform(0.0, 0.6, count), 0.0) * random.choice([1, 1, 1, -1], count)
    noise_scale = between(random, 0.004, 0.2, count)
    heavy = random.random(count) < 0.3
    shocks = random.standard_normal((count, total))
    shocks[heavy] = random.standard_t(3, (heavy.sum(), total)) / np.sqrt(3)
    walk = noise_scale * np.where(random.random(count) < 0.75, between(random, 0.05, 1.2, count), 0.0)
    drift = random.normal(0, 0.004, count) * (random.random(count) < 0.8)
    slope_change = np.where(random.random(count) < 0.5, noise_scale * between(random, 0.003, 0.12, count), 0.0)
    damping = random.uniform(0.85, 1.0, count)
    reverts = random.random(count) < 0.25
    pull = np.where(reverts, random.uniform(0.02, 0.3, count), 0.0)
    cycles = random.random(count) < 0.35
    cycle_scale = np.where(cycles, between(random, 0.01, 0.15, count), 0.0)
    cycle_length = between(random, 24, 96, count)
    cycle_decay = random.uniform(0.96, 0.995, count)
    jump_scale = noise_scale * random.uniform(2, 8, count)
    jump_rate = np.where(random.random(count) < 0.5, between(random, 0.002, 0.02, count), 0.0)
    outlier_rate = np.where(random.random(count) < 0.5, between(random, 0.002, 0.03, count), 0.0)

    seasonal = random.random(count) < 0.65
    size = np.where(seasonal, between(random, 0.01, 0.45, count), 0.0)
    harmonics = random.standard_normal((count, 6)) / np.arange(1, 7) ** random.uniform(0, 1.5, (count, 1))
    phases = random.uniform(0, 2 * np.pi, (count, 6))
    at = 2 * np.pi * np.arange(PERIOD) / PERIOD
    smooth = (harmonics[:, :, None] * np.cos(np.arange(1, 7)[None, :, None] * at + phases[:, :, None])).sum(1)
    rough = random.standard_normal((count, PERIOD))
    pattern = np.where((random.random(count) < 0.35)[:, None], rough, smooth)
    pattern -= pattern.mean(1, keepdims=True)
    pattern *= (size / (pattern.std(1) + 1e-9))[:, None]
    drifting = np.where(random.random(count) < 0.5, size * between(random, 0.01, 0.12, count), 0.0)

    level, slope, mean = np.zeros(count), drift.copy(), np.zeros(count)
    wave, other_wave, previous = random.normal(0, 1, count) * cycle_scale, random.normal(0, 1, count) * cycle_scale, np.zeros(count)
    turn = 2 * np.pi / cycle_length
    logs = np.empty((count, total))
    for t in range(total):
        slope = drift + damping * (slope - drift) + slope_change * random.standard_normal(count)
        jump = jump_scale * random.standard_normal(count) * (random.random(count) < jump_rate)
        mean = mean + drift
        level = level + np.where(reverts, drift + pull * (mean - level), slope) + walk * random.standard_normal(count) + jump
        kick = np.sqrt(1 - cycle_decay**2) * cycle_scale
        wave, other_wave = (cycle_decay * (np.cos(turn) * wave + np.sin(turn) * other_wave) + kick * random.standard_normal(count),
                            cycle_decay * (np.cos(turn) * other_wave - np.sin(turn) * wave) + kick * random.standard_normal(count))
        month = t % PERIOD
        pattern[:, month] += drifting * random.standard_normal(count)
        noise = memory * previous + shocks[:, t] * noise_scale
        previous = noise
        outlier = jump_scale * random.standard_normal(count) * (random.random(count) < outlier_rate)
        logs[:, t] = level + pattern[:, month] + wave + noise + outlier
    logs = np.clip(logs[:, burn:] - logs[:, burn:].mean(1, keepdims=True), -4, 4)
    return np.exp(logs)
