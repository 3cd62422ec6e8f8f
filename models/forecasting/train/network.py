"""The graph: Theta, small networks that correct it, and intervals. What is trained is what is exported.

`history` [batch, 144], right-aligned with zeros before the first value, and `length` [batch] go in; [batch, 18, levels]
comes out: the quantiles of each step.

Theta is that of V. Assimakopoulos and K. Nikolopoulos, Int. J. Forecast. 16 (2000), 521-530, as the benchmark of the M4
competition computes it: a test of autocorrelation at lag 12, classical multiplicative seasons where it finds some, and
the mean of a straight line and of the exponential smoothing of the line with doubled curvature. Its smoothing parameter
is the best of a grid, and its first level is the first value.
"""
import math

import torch
from torch import nn

MONTHS, PERIOD, HORIZON, RECENT = 144, 12, 18, 48
LEVELS = [0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995]
SMALLEST = 1e-3
"""Lower values count as this share of the mean of the history: logarithms need positive numbers."""


class Theta(nn.Module):
    def __init__(self):
        super().__init__()
        alphas = [0.02, 0.05, 0.08] + [0.1 + 0.05 * i for i in range(18)] + [0.99]
        self.register_buffer("alphas", torch.tensor(alphas))
        self.register_buffer("time", torch.arange(MONTHS, dtype=torch.float32))
        self.register_buffer("ahead", torch.arange(1, HORIZON + 1, dtype=torch.float32))
        self.register_buffer("window", torch.tensor([0.5] + [1.0] * 11 + [0.5]).view(1, 1, 13) / PERIOD)
        self.register_buffer("phase", torch.eye(PERIOD).repeat(MONTHS // PERIOD, 1))

    def forward(self, values, mask, length):
        """Both [batch, 144]; length [batch, 1]. Returns forecast [batch, 18] and what the networks read besides it."""
        mean = (values * mask).sum(1, keepdim=True) / length
        centred = (values - mean) * mask
        variance = (centred * centred).sum(1, keepdim=True)
        # Sums of lagged products, lags 1 to 12.
        lags = [(centred[:, k:] * centred[:, : MONTHS - k]).sum(1, keepdim=True) for k in range(1, PERIOD + 1)]
        correlations = torch.cat(lags, 1) / (variance + 1e-30)
        limit = 1.645 * torch.sqrt((1 + 2 * (correlations[:, :11] ** 2).sum(1, keepdim=True)) / length)
        seasonal = (correlations[:, 11:12].abs() > limit).float() * (length >= 3 * PERIOD).float()

        # Classical decomposition: ratios to the centred moving average, a mean per month, scaled to a mean of 1.
        average = torch.nn.functional.conv1d(values.unsqueeze(1), self.window).squeeze(1)
        whole = (self.time[6 : MONTHS - 6] >= MONTHS - length + 6).float()
        ratios = values[:, 6 : MONTHS - 6] / (average + 1e-30) * whole
        phase = self.phase[6 : MONTHS - 6]
        indices = (ratios @ phase) / ((whole @ phase) + 1e-30)
        indices = indices / (indices.mean(1, keepdim=True) + 1e-30)
        indices = seasonal * indices + (1 - seasonal)
        pattern = indices.repeat(1, MONTHS // PERIOD)
        adjusted = values / torch.clamp(pattern, min=1e-6) * mask

        # The line of time t = 1 … length.
        t = (self.time - (MONTHS - length) + 1) * mask
        t_mean = (length + 1) / 2
        y_mean = adjusted.sum(1, keepdim=True) / length
        slope = ((t - t_mean) * mask * (adjusted - y_mean)).sum(1, keepdim=True) / ((((t - t_mean) * mask) ** 2).sum(1, keepdim=True) + 1e-30)
        start = y_mean - slope * t_mean
        curved = (2 * adjusted - (start + slope * t)) * mask
        first = (curved * ((t - 1).abs() < 0.5).float() * mask).sum(1, keepdim=True)
        # Before the first value stands that value: its errors there are 0, and the first level is it.
        curved = curved + first * (1 - mask)
        levels = self.smoothed(curved, first)
        line = start + slope * (length + self.ahead)
        ahead = torch.cat([indices, indices], 1)[:, :HORIZON]
        return (line + levels) / 2 * ahead, indices, seasonal

    def smoothed(self, curved, first):
        """The last level under the alpha of the grid with the least squared errors of one step."""
        gap = self.time.view(-1, 1) - self.time.view(1, -1)  # [to, from]
        known = (gap >= 0).float()
        alpha = self.alphas.view(-1, 1, 1)
        weights = (alpha * torch.pow(1 - alpha, torch.clamp(gap, min=0.0)) * known)  # [alphas, to, from]
        table = weights.permute(2, 0, 1).reshape(MONTHS, -1)
        # The level before the table begins is the first value: what is left of it.
        levels = ((curved - first) @ table).view(-1, self.alphas.shape[0], MONTHS)
        errors = (curved - first).unsqueeze(1)[:, :, 1:] - levels[:, :, :-1]
        best = (errors * errors).sum(2).argmin(1, keepdim=True)
        return levels[:, :, -1].gather(1, best) + first


def squashed(x):
    return torch.sign(x) * torch.log(1 + x.abs())


class Correction(nn.Module):
    """One network: the logarithms of the last 48 values, of Theta's steps and of the seasons → a correction per step."""

    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(RECENT + HORIZON + PERIOD + 3, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                    nn.Linear(hidden, HORIZON))
        with torch.no_grad():
            self.layers[-1].weight *= 0.1
            self.layers[-1].bias.zero_()

    def forward(self, features, scale):
        return self.layers(features) * scale


class Forecaster(nn.Module):
    def __init__(self, members=()):
        super().__init__()
        self.theta = Theta()
        self.members = nn.ModuleList(members)
        self.register_buffer("quantiles", torch.zeros(HORIZON, len(LEVELS)))
        self.register_buffer("least", torch.zeros(1))

    def describe(self, history, length):
        """Logarithm of Theta's forecast over the mean, features and scale of the networks, mean, volatility."""
        length = length.view(-1, 1).float()
        mask = (self.theta.time >= MONTHS - length).float()
        mean = history.sum(1, keepdim=True) / length
        mean = torch.where(mean > 0, mean, torch.ones_like(mean))
        values = torch.clamp(history / mean, min=SMALLEST) * mask
        forecast, indices, seasonal = self.theta(values, mask, length)
        theta = torch.log(torch.clamp(forecast, min=SMALLEST))
        logs = torch.log(torch.clamp(values, min=SMALLEST)) * mask
        # Volatility: mean size of the change over a year, and of the change of the seasonally adjusted months.
        yearly = ((logs[:, PERIOD:] - logs[:, :-PERIOD]).abs() * mask[:, :-PERIOD]).sum(1, keepdim=True) / torch.clamp(length - PERIOD, min=1.0)
        flat = logs - torch.log(torch.clamp(indices, min=1e-6)).repeat(1, MONTHS // PERIOD) * mask
        monthly = ((flat[:, 1:] - flat[:, :-1]).abs() * mask[:, :-1]).sum(1, keepdim=True) / torch.clamp(length - 1, min=1.0)
        volatility = torch.clamp((yearly + monthly) / 2, min=1e-3)
        level = flat[:, MONTHS - 6 :].mean(1, keepdim=True)
        present = mask[:, MONTHS - RECENT :]
        scale = torch.clamp(volatility, min=0.005)
        seasons = torch.log(torch.clamp(indices, min=1e-6))
        ahead = torch.cat([seasons, seasons], 1)[:, :HORIZON]
        features = torch.cat([
            squashed((flat[:, MONTHS - RECENT :] - level) * present / scale), squashed((theta - ahead - level) / scale),
            squashed(seasons / scale), seasonal, torch.log(scale) / 2 + 1, torch.log(length / PERIOD) - 1.5], 1)
        return theta, features, scale, mean, volatility

    def forward(self, history, length):
        theta, features, scale, mean, volatility = self.describe(history, length)
        log = theta
        if len(self.members) > 0:
            corrections = sum(member(features, scale) for member in self.members) / len(self.members)
            log = theta + corrections / 2  # the geometric mean of Theta and of what the networks make of it
        steps = log.unsqueeze(2) + (volatility + self.least).unsqueeze(2) * self.quantiles.unsqueeze(0)
        return torch.exp(steps) * mean.unsqueeze(2)
