"""What a plain PyTorch program makes of a few minibatches: `python make_minibatches.py` writes the .json files beside it.

The model is that of Zhang et al. 2026 (Methods; the order of layers, the divided regulariser and Adam over whole tables as in
the code that they published), written down once more with torch.nn and torch.optim alone: no line of Cithara runs here.
Each case holds inputs, parameters, and for 64 and 32 bits what step 1 and step 2 give: the terms of the first minibatch, every
gradient, and parameters and rows after three minibatches.

Inputs and parameters are decimals, cast to the precision of the block. Written with PyTorch 2.15 on one thread.
"""

import json
from pathlib import Path

import torch
from torch import nn

N_CELLS = 12
MINIBATCHES = [[7, 2, 9, 0, 5], [1, 11, 4, 8, 3], [6, 10, 2, 7, 0]]
# Name, features, share of stored entries; None: dense numbers of either sign.
MODALITIES = {"x": (7, None), "y": (11, 0.4), "z": (9, 0.3)}
POS_WEIGHT_OF_Y = 2.5
SHARED, SPECIFIC = 3, 2
DECODER, ENCODER = [6, 5, 4], [6, 5]
WEIGHT = 0.001
RATE_OF_ROWS, RATE_OF_NETWORKS = 1e-3, 1e-4
NOISE_SEED = 100
CASES = {
    "one_squared_error": {"modalities": ["x"], "shared_decoders": False, "noise": 0.0},
    "one_cross_entropy": {"modalities": ["y"], "shared_decoders": False, "noise": 0.0},
    "two": {"modalities": ["x", "y"], "shared_decoders": True, "noise": 0.0},
    "two_without_shared_decoders": {"modalities": ["x", "y"], "shared_decoders": False, "noise": 0.0},
    "two_with_noise": {"modalities": ["x", "y"], "shared_decoders": True, "noise": 1.0},
    "three": {"modalities": ["x", "y", "z"], "shared_decoders": True, "noise": 0.0},
    "three_without_shared_decoders": {"modalities": ["x", "y", "z"], "shared_decoders": False, "noise": 0.0},
}
PRECISIONS = {"f64": torch.float64, "f32": torch.float32}


class Block(nn.Module):
    """A linear map without bias, batch normalisation, leaky ReLU."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.linear = nn.Linear(n_inputs, n_outputs, bias=False)
        self.norm = nn.BatchNorm1d(n_outputs)

    def forward(self, rows):
        return nn.functional.leaky_relu(self.norm(self.linear(rows)), 0.01)


class Last(nn.Module):
    """A linear map without bias."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.linear = nn.Linear(n_inputs, n_outputs, bias=False)

    def forward(self, rows):
        return self.linear(rows)


def blocks(n_inputs, widths):
    return nn.ModuleList(Block(a, b) for a, b in zip([n_inputs, *widths], widths))


class Decoder(nn.Module):
    def __init__(self, n_latent, n_features):
        super().__init__()
        self.hidden = blocks(n_latent, DECODER)
        self.output = Last(DECODER[-1], n_features)

    def forward(self, rows):
        for block in self.hidden:
            rows = block(rows)
        return self.output(rows)


class Head(nn.Module):
    """A head's hidden block is as wide as its space."""

    def __init__(self, dim):
        super().__init__()
        self.hidden = Block(ENCODER[-1], dim)
        self.output = Last(dim, dim)

    def forward(self, rows):
        return self.output(self.hidden(rows))


class Encoder(nn.Module):
    def __init__(self, n_features, heads):
        super().__init__()
        self.trunk = blocks(n_features, ENCODER)
        self.heads = nn.ModuleDict({name: Head(dim) for name, dim in heads.items()})

    def forward(self, features):
        for block in self.trunk:
            features = block(features)
        return {name: head(features) for name, head in self.heads.items()}


