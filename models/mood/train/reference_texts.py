"""Texts of the parity reference: train.py writes their ids and logits to reference.json."""
TEXTS = [
    "", " ", "good", "Bad", "Meh.", "the", "I loved it!", "I did not love it.", "I don't like this at all.",
    "It isn’t bad, actually.", "Can't recommend this enough!", "do n't bother , wo n't work",
    "dont waste your money, it didnt work", "Great phone, terrible battery.",
    "The food was cold and the waiter was rude.", "Absolutely wonderful service and the best tacos in town!",
    "What a waste of two hours.", "A moving, beautifully acted film.", "😀", "😡😡😡", "Thanks 👍 works great ❤️",
    "Broken on arrival 💩", "<p>Really <b>nice</b><br/>quality</p>", "<script>alert('x')</script> awful",
    "Très bien, café naïve déjà vu", "这个产品很好", "Это ужасно", "ПРИВЕТ good МИР", "10/10 would buy again",
    "1/10", "!!!!!!!!", "...", "?", "soooooo gooooood", "supercalifragilisticexpialidocious", "x" * 90,
    "tab\tand\nnewline\r\nare fine", "zero\u200bwidth and \u0000 control \ufeff marks", "C++ > Java && $5.99 @ 50% off #deal",
    "https://example.com/path?q=1 is down again", ":) :( ;-)", "[PAD] [UNK] [CLS] are special",
    "Yeah, great, another update that deletes my files.", "The screen is bright; however, the speakers are not.",
    "This is a very long review. " * 60, "good " * 127, "good " * 128, "not " * 300 + "good",
]
