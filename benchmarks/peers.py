"""Losses of lightly, without the vision packages that importing lightly itself needs."""

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

_PACKAGES = (
    "lightly",
    "lightly.loss",
    "lightly.utils",
    "lightly.models",
    "lightly.models.modules",
)


@cache
def lightly_losses():
    """lightly's loss classes, or None where lightly is not installed.

    Their modules are imported without the ``__init__`` files above them, which ask for
    torchvision. The memory bank of NT-Xent names a module of its own that does the same, and
    uses it only where batches are gathered from several processes: an empty one stands in.
    """
    spec = find_spec("lightly")
    if spec is None:
        return None
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [
            "/".join([folder, *name.split(".")[1:]]) for folder in spec.submodule_search_locations
        ]
        sys.modules[name] = package
    sys.modules["lightly.models"].utils = sys.modules["lightly.models.utils"] = ModuleType("utils")
    return SimpleNamespace(
        NTXentLoss=importlib.import_module("lightly.loss.ntx_ent_loss").NTXentLoss,
        VICRegLoss=importlib.import_module("lightly.loss.vicreg_loss").VICRegLoss,
        BarlowTwinsLoss=importlib.import_module("lightly.loss.barlow_twins_loss").BarlowTwinsLoss,
    )