class Model(nn.Module):
    def __init__(self, case):
        super().__init__()
        names = case["modalities"]
        alone = len(names) == 1
        # A single modality has nothing to share: one space as wide as both.
        self.dims = {} if alone else {"shared": SHARED}
        self.dims.update({name: SHARED + SPECIFIC if alone else SPECIFIC for name in names})
        self.reads = {name: [name] if alone else ["shared", name] for name in names}
        dim = lambda spaces: sum(self.dims[space] for space in spaces)
        n_features = {name: MODALITIES[name][0] for name in names}
        self.decoder = nn.ModuleDict({name: Decoder(dim(self.reads[name]), n_features[name]) for name in names})
        self.shared_decoder = nn.ModuleDict(
            {name: Decoder(SHARED, n_features[name]) for name in names if case["shared_decoders"]}
        )
        heads = lambda name: {space: self.dims[space] for space in self.reads[name]}
        self.encoder = nn.ModuleDict({name: Encoder(n_features[name], heads(name)) for name in names})
        self.rows = nn.ModuleDict({space: nn.Embedding(N_CELLS, width) for space, width in self.dims.items()})

    def losses(self, values):
        """The loss of each modality: mean over all entries."""
        z = values.get("z")
        weights = {"y": POS_WEIGHT_OF_Y, "z": None if z is None else (z.numel() - z.sum().item()) / z.sum().item()}
        cross_entropy = nn.functional.binary_cross_entropy_with_logits
        weighted = lambda weight: lambda logits, target: cross_entropy(
            logits, target, pos_weight=torch.tensor(weight, dtype=target.dtype)
        )
        of = {name: weighted(weight) for name, weight in weights.items() if weight is not None}
        return {"x": nn.functional.mse_loss, **of}


def step_one_terms(model, values, cells, noise):
    """Weighted alike: reconstruction by every decoder from noisy rows, and the norms of the rows themselves."""
    rows = {space: table(cells) for space, table in model.rows.items()}
    noisy = {space: rows[space] + noise[space] for space in rows}
    losses, terms = model.losses(values), {}
    for name, spaces in model.reads.items():
        target = values[name][cells]
        read = torch.cat([noisy[space] for space in spaces], dim=1)
        terms[name] = losses[name](model.decoder[name](read), target)
        if name in model.shared_decoder:
            terms[f"{name}_from_shared"] = losses[name](model.shared_decoder[name](noisy["shared"]), target)
    for space in rows:
        terms[f"prior_{space}"] = WEIGHT / model.dims[space] * rows[space].norm(dim=1).mean()
    return terms


def step_two_terms(model, values, cells):
    """Squared errors between what each encoder finds and the rows that were learned."""
    terms = {}
    for name in model.reads:
        for space, found in model.encoder[name](values[name][cells]).items():
            terms[f"{name}_{space}_rows"] = nn.functional.mse_loss(found, model.rows[space](cells).detach())
    return terms


def plain(tensor):
    """Numbers with as many digits as the precision has."""
    digits = 17 if tensor.dtype == torch.float64 else 9
    def shorten(value):
        return [shorten(one) for one in value] if isinstance(value, list) else float(f"{value:.{digits}g}")
    return shorten(tensor.detach().tolist())


def named(model, wanted):
    """Parameters and running averages of parts of the model."""
    state = model.state_dict().items()
    return {name: plain(tensor) for name, tensor in state if name.split(".")[0] in wanted and "num_" not in name}


def gradients(model, wanted):
    parameters = model.named_parameters()
    return {name: plain(one.grad) for name, one in parameters if name.split(".")[0] in wanted and one.grad is not None}


def draw_noise(model, sd, place, dtype):
    torch.manual_seed(NOISE_SEED + place)
    like = {space: torch.empty(len(MINIBATCHES[place]), dim, dtype=dtype) for space, dim in model.dims.items()}
    return {space: torch.randn_like(empty) * sd if sd > 0 else torch.zeros_like(empty) for space, empty in like.items()}


def learn(model, parts, minibatches, terms_of, optimizers):
    """Runs over the minibatches; returns the terms and the gradients of the first, and what came of all."""
    first = None
    for place, cells in enumerate(minibatches):
        terms = terms_of(place, torch.tensor(cells))
        total = sum(terms.values())
        for optimizer in optimizers:
            optimizer.zero_grad()
        total.backward()
        if first is None:
            first = {
                "terms": {name: plain(value) for name, value in terms.items()},
                "total": plain(total),
                "gradients": gradients(model, parts),
            }
        for optimizer in optimizers:
            optimizer.step()
    return {**first, "after": named(model, parts)}


