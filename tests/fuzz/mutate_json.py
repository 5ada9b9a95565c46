"""JSON with values that its reader does not expect, and JSON that is hard to parse."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

from fuzz.mutate import INTEGERS, TEXTS, mutated_bytes, times

_NUMBERS = (
    *INTEGERS, 10**30, 10**400, -(10**400), 0.5, -0.5, -0.0, 1e-320, 1e-9, 1e18, 1e308, -1e308,
    math.nan, math.inf, -math.inf,
)  # fmt: skip
_DEEP = 100_000


def mutated_json(random: Random, data: bytes) -> bytes:
    """A value, a key or the text itself changed; what is no JSON is changed as bytes."""
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError):
        return mutated_bytes(random, data)
    if random.random() < 0.15:
        return _strange_text(random, data)
    for _ in range(random.randint(1, 3)):
        facts = changed_facts(random, facts)
    return json.dumps(facts, ensure_ascii=random.random() < 0.8).encode("utf-8", "surrogatepass")


def changed_facts(random: Random, facts: Any) -> Any:
    """JSON values with one of them changed, wherever it lies."""
    places = list(_places(facts))
    if not places:
        return strange_value(random, facts)
    holder, key = random.choice(places)
    match random.choice(("value", "value", "value", "value", "drop", "key", "repeat", "move")):
        case "value":
            holder[key] = strange_value(random, holder[key])
        case "drop":
            del holder[key]
        case "key" if isinstance(holder, dict):
            holder[random.choice(TEXTS)] = holder.pop(key)
        case "repeat" if isinstance(holder, list):
            size = len(json.dumps(holder[key]))
            holder[key:key] = [holder[key]] * times(random, size)
        case _:  # a value that is right, elsewhere
            other, place = random.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
    return facts


def strange_value(random: Random, value: Any) -> Any:
    """Something that does not fit where a value stood."""
    kind = random.choice(("null", "number", "number", "text", "text", "list", "object", "near"))
    match kind:
        case "null":
            return random.choice((None, True, False))
        case "number":
            return random.choice(_NUMBERS)
        case "text":
            return random.choice(TEXTS)
        case "list":
            return random.choice(([], [value], [value] * 3, [[]], [None], [1e400], [0] * 20_000))
        case "object":
            return random.choice(({}, {"x": value}, {"": None}, {"__class__": "x"}))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [value, value]
    try:
        return random.choice((-value, value + 1, value - 1, value * 1000, float(value), str(value)))
    except OverflowError:
        return str(value)[:1000]


def _places(facts: Any) -> Any:
    """Every value within lists and objects, as what holds it and its key there."""
    waiting = [facts]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            for key in holder if isinstance(holder, dict) else range(len(holder)):
                yield holder, key
                waiting.append(holder[key])


def _strange_text(random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    match random.choice(("deep", "digits", "coding", "mark", "twice", "bytes", "whole", "comma")):
        case "deep":
            start, end = random.choice((("[", "]"), ('{"a":', "}")))
            depth = random.choice((500, 5000, _DEEP))
            deep = start * depth + "0" + end * depth
            where = text.find(": ")
            if where < 0 or random.random() < 0.5:
                return deep.encode()
            return f"{text[:where]}: {deep}, {text[where + 2 :]}".encode()
        case "digits":  # longer than Python converts
            return text.replace("0", "9" * random.choice((400, 5000, 200_000)), 1).encode()
        case "coding":
            return text.encode(random.choice(("utf-16", "utf-32", "utf-16-le", "cp037")))
        case "mark":
            return b"\xef\xbb\xbf" + data
        case "twice":
            return data + random.choice((b"\n", b",", b"")) + data
        case "whole":
            whole = strange_value(random, 1)
            return json.dumps(whole).encode()
        case "comma":
            return data.replace(b"}", b",}", 1)
    return mutated_bytes(random, data)
