"""Compares the Java codec with SGLang's own message definitions, field by field.

    layouts.py --java-classes PATH [--seed N] [--count N]

1. The positions that docs/protocol.md lists are those of the release.
2. Every message that Java encodes is decoded by SGLang; each field must hold what Java put into it, every other field
   its default.
3. SGLang encodes each again, once as it is and once with values in all the fields that Java does not know; Java must
   read back the same message.
4. Each field is moved by one position: the comparison must notice every such wrong index.

Any difference is printed as "message: field: ..." and makes the exit status 1.
"""

import argparse
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from array import array

import released
from released import msgspec

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

# Fields that Java always writes with one value, which is not the release's default.
CONSTANTS = {
    "SamplingParams": {"stop_regex_strs": [], "is_normalized": True},
}

# What SGLang may write into a field that Java does not know: Java has to pass over any of it.
ANYTHING = [None, True, -7, 1 << 40, 2.5, "text", b"bytes", [], [1.5, None, [2, "x"]], {"a": [1, {"b": None}]}]

# Messages in which a field is moved; equal neighbours, such as two nils, cannot tell.
PERTURBATION_SAMPLES = 40


class Layouts:
    """The release's struct for a message name, and its fields with their positions."""

    def __init__(self, io, protocol):
        self.io = io
        self.extensions = extensions(protocol)
        sampling = sys.modules["sglang.srt.sampling.sampling_params"].SamplingParams
        former = (released.GetLoadReqInput, released.GetLoadReqOutput, released.WatchLoadUpdateReq)
        self.others = {kind.__name__: kind for kind in (sampling, *former)}

    def struct(self, name):
        return self.others.get(name) or getattr(self.io, name, None)

    def fields(self, name):
        """By name of a field: its position in the array, and the field."""
        kind = self.struct(name)
        tagged = 1 if kind.__struct_config__.tag else 0
        return {f.encode_name: (i, f) for i, f in enumerate(msgspec.structs.fields(kind), start=tagged)}

    def decode(self, name, frame):
        kind = self.others.get(name)
        return msgspec.msgpack.decode(frame, type=kind) if kind else self.io.msgpack_decode(frame)

    def encode(self, name, message):
        return msgspec.msgpack.encode(message) if name in self.others else self.io.msgpack_encode(message)


def default_of(field):
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None


