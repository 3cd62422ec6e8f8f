"""The simulator behind models/virality: short videos that nobody made, with an outcome that is known.

A row's inputs (title, description, picture, counts, duration) are drawn first. Its outcome then depends on those inputs
alone, through the appeal `appeal(row)` below, and on noise that no model can know:

    z     = appeal + VELOCITY_NOISE * N(0, 1)                     standardised log velocity
    viral ~ Bernoulli(sigmoid(VIRAL_SLOPE * (appeal - VIRAL_AT)))

So the best possible predictions are known for every row: `appeal` for z (median of a symmetric noise), the sigmoid for
viral. README.md tells what they reach on the evaluation rows. Needs NumPy alone; the same seed gives the same rows.
"""
import base64
import math
import struct
import zlib

import numpy as np

SIDE = 32
VELOCITY_NOISE = 0.25
VIRAL_SLOPE = 2.5
VIRAL_AT = 0.85
# ln(views per hour) = VELOCITY_MEAN + VELOCITY_STD * z
VELOCITY_MEAN = 4.2
VELOCITY_STD = 1.4

# What a word in the title adds to the appeal. Nobody measured these: they are the simulator's own.
HOOKS = {"how": 0.2, "why": 0.35, "watch": 0.3, "never": 0.45, "finally": 0.3, "my": -0.05, "the": -0.1, "a": -0.1, "our": -0.2, "some": -0.35,
         "notes": -0.6, "weekly": -0.55, "live": 0.1, "best": 0.35, "worst": 0.5, "easy": 0.2, "secret": 0.55, "first": 0.15, "last": 0.1, "full": -0.2}
ADJECTIVES = {"tiny": 0.25, "giant": 0.4, "quiet": -0.3, "broken": 0.2, "impossible": 0.6, "boring": -0.5, "homemade": 0.2, "ancient": 0.1, "local": -0.35,
              "frozen": 0.1, "annual": -0.6, "incredible": 0.4, "ordinary": -0.4, "hidden": 0.45, "cheap": 0.15, "new": 0.05, "old": -0.1, "wild": 0.3, "slow": -0.25, "perfect": 0.25}
NOUNS = {"puppy": 0.6, "kitten": 0.6, "robot": 0.35, "rocket": 0.45, "budget": -0.5, "meeting": -0.7, "garden": -0.1, "cake": 0.3, "guitar": 0.1, "bridge": -0.15,
         "volcano": 0.45, "committee": -0.75, "sandwich": 0.2, "bicycle": 0.0, "train": 0.05, "invoice": -0.65, "storm": 0.3, "goal": 0.35, "library": -0.25, "dance": 0.4,
         "engine": 0.0, "museum": -0.25, "magic": 0.45, "tax": -0.55, "beach": 0.2, "fossil": 0.1, "pancake": 0.25, "printer": -0.35, "whale": 0.4, "keyboard": -0.1}
PLACES = {"in": 0.0, "at": 0.0, "from": 0.0, "with": 0.05, "without": 0.15}
ENDINGS = {"school": -0.1, "space": 0.35, "winter": 0.0, "minutes": 0.15, "home": 0.05, "office": -0.35, "water": 0.1, "town": -0.15, "friends": 0.2, "zero": 0.2, "darkness": 0.25, "reality": 0.1}
WORDS = {**HOOKS, **ADJECTIVES, **NOUNS, **PLACES, **ENDINGS}
# A description matters less, and only through these.
DESCRIBED = {"giveaway": 0.35, "subscribe": -0.2, "exclusive": 0.25, "minutes": 0.0, "recorded": -0.1, "agenda": -0.4, "surprise": 0.35, "details": -0.05,
             "tutorial": 0.15, "sponsored": -0.3, "behind": 0.1, "scenes": 0.1, "archive": -0.25, "uncut": 0.15, "thanks": 0.0, "music": 0.1}
# Backgrounds of the pictures (red, green, blue), and what each adds.
BACKGROUNDS = [((214, 40, 40), 0.5), ((247, 127, 0), 0.35), ((252, 191, 73), 0.25), ((0, 150, 136), 0.0), ((33, 102, 172), -0.15), ((60, 60, 70), -0.4), ((150, 150, 150), -0.5), ((230, 230, 225), -0.25)]
DISCS = [-0.4, 0.25, 0.5, 0.3]  # by how many faces (discs) the picture shows
ARROW = 0.45
DISC_COLOUR, ARROW_COLOUR = (255, 224, 189), (255, 255, 0)

TITLE_WEIGHT, DESCRIPTION_WEIGHT, PICTURE_WEIGHT = 0.5, 0.35, 0.65
# Brings z to mean 0 and standard deviation 1, to a percent.
RAW_MEAN, RAW_STD = 2.556, 0.768


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pick(rng, words):
    return list(words)[rng.integers(len(words))]


