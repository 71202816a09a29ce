"""Writes a checkpoint with the keys and shapes of a multiDGD 0.0.1 state dict, and its hyperparameters.

The numbers are the parameters of `total_loss.json` and `predict.json`, rounded to three decimals as they are there. Run it
beside them with PyTorch:

    python make_checkpoint.py

It writes `checkpoint.pt` and `checkpoint_hyperparameters.json`; both are committed, so tests need no Python.
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch

HERE = Path(__file__).parent


def main():
    golden = json.loads((HERE / "total_loss.json").read_text())
    state = OrderedDict(trained_status=torch.ones(1, dtype=torch.bool))
    for name, values in golden["cases"]["covariate"]["params"].items():
        state[name] = torch.tensor(values, dtype=torch.float32)
    # what `Module.state_dict` leaves beside the tensors
    state._metadata = OrderedDict([("", {"version": 1}), ("decoder", {"version": 1})])
    torch.save(state, HERE / "checkpoint.pt")
    form = golden["architecture"]
    hyperparameters = {
        "latent_dimension": form["latent"],
        "n_components": form["K"],
        "n_hidden": form["n_hidden"],
        "n_hidden_modality": form["n_hidden_modality"],
        "n_units": form["n_units"],
        "value_init": "zero",
        "softball_scale": 2,
        "softball_hardness": 5,
        "sd_sd": 1,
        "softball_scale_corr": 2,
        "softball_hardness_corr": 5,
        "sd_sd_corr": 1,
        "dirichlet_a": 1,
        "batch_size": 128,
        "learning_rates": [1e-4, 1e-2, 1e-2],
        "betas": [0.5, 0.7],
        "weight_decay": 1e-4,
        "decoder_width": 1,
        "log_wandb": ["username", "projectname"],
        "sd_mean": 0.13,
        "n_features": form["n_rna"] + form["n_atac"],
        "n_features_per_modality": [form["n_rna"], form["n_atac"]],
        "modalities": ["GEX", "ATAC"],
        "modality_switch": form["n_rna"],
        "scaling": "sum",
        "clustering_variable(meta)": "observable",
        "correction_variable": ["covariate_Site"],
        "n_decoder_parameters": sum(v.numel() for k, v in state.items() if k.startswith("decoder.")),
    }
    (HERE / "checkpoint_hyperparameters.json").write_text(json.dumps(hyperparameters, indent=1) + "\n")


if __name__ == "__main__":
    main()
