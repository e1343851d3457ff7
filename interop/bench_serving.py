"""Runs SGLang's own bench_serving from the released package, without installing what its server needs.

It is a client: of the server's modules it takes two helpers for addresses and one constant, but importing them would
import torch. Their packages are therefore entered without running what stands in their __init__ files.
"""

import importlib.machinery
import importlib.util
import os
import re
import sys
import types
import warnings

PACKAGES = ("sglang", "sglang.srt", "sglang.srt.utils")


def enter_packages():
    root = importlib.util.find_spec("sglang").submodule_search_locations[0]
    for name in PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = package
    with open(os.path.join(root, "srt/disaggregation/utils.py"), encoding="utf-8") as source:
        host = re.search(r'^FAKE_BOOTSTRAP_HOST = "(.*)"', source.read(), re.MULTILINE).group(1)
    stand_in("sglang.srt.disaggregation.utils", FAKE_BOOTSTRAP_HOST=host)
    # Read by a dataset of pictures only.
    stand_in("datasets", load_dataset=None)


def stand_in(name, **attributes):
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module


if __name__ == "__main__":
    enter_packages()
    warnings.simplefilter("ignore", FutureWarning)
    from sglang import bench_serving

    bench_serving.cli_main()
