"""Writes ../golden/resnet.json: what torchvision's ResNet-18 makes of small images, in 64-bit numbers.

Run with PyTorch and torchvision installed:  python make_golden_resnet.py
The first convolution is replaced by one for a single channel, as the paper's authors do (Zhang et al. 2026, code). Weights and images
follow a formula of whole numbers that the test knows, too, so that the file holds results alone; blocks are those of torchvision, with
4, 8, 16 and 32 channels. Of each gradient it has the sum, the sum of squares and a sum weighted by places.
"""

import json
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional

N_CLASSES, N_CELLS, SIDE = 3, 5, 40
WIDTHS = [4, 8, 16, 32]


class Narrow(torchvision.models.ResNet):
    """torchvision's network with other widths: the first is set, those of the stages are told where they are made."""

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        if planes == 64:
            self.inplanes = WIDTHS[0]
        return super()._make_layer(block, planes * WIDTHS[0] // 64, blocks, stride, dilate)


def network():
    made = Narrow(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2], num_classes=N_CLASSES)
    made.conv1 = nn.Conv2d(1, WIDTHS[0], kernel_size=7, stride=2, padding=3, bias=False)
    made.bn1 = nn.BatchNorm2d(WIDTHS[0])
    made.fc = nn.Linear(WIDTHS[-1], N_CLASSES)
    return made.double()


def filled(shape, key):
    """Multiples of 1/512 from -0.25 to 0.248 that follow the place and the key."""
    n = torch.Size(shape).numel()
    values = [((((place * 37 + key * 101 + 1) * 2654435761) % 2**32 >> 24) - 128) / 512 for place in range(n)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def fill(made):
    state = {name: value for name, value in made.state_dict().items() if "num_batches" not in name}
    for key, name in enumerate(sorted(state)):
        drawn = filled(state[name].shape, key)
        if name.endswith("running_var") or (".bn" in "." + name or "downsample.1" in name) and name.endswith("weight"):
            drawn = 1 + drawn.abs()
        state[name].copy_(drawn)


def short(tensor):
    flat = tensor.detach().reshape(-1)
    places = torch.arange(flat.numel(), dtype=torch.float64)
    return [flat.sum().item(), flat.square().sum().item(), (flat * torch.cos(places)).sum().item()]


def main():
    made = network()
    fill(made)
    images = filled([N_CELLS, 1, SIDE, SIDE], 1000).abs() * 4
    labels = torch.tensor([0, 2, 1, 2, 2])
    weight = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    made.eval()
    evaluated = made(images)
    made.train()
    logits = made(images)
    loss = functional.cross_entropy(logits, labels, weight=weight)
    loss.backward()
    whole = torchvision.models.resnet18(num_classes=11)
    whole.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    found = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "n_parameters": sum(parameter.numel() for parameter in whole.parameters()),
        "parameters": {name: list(value.shape) for name, value in sorted(whole.named_parameters())},
        "side": SIDE,
        "labels": labels.tolist(),
        "weight": weight.tolist(),
        "evaluated": evaluated.tolist(),
        "logits": logits.tolist(),
        "loss": loss.item(),
        "gradients": {name: short(value.grad) for name, value in sorted(made.named_parameters())},
        "first_gradient": made.conv1.weight.grad.reshape(-1).tolist(),
        "running": {name: short(value) for name, value in sorted(made.named_buffers()) if "num_batches" not in name},
    }
    path = Path(__file__).parent.parent / "golden" / "resnet.json"
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
