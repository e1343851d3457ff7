"""The message definitions of the released SGLang package, imported from the package itself.

What its modules pull in beyond message definitions (torch, model code) is replaced by empty stand-ins, because no field
used here needs it. The messages that the release no longer has stand here too, as upstream had them.
"""

import enum
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import sys
import types
import typing
from array import array

os.environ["SGLANG_USE_PICKLE_IPC"] = "0"

import msgspec  # noqa: E402

# "org": the standard library probes for Jython with it.
REAL_TOP_LEVEL = {"sglang", "msgspec", "numpy", "zmq", "pydantic", "org"}


class StandIn(types.ModuleType):
    """A module whose every attribute is a class that does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {
            "__module__": self.__name__,
            "__init__": lambda self, *args, **kwargs: None,
            "__class_getitem__": classmethod(lambda cls, item: cls),
            "__call__": lambda self, *args, **kwargs: args[0] if args else None,
        })
        setattr(self, name, made)
        return made


class MissingModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for every module outside those that are really needed."""

    def find_spec(self, name, path, target=None):
        top = name.split(".")[0]
        if top in REAL_TOP_LEVEL or top in sys.stdlib_module_names:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        module.__path__ = []


class Modality(enum.IntEnum):
    IMAGE = 1
    VIDEO = 2
    AUDIO = 3


class Opaque(msgspec.Struct):
    """Type of fields that are always nil here."""


def load_io_struct():
    sys.meta_path.append(MissingModules())
    root = importlib.util.find_spec("sglang").submodule_search_locations[0]

    def package(name):
        module = StandIn(name)
        module.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = module

    def stand_in(name, **attributes):
        module = StandIn(name)
        module.__path__ = []
        module.__dict__.update(attributes)
        sys.modules[name] = module

    for name in ("", ".srt", ".srt.utils", ".srt.managers", ".srt.sampling", ".srt.beam_search"):
        package("sglang" + name)
    stand_in(
        "sglang.srt.managers.schedule_batch",
        Modality=Modality,
        MultimodalProcessorOutput=Opaque,
        ReturnHiddenStatesMode=typing.Union[bool, str],
        SamplingLogprobsMode=typing.Literal["support", "selected"],
        get_return_hidden_states_mode=lambda mode: mode,
    )
    stand_in("sglang.srt.managers.embed_types", PositionalEmbeds=Opaque)
    stand_in("sglang.srt.multimodal")
    stand_in("sglang.srt.multimodal.mm_utils")
    stand_in("sglang.srt.lora")
    stand_in("sglang.srt.lora.lora_registry", LoRARef=Opaque)
    stand_in("sglang.srt.utils.cuda_ipc_transport_utils")
    return importlib.import_module("sglang.srt.managers.io_struct")


class GetLoadReqInput(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As upstream had it until January 2026."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None


class GetLoadReqOutput(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As in upstream's pull request 11469."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None
    dp_rank: int
    num_reqs: int
    num_waiting_reqs: int
    num_tokens: int
    ts_tic: float


class WatchLoadUpdateReq(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As in upstream's pull request 11469."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None
    loads: typing.List[GetLoadReqOutput]


def tuple_form(value):
    """Arrays as (typecode, bytes), the form that every release since June 2026 reads."""
    if isinstance(value, array):
        return value.typecode, value.tobytes()
    raise TypeError(type(value))
