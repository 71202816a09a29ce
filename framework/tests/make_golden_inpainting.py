"""Writes ../golden/inpainting.json: what the paired-cell inpainting network makes of small images, in 64-bit numbers.

Run with PyTorch installed:  python make_golden_inpainting.py
Layers are those that Zhang et al. 2026 describe in code for this baseline. Weights and images follow a formula of whole numbers that the
test knows, too, so that the file holds results alone. Of each gradient it has the sum, the sum of squares and a sum weighted by places.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

PUBLISHED_WIDTH, WIDTH, N_CELLS, HEIGHT, SIDE = 16, 1, 4, 8, 12


class Layer(nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.conv = nn.Conv2d(n_inputs, n_outputs, 3, padding="same")
        self.norm = nn.BatchNorm2d(n_outputs)

    def forward(self, maps):
        return self.norm(torch.relu(self.conv(maps)))


class Network(nn.Module):
    def __init__(self, width):
        super().__init__()
        narrow, middle, wide = 6 * width, 16 * width, 24 * width
        self.source = nn.ModuleList(
            [Layer(2, narrow), Layer(narrow, middle), Layer(middle, wide), Layer(wide, wide), Layer(wide, middle)]
        )
        self.target = nn.ModuleList([Layer(1, width), Layer(width, 2 * width), Layer(2 * width, 2 * width)])
        self.decoder = nn.ModuleList(
            [
                Layer(middle + 2 * width, middle),
                Layer(middle, wide),
                Layer(wide, wide),
                Layer(wide, middle),
                Layer(middle, narrow),
            ]
        )
        self.last = nn.Conv2d(narrow, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")

    def forward(self, source, chromatin):
        one, two, *rest = self.source
        source = self.pool(two(self.pool(one(source))))
        for layer in rest:
            source = layer(source)
        one, two, three = self.target
        target = three(self.pool(two(self.pool(one(chromatin)))))
        one, two, three, four, five = self.decoder
        maps = three(two(one(torch.cat([source, target], dim=1))))
        return self.last(five(self.up(four(self.up(maps)))))


def filled(shape, key):
    """Multiples of 1/512 from -0.25 to 0.248 that follow the place and the key."""
    n = torch.Size(shape).numel()
    values = [((((place * 37 + key * 101 + 1) * 2654435761) % 2**32 >> 24) - 128) / 512 for place in range(n)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def fill(made):
    state = {name: value for name, value in made.state_dict().items() if "num_batches" not in name}
    for key, name in enumerate(sorted(state)):
        drawn = filled(state[name].shape, key)
        if name.endswith("running_var") or "norm" in name and name.endswith("weight"):
            drawn = 1 + drawn.abs()
        state[name].copy_(drawn)


def short(tensor):
    flat = tensor.detach().reshape(-1)
    places = torch.arange(flat.numel(), dtype=torch.float64)
    return [flat.sum().item(), flat.square().sum().item(), (flat * torch.cos(places)).sum().item()]


def main():
    made = Network(WIDTH).double()
    fill(made)
    source = filled([N_CELLS, 2, HEIGHT, SIDE], 1000).abs() * 4
    chromatin = filled([N_CELLS, 1, HEIGHT, SIDE], 1001).abs() * 4
    protein = filled([N_CELLS, 1, HEIGHT, SIDE], 1002).abs() * 4
    made.eval()
    evaluated = made(source, chromatin)
    made.train()
    painted = made(source, chromatin)
    loss = functional.mse_loss(painted, protein)
    loss.backward()
    whole = Network(PUBLISHED_WIDTH)
    found = {
        "torch": torch.__version__,
        "n_parameters": sum(parameter.numel() for parameter in whole.parameters()),
        "parameters": {name: list(value.shape) for name, value in sorted(whole.named_parameters())},
        "size": [N_CELLS, HEIGHT, SIDE],
        "evaluated": evaluated.reshape(-1).tolist(),
        "painted": painted.reshape(-1).tolist(),
        "loss": loss.item(),
        "gradients": {name: short(value.grad) for name, value in sorted(made.named_parameters())},
        "first_gradient": made.source[0].conv.weight.grad.reshape(-1).tolist(),
        "running": {name: short(value) for name, value in sorted(made.named_buffers()) if "num_batches" not in name},
    }
    path = Path(__file__).parent.parent / "golden" / "inpainting.json"
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