def plain(value):
    """Arrays and sets as lists, for comparison."""
    if isinstance(value, (array, list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value


def differences(layouts, name, java, message, path=""):
    """Yields a line for each field in which the struct that SGLang decoded is not what Java has encoded."""
    fields = layouts.fields(name)
    extensions = layouts.extensions.get(name, set())
    path = path or name
    for field, expected in java.items():
        if field == "type" or field in extensions and field not in fields:
            continue
        if field not in fields:
            yield f"{path}: {field}: the release has no such field"
            continue
        found = getattr(message, field)
        if field == "sampling_params":
            yield from differences(layouts, "SamplingParams", expected, found, f"{path}.sampling_params")
        elif field in ("batch", "loads"):
            for item, other in zip(expected, found, strict=True):
                yield from differences(layouts, item["type"], item, other, f"{path}.{field}")
        else:
            found = plain(found)
            if field == "stop_token_ids":
                expected, found = sorted(set(expected)), found or []
            if found != expected or isinstance(found, bool) != isinstance(expected, bool):
                yield f"{path}: {field}: Java wrote {expected!r:.80}, SGLang reads {found!r:.80}"
    for field, (_, definition) in fields.items():
        if field not in java:
            expected = CONSTANTS.get(name, {}).get(field, default_of(definition))
            found = getattr(message, field)
            if found != expected and not (expected is None and found is False):
                yield f"{path}: {field}: SGLang reads {found!r:.80} instead of its default {expected!r:.80}"


def compare_frame(layouts, java, frame):
    """The differences of one frame, a failure to decode among them."""
    name = java["type"]
    try:
        message = layouts.decode(name, frame)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        return [f"{name}: SGLang cannot read it: {error}"]
    return list(differences(layouts, name, java, message))


def normal(layouts, java):
    """The fields without what only the extension element carries, and the set among them sorted."""
    if isinstance(java, dict):
        dropped = layouts.extensions.get(java.get("type"), set())
        return {k: sorted(set(v)) if k == "stop_token_ids" else normal(layouts, v)
                for k, v in java.items() if k not in dropped}
    return [normal(layouts, item) for item in java] if isinstance(java, list) else java


def returned(layouts, sent, read):
    """Yields a line for each field that Java reads otherwise than it was before SGLang had the message."""
    name = sent["type"]
    if "error" in read:
        yield f"{name}: Java cannot read what SGLang wrote: {read['error']}"
        return
    expected, found = normal(layouts, sent), normal(layouts, read)
    for field, value in expected.items():
        if value != found.get(field):
            yield f"{name}: {field}: Java wrote {value!r:.80} and reads {found.get(field)!r:.80} after SGLang"


def with_anything(layouts, java, message, rng):
    """Puts values into all fields that Java does not know; msgspec does not check what it encodes."""
    for field in layouts.fields(java["type"]):
        if field not in java:
            setattr(message, field, rng.choice(ANYTHING))
    return message


def exchange(frame, inside, one, other):
    """The frame with two elements of an array exchanged, at its top or in the element at position inside, if they differ."""
    top = msgspec.msgpack.decode(frame)
    elements = top if inside is None else top[inside]
    if min(one, other) < (1 if inside is None else 0) or max(one, other) >= len(elements) or \
            elements[one] == elements[other]:
        return None
    elements[one], elements[other] = elements[other], elements[one]
    return msgspec.msgpack.encode(top)


def perturb(layouts, name, samples, inside=None):
    """Moves every field of a layout by one: what of this goes unnoticed, and how many moves there were."""
    missed, moves = [], 0
    own = samples[0][0] if inside is None else samples[0][0]["sampling_params"]
    for field, (position, _) in layouts.fields(name).items():
        for neighbour in (position - 1, position + 1) if field in own else ():
            frames = [(java, exchange(frame, inside, position, neighbour)) for java, frame in samples]
            frames = [(java, frame) for java, frame in frames if frame]
            moves += bool(frames)
            if frames and not any(compare_frame(layouts, java, frame) for java, frame in frames):
                missed.append(f"{name}: {field} at {neighbour} instead of {position} is not noticed")
    return missed, moves


def documented_differences(layouts, text):
    """Yields a line for each position in docs/protocol.md section 4.1 that is not the release's. Also counts them."""
    table = text.split("### 4.1")[1].split("### 4.2")[0]
    for row in re.findall(r"^\| (\w[^|]*) \| (\d+) \| ([^|]*)\|$", table, re.MULTILINE):
        for name in re.findall(r"[A-Z]\w+(?=[^()]*(?:\(|,|$))", row[0]):
            if layouts.struct(name) is None:
                yield f"docs/protocol.md: {name}: not in the release"
                continue
            fields = layouts.fields(name)
            length = len(fields) + (0 if name == "SamplingParams" else 1)
            if length != int(row[1]):
                yield f"docs/protocol.md: {name}: {row[1]} elements, the release has {length}"
            for position, field in re.findall(r"(\d+) ([a-z]\w*)", re.sub(r"\([^)]*\)", "", row[2]).split("; ext")[0]):
                if field not in fields or fields[field][0] != int(position):
                    yield f"docs/protocol.md: {name}: {field} at {position}, the release has it at " \
                          f"{fields[field][0] if field in fields else 'no position'}"


def extensions(text):
    """By message, what section 5 puts into the extension element: SGLang passes over it, so it is lost on the way."""
    found = {}
    for names, messages in re.findall(r"^\| [\d, ]+ \| ([^|]*) \| [^|]* \| ([^|]*) \|$",
                                      text.split("## 5.")[1].split("## 6.")[0], re.MULTILINE):
        for message in re.findall(r"[A-Z]\w+", messages):
            found.setdefault(message, set()).update(names.split(", "))
    return found


def between_java_processes(text):
    """Names of section 4.2: SGLang does not know them, and they never go to one of its processes."""
    return set(re.findall(r"\b[A-Z][a-z]\w+", text.split("### 4.2")[1].split("### 4.3")[0]))


def read_blocks(file):
    with open(file, "rb") as stream:
        while header := stream.read(4):
            yield stream.read(struct.unpack(">I", header)[0])


def write_blocks(file, blocks):
    with open(file, "wb") as stream:
        for block in blocks:
            stream.write(struct.pack(">I", len(block)) + block)


def run_java(classes, *arguments):
    subprocess.run(["java", "-cp", classes, "dpserve.io.codec.InteropFrames", *arguments], check=True)


def java_messages(classes, seed, count, folder):
    """(fields, frame) of random messages."""
    file = os.path.join(folder, "random")
    run_java(classes, "random", str(seed), str(count), file)
    blocks = list(read_blocks(file))
    return [(msgspec.msgpack.decode(blocks[i + 1]), blocks[i]) for i in range(0, len(blocks), 2)]


def java_reads(classes, frames, folder):
    frame_file, field_file = os.path.join(folder, "frames"), os.path.join(folder, "fields")
    write_blocks(frame_file, frames)
    run_java(classes, "decode", frame_file, field_file)
    return [msgspec.msgpack.decode(block) for block in read_blocks(field_file)]


def check(layouts, protocol, classes, seed, count):
    """All differences, and a summary line."""
    rng = random.Random(seed)
    found = list(documented_differences(layouts, protocol))
    with tempfile.TemporaryDirectory() as folder:
        messages = java_messages(classes, seed, count, folder)
        unknown = {m[0]["type"] for m in messages if layouts.struct(m[0]["type"]) is None}
        found += [f"{name}: SGLang has no such message, and docs/protocol.md does not say that it stays between Java"
                  " processes" for name in sorted(unknown - between_java_processes(protocol))]
        messages = [m for m in messages if m[0]["type"] not in unknown]
        again = []
        for java, frame in messages:
            name = java["type"]
            problems = compare_frame(layouts, java, frame)
            found += problems
            if not problems:
                message = layouts.decode(name, frame)
                again.append((java, layouts.encode(name, message)))
                again.append((java, layouts.encode(name, with_anything(layouts, java, message, rng))))
        for (java, _), read in zip(again, java_reads(classes, [f for _, f in again], folder), strict=True):
            found += returned(layouts, java, read)
    by_name = {}
    for java, frame in messages:
        by_name.setdefault(java["type"], []).append((java, frame))
    params = layouts.fields("TokenizedGenerateReqInput")["sampling_params"][0]
    layers = [(name, name, None) for name in by_name] + [("SamplingParams", "TokenizedGenerateReqInput", params)]
    moves = 0
    for name, message, inside in layers:
        missed, moved = perturb(layouts, name, by_name[message][:PERTURBATION_SAMPLES], inside)
        found += missed
        moves += moved
    positions = sum(len(layouts.fields(name)) for name, _, _ in layers)
    return found, (f"{len(layers)} layouts, {positions} fields; {len(messages)} random messages (seed {seed}) there"
                   f" and {len(again)} back; {moves} fields moved by one, all noticed")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--java-classes", required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=50, help="random messages of each kind")
    options = arguments.parse_args()
    with open(os.path.join(ROOT, "docs/protocol.md"), encoding="utf-8") as page:
        protocol = page.read()
    layouts = Layouts(released.load_io_struct(), protocol)
    found, summary = check(layouts, protocol, options.java_classes, options.seed, options.count)
    for line in dict.fromkeys(found):
        print(f"DIFFERENT {line}")
    if found:
        sys.exit(f"{len(found)} differences")
    print(f"layouts: {summary}")


if __name__ == "__main__":
    main()
