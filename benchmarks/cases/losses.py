"""Value and gradient of two-view losses, beside lightly and pytorch-metric-learning."""

import numpy as np
import torch
from cases import OURS, Case
from peers import lightly_losses
from pytorch_metric_learning.losses import NTXentLoss, SelfSupervisedLoss, VICRegLoss

from spectral_ssl import pair_losses

SIZES = [(256, 512), (256, 2048), (256, 8192), (1024, 2048)]


def views(n, k):
    generator = torch.Generator().manual_seed(0)
    first, noise = (torch.randn(n, k, generator=generator) for _ in range(2))
    return [first.requires_grad_(), (first.detach() + 0.3 * noise).requires_grad_()]


def sides(n, k, **losses):
    pair = views(n, k)

    def call(loss):
        def value_and_gradient():
            value = loss(*pair)
            parts = [value.detach()[None], *torch.autograd.grad(value, pair)]
            return np.concatenate([part.double().numpy().ravel() for part in parts])

        return value_and_gradient

    return {name: call(loss) for name, loss in losses.items()}


def difference(ours, peer):
    """The larger of the relative differences of the values and of the gradients."""
    value = abs(ours[0] - peer[0]) / abs(peer[0])
    return max(value, np.linalg.norm(ours[1:] - peer[1:]) / np.linalg.norm(peer[1:]))


def nt_xent(n, k):
    peer = SelfSupervisedLoss(NTXentLoss(temperature=0.5))
    return sides(
        n,
        k,
        **{OURS: pair_losses.nt_xent},
        lightly=lightly_losses().NTXentLoss(temperature=0.5),
        **{"pytorch-metric-learning": peer},
    )


def vicreg(n, k):
    peer = VICRegLoss()
    return sides(
        n,
        k,
        **{OURS: pair_losses.vicreg},
        lightly=lightly_losses().VICRegLoss(),
        **{"pytorch-metric-learning": lambda a, b: peer(a, ref_emb=b)},
    )


def barlow_twins(n, k):
    lightly = lightly_losses().BarlowTwinsLoss()
    return sides(n, k, **{OURS: pair_losses.barlow_twins}, lightly=lightly)


CASES = [
    Case(
        "NT-Xent",
        "n x K",
        [(64, 128), (128, 128), (256, 128), (1024, 128), (2048, 128)],
        (32, 16),
        nt_xent,
        difference,
        limits={"pytorch-metric-learning": 256},
    ),
    Case("VICReg", "n x K", SIZES, (32, 16), vicreg, difference),
    Case("Barlow Twins", "n x K", SIZES, (32, 16), barlow_twins, difference),
]