def title_of(rng):
    """Four to nine words, a mark at the end of some, capitals in some. Returns the title and what it adds."""
    words = [pick(rng, HOOKS), pick(rng, ADJECTIVES), pick(rng, NOUNS)]
    if rng.random() < 0.5:
        words.insert(1, pick(rng, HOOKS))
    words += [pick(rng, PLACES), pick(rng, ENDINGS)]
    if rng.random() < 0.4:
        words += ["and", pick(rng, ADJECTIVES), pick(rng, NOUNS)]
    adds = sum(WORDS.get(word, 0) for word in words) / math.sqrt(len(words)) * 1.6
    shown = [word.upper() if rng.random() < 0.08 else word for word in words]
    shown[0] = shown[0] if shown[0].isupper() else shown[0].capitalize()
    loud = sum(word.isupper() and len(word) > 1 for word in shown)
    adds += 0.25 * min(loud, 2) - 0.3 * max(loud - 2, 0)
    if rng.random() < 0.2:
        shown.insert(len(shown) - 1, str(rng.integers(2, 100)))
        adds += 0.2
    ending = rng.choice(["", "", "", "?", "!", "!!"])
    adds += {"": 0.0, "?": 0.3, "!": 0.2, "!!": -0.1}[str(ending)]
    return " ".join(shown) + str(ending), adds


def description_of(rng):
    if rng.random() < 0.4:
        return None, 0.0
    words = [pick(rng, DESCRIBED) for _ in range(rng.integers(3, 8))]
    return " ".join(words).capitalize() + ".", sum(DESCRIBED[word] for word in words) / math.sqrt(len(words)) * 1.6


def picture_of(rng):
    """A 32 x 32 picture in three colours: uint8 [32, 32] indices and its palette. Returns them and what it adds."""
    which = rng.integers(len(BACKGROUNDS))
    colour, adds = BACKGROUNDS[which]
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    count = int(rng.integers(len(DISCS)))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    for place in range(count):
        x, y, radius = 6 + 10 * place + rng.integers(-1, 2), rng.integers(8, 24), rng.integers(3, 5)
        pixels[(columns - x) ** 2 + (rows - y) ** 2 <= radius ** 2] = 1
    adds += DISCS[count]
    if rng.random() < 0.4:
        start = int(rng.integers(0, 12))
        for step in range(16):
            at = start + step
            pixels[at:at + 3, at:at + 2] = 2
        adds += ARROW
    return pixels, [colour, DISC_COLOUR, ARROW_COLOUR], adds


def png(pixels, palette):
    """An indexed PNG of the pixels: 8 bits an index, no filter."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    height, width = pixels.shape
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
            + chunk(b"PLTE", bytes(v for colour in palette for v in colour)) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def rows_of(seed, count, prefix):
    """`count` rows: dicts with the model's inputs, `pixels` (uint8 [32, 32, 3] or None), the outcome and its truth."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        title, title_adds = title_of(rng)
        description, description_adds = description_of(rng)
        pixels, palette, picture_adds = picture_of(rng)
        thumbnail = rng.random() < 0.85
        short = rng.random() < 0.4
        duration = int(rng.integers(8, 61)) if short else int(math.exp(rng.normal(5.8, 0.7))) + 61
        # Counts at the moment of asking: an audience, and how it takes to the video.
        audience, liking, talk = rng.normal(size=3)
        views = int(math.exp(6.5 + 1.6 * audience)) + 1
        likes = int(views * min(0.6, math.exp(-3.3 + 0.6 * liking)))
        comments = int(views * min(0.3, math.exp(-5.6 + 0.5 * liking + 0.6 * talk)))
        raw = (TITLE_WEIGHT * title_adds + DESCRIPTION_WEIGHT * description_adds + (PICTURE_WEIGHT * picture_adds if thumbnail else -0.2)
                  + 0.25 * math.log1p(views) + 7 * min(0.15, likes / views) + 0.18 * math.log1p(1000 * comments / views) + (0.2 if short else -0.1 * math.log(duration / 300)))
        appeal = (raw - RAW_MEAN) / RAW_STD
        z = appeal + VELOCITY_NOISE * rng.normal()
        probability = float(sigmoid(VIRAL_SLOPE * (appeal - VIRAL_AT)))
        rows.append({
            "id": f"{prefix}-{index:05d}", "title": title, "description": description,
            "thumbnail_url": "data:image/png;base64," + base64.b64encode(png(pixels, palette)).decode() if thumbnail else None,
            "view_count": views, "like_count": likes, "comment_count": comments, "duration_seconds": duration,
            "viral": bool(rng.random() < probability), "velocity": float(z),
            "pixels": np.array(palette, np.uint8)[pixels] if thumbnail else None, "appeal": appeal, "probability": probability,
        })
    return rows