GENERATIVE, INFERENCE = ["decoder", "shared_decoder", "rows"], ["encoder"]


def step_one(model, values, minibatches, noise):
    model.train()
    adam = torch.optim.Adam
    networks = [*model.decoder.parameters(), *model.shared_decoder.parameters()]
    optimizers = [adam(networks, lr=RATE_OF_NETWORKS), adam(model.rows.parameters(), lr=RATE_OF_ROWS)]
    terms = lambda place, cells: step_one_terms(model, values, cells, noise(place))
    return learn(model, GENERATIVE, minibatches, terms, optimizers)


def step_two(model, values, minibatches):
    model.train()
    optimizers = [torch.optim.Adam(model.encoder.parameters(), lr=RATE_OF_NETWORKS)]
    terms = lambda _, cells: step_two_terms(model, values, cells)
    return learn(model, INFERENCE, minibatches, terms, optimizers)


def fresh(case, inputs, dtype):
    """The model with its initial parameters, and the values, in a precision."""
    model = Model(case).to(dtype)
    initial = {name: torch.tensor(value, dtype=dtype) for name, value in inputs["parameters"].items()}
    missing = model.load_state_dict(initial, strict=False)
    assert not missing.unexpected_keys and all("num_" in name for name in missing.missing_keys)
    values = {name: torch.tensor(inputs["values"][name], dtype=dtype) for name in case["modalities"]}
    return model, values


def draw_inputs(case):
    """Values and initial parameters, rounded."""
    torch.manual_seed(7)
    values = {}
    for name, (n_features, share) in MODALITIES.items():
        drawn = torch.randn(N_CELLS, n_features)
        stored = torch.rand(N_CELLS, n_features) < (share or 1)
        drawn = drawn if share is None else torch.rand(N_CELLS, n_features).clamp(0.05, 0.95) * stored
        values[name] = torch.round(drawn.double(), decimals=2).tolist()
    state = {name: one for name, one in Model(case).state_dict().items() if "num_" not in name}
    for name, one in state.items():
        # batch normalisation would start at ones and zeros, which hide mistakes
        if ".norm." in name and "running" not in name:
            state[name] = one + 0.3 * torch.randn_like(one)
    parameters = {name: torch.round(one.double(), decimals=4).tolist() for name, one in state.items()}
    return {"values": {name: values[name] for name in case["modalities"]}, "parameters": parameters}


def block(case, inputs, dtype):
    """Minibatches in any order with noise, then a whole epoch in the order of the cells, step 2 after step 1."""
    model, values = fresh(case, inputs, dtype)
    noise = [draw_noise(model, case["noise"], place, dtype) for place in range(len(MINIBATCHES))]
    first = step_one(model, values, MINIBATCHES, noise.__getitem__)
    model, values = fresh(case, inputs, dtype)
    second = step_two(model, values, MINIBATCHES)
    found = {"step_one": first, "step_two": second}
    if case["noise"] > 0:
        found["noise"] = [{space: plain(one) for space, one in of.items()} for of in noise]
    return found


def whole_run(case, inputs, dtype):
    """An epoch of step 1 in the order of the cells, then one of step 2 that learns the rows of step 1."""
    model, values = fresh(case, inputs, dtype)
    silent = draw_noise(model, 0.0, 0, dtype)
    minibatches = [list(range(first, first + 4)) for first in range(0, N_CELLS, 4)]
    first = step_one(model, values, minibatches, lambda _: {space: of[:4] for space, of in silent.items()})
    second = step_two(model, values, minibatches)
    return {"after": {**first["after"], **second["after"]}}


def main():
    torch.set_num_threads(1)
    folder = Path(__file__).parent
    for name, case in CASES.items():
        inputs = draw_inputs(case)
        written = {**case, **inputs, "minibatches": MINIBATCHES, "noise_seed": NOISE_SEED}
        written.update({of: block(case, inputs, dtype) for of, dtype in PRECISIONS.items()})
        if name == "three":
            written["run"] = whole_run(case, inputs, torch.float32)
        text = json.dumps(written, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
