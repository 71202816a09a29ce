"""Writes ../golden/conv.json: what PyTorch makes of small images with the networks of the components `conv`.

Run with PyTorch installed:  python make_golden_conv.py
The networks are put together from PyTorch's own layers as the paper and its code describe them (Zhang et al. 2026, Methods,
images), for images of 32 × 32 pixels with few channels. Parameters, images and latent rows are multiples of 1/64, which both
precisions hold exactly; the file has them as whole numbers of 64ths. "conditional" has the same networks with a vector of each cell's
category, from a table of their own (the protein ID), before the heads of the encoder and after the rows that the decoder reads.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

N_CELLS, N_IMAGE_CHANNELS, SIDE = 3, 2, 32
CHANNELS, N_DEEPEST, N_SHARED_CHANNELS = [3, 4], 6, 5
SPACES = {"shared": 3, "own": 2}
SLOPE = 0.2
N_CATEGORIES, N_CONDITION, CATEGORIES = 3, 4, [2, 0, 2]
GENERATOR = torch.Generator().manual_seed(20260301)


class Layer(nn.Module):
    """A convolution that halves or doubles the side, then batch normalisation and leaky ReLU."""

    def __init__(self, conv, norm, activation):
        super().__init__()
        self.conv, self.activation = conv, activation
        self.norm = nn.BatchNorm2d(conv.out_channels) if norm else nn.Identity()

    def forward(self, maps):
        maps = self.norm(self.conv(maps))
        return functional.leaky_relu(maps, SLOPE) if self.activation else maps


class Encoder(nn.Module):
    def __init__(self, n_condition=0):
        super().__init__()
        widths = [N_IMAGE_CHANNELS, *CHANNELS, N_DEEPEST]
        convs = [nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in zip(widths, widths[1:])]
        self.layers = nn.Sequential(*(Layer(conv, place > 0, True) for place, conv in enumerate(convs)))
        n_inputs = {"shared": N_SHARED_CHANNELS * 16, "own": (N_DEEPEST - N_SHARED_CHANNELS) * 16}
        self.heads = nn.ModuleDict({name: nn.Linear(n_inputs[name] + n_condition, dim) for name, dim in SPACES.items()})

    def forward(self, images, condition=None):
        maps = self.layers(images)
        maps = {"shared": maps[:, :N_SHARED_CHANNELS], "own": maps[:, N_SHARED_CHANNELS:]}
        return {name: self.heads[name](beside(maps[name].flatten(1), condition)) for name in SPACES}


class Decoder(nn.Module):
    def __init__(self, n_condition=0):
        super().__init__()
        widths = [N_DEEPEST, *reversed(CHANNELS), N_IMAGE_CHANNELS]
        convs = [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in zip(widths, widths[1:])]
        self.first = nn.Linear(sum(SPACES.values()) + n_condition, N_DEEPEST * 16)
        last = len(convs) - 1
        self.layers = nn.Sequential(*(Layer(conv, place < last, place < last) for place, conv in enumerate(convs)))

    def forward(self, rows):
        return self.layers(torch.relu(self.first(rows)).view(-1, N_DEEPEST, 4, 4))


class Conditional(nn.Module):
    """A network with a table of categories; the table comes last, as the parameters are drawn in order."""

    def __init__(self, make):
        super().__init__()
        self.network, self.table = make(N_CONDITION), nn.Embedding(N_CATEGORIES, N_CONDITION)

    def condition(self):
        return self.table(torch.tensor(CATEGORIES))


class ConditionalEncoder(Conditional):
    def __init__(self):
        super().__init__(Encoder)

    def forward(self, images):
        return self.network(images, self.condition())


class ConditionalDecoder(Conditional):
    def __init__(self):
        super().__init__(Decoder)

    def forward(self, rows):
        return self.network(beside(rows, self.condition()))


def beside(rows, condition):
    return rows if condition is None else torch.cat([rows, condition], dim=1)


def drawn(size, low, high):
    """Multiples of 1/64."""
    return torch.randint(round(low * 64), round(high * 64) + 1, tuple(size), generator=GENERATOR) / 64


def set_parameters(module):
    for name, parameter in module.named_parameters():
        around_one = name.endswith("norm.weight")
        parameter.data = drawn(parameter.shape, 0.5, 1.5) if around_one else drawn(parameter.shape, -0.4, 0.4)


def our_name(name):
    return name.replace(".conv.", ".").removeprefix("network.")


def in_64ths(tensor):
    return (tensor * 64).round().to(torch.int64).tolist()


def flat(tensor):
    """All numbers, in order, with no more digits than their precision has."""
    digits = 17 if tensor.dtype == torch.float64 else 9
    return [float(f"{value:.{digits}g}") for value in tensor.detach().flatten().tolist()]


def encoder_block(module, images):
    outputs = module(images)
    loss = sum(rows.square().sum() for rows in outputs.values())
    loss.backward()
    block = {"loss": loss.item(), "outputs": {name: flat(rows) for name, rows in outputs.items()}}
    module.eval()
    block["evaluation"] = {name: flat(rows) for name, rows in module(images).items()}
    return block


def decoder_block(module, rows, images):
    rows = rows.clone().requires_grad_()
    logits = module(rows)
    bce = functional.binary_cross_entropy_with_logits(logits, images)
    mse = functional.mse_loss(torch.sigmoid(logits), images)
    bce.backward()
    block = {"bce": bce.item(), "mse_of_sigmoid": mse.item(), "first_channel_of_first_cell": flat(logits[0, 0])}
    block["gradients_of_rows"] = flat(rows.grad)
    module.eval()
    block["evaluation_of_every_fourth_row"] = flat(module(rows)[-1, -1, ::4])
    return block


def case(make, evaluate, *inputs):
    module = make()
    set_parameters(module)
    parameters = {our_name(name): in_64ths(parameter) for name, parameter in module.named_parameters()}
    golden = {"parameters": parameters}
    state = {name: value.clone() for name, value in module.state_dict().items()}
    for name, kind in (("f64", torch.float64), ("f32", torch.float32)):
        module = make().to(kind)
        module.load_state_dict(state)
        block = evaluate(module, *(tensor.to(kind) for tensor in inputs))
        block["gradients"] = {our_name(name): flat(parameter.grad) for name, parameter in module.named_parameters()}
        golden[name] = block
    return golden


def main():
    torch.use_deterministic_algorithms(True)
    images = drawn((N_CELLS, N_IMAGE_CHANNELS, SIDE, SIDE), 0, 1)
    rows = drawn((N_CELLS, sum(SPACES.values())), -2, 2)
    golden = {
        "torch": torch.__version__.split("+")[0],
        "images": in_64ths(images),
        "rows": in_64ths(rows),
        "encoder": case(Encoder, encoder_block, images),
        "decoder": case(Decoder, decoder_block, rows, images),
        "conditional": {
            "categories": CATEGORIES,
            "encoder": case(ConditionalEncoder, encoder_block, images),
            "decoder": case(ConditionalDecoder, decoder_block, rows, images),
        },
    }
    path = Path(__file__).parent.parent / "golden" / "conv.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
