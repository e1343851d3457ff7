"""Compares a server's metrics with those of the released SGLang package: metrics.py METRICS_FILE

Every metric named sglang:... must be one that SGLang has, of the same type, with the same labels.
"""

import ast
import importlib.util
import os
import re
import sys

# The labels that SGLang's collectors are made with: metrics_collector.py, tokenizer_metric_labels and init_new.
TOKENIZER = {"model_name", "engine_type"}
SCHEDULER = TOKENIZER | {"tp_rank", "pp_rank", "moe_ep_rank", "dp_rank"}


def released():
    """By name of a metric: its type and its labels, read from the collectors' source."""
    root = importlib.util.find_spec("sglang").submodule_search_locations[0]
    with open(os.path.join(root, "srt/observability/metrics_collector.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = {}
    for collector in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        labels = TOKENIZER if collector.name.startswith("Tokenizer") else SCHEDULER
        for call in (node for node in ast.walk(collector) if isinstance(node, ast.Call)):
            words = {k.arg: k.value for k in call.keywords}
            name = getattr(words.get("name"), "value", None)
            if isinstance(name, str) and name.startswith("sglang:") and "labelnames" in words:
                own = {c.value for c in ast.walk(words["labelnames"]) if isinstance(c, ast.Constant)}
                kind = ast.unparse(call.func).rsplit(".", 1)[-1].strip("_").lower()
                found[name] = (kind, labels | {c for c in own if isinstance(c, str)})
    return found


def main(file):
    known, types, problems, compared = released(), {}, [], set()
    with open(file, encoding="utf-8") as metrics:
        for line in metrics:
            if line.startswith("# TYPE sglang:"):
                _, _, name, kind = line.split()
                types[name] = kind
                if name not in known:
                    problems.append(f"{name}: SGLang has no such metric")
                elif known[name][0] != kind:
                    problems.append(f"{name}: a {kind}, SGLang's is a {known[name][0]}")
            elif line.startswith("sglang:"):
                sample = line.split("{")[0]
                name = sample if sample in types else re.sub("_(bucket|sum|count)$", "", sample)
                labels = set(re.findall(r'([a-z_]+)="', line)) - {"le"}
                compared.add(name)
                if name in known and labels != known[name][1]:
                    problems.append(f"{name}: labels {sorted(labels)}, SGLang's are {sorted(known[name][1])}")
    for problem in dict.fromkeys(problems):
        print(f"DIFFERENT {problem}")
    if problems or not compared:
        sys.exit(1)
    print(f"  {len(compared)} metrics under SGLang's names, types and labels")


if __name__ == "__main__":
    main(*sys.argv[1:])
