"""What others would use, in NumPy, on the same visits: scores [asked visitors, items]. Their settings are chosen
on the visitors that chose the model's."""
import numpy as np


def item_knn(known, given, neighbours):
    """Cosine of the items' columns, each item keeping its nearest; the default recommender of implicit keeps 20."""
    norms = np.maximum(np.sqrt(known.sum(0)), 1)
    similar = (known.T @ known) / norms[:, None] / norms[None, :]
    np.fill_diagonal(similar, 0)
    for row in similar:
        row[np.argsort(-row)[neighbours:]] = 0
    return given.astype(np.float64) @ similar


def ease(known, given, penalty):
    """Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data, equation 8."""
    gram = (known.T @ known).astype(np.float64)
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return given.astype(np.float64) @ weights


def implicit_als(known, given, width, alpha, penalty, sweeps=8, seed=1):
    """Hu, Koren and Volinsky 2008. A visitor who was not trained on is folded in by the same least squares."""
    random = np.random.default_rng(seed)
    item = random.normal(0, 0.1, (known.shape[1], width))

    def solve(seen, other):
        gram = other.T @ other + penalty * np.eye(width)
        solved = np.zeros((len(seen), width))
        for row, own in enumerate(seen):
            at = np.flatnonzero(own)
            near = other[at]
            solved[row] = np.linalg.solve(gram + alpha * near.T @ near, (1 + alpha) * near.sum(0))
        return solved

    # Visitors with one page teach nothing about pairs.
    several = known[known.sum(1) > 1]
    for _ in range(sweeps):
        user = solve(several, item)
        item = solve(several.T, user)
    return solve(given, item) @ item.T
