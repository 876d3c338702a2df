"""A checkpoint: all that a training needs to go on to the same numbers. Random numbers need no place in it, because each step's are a
function of (seed, epoch, step). Tensors lie in it as PyTorch writes them, all else as JSON: so it can be read without running what a
pickle may hold."""
import json

import torch

from faceshard_training import networks
from faceshard_training.files import replace
from faceshard_training.shards import ShardError

FORMAT = 1
TENSORS = ("weights", "loss", "optimizer")
# Keys that may change where a training goes on: paths, because folders move; epochs, because a training may be made longer; the rest
# does not change what is computed.
FREE = ("output", "epochs", "threads", "checkpoint_steps", "data.workers", "data.index", "verify.index", "verify.pairs", "verify.every",
        "start", "loss.targets", "export.name", "export.licence", "export.source", "export.detector")
REMEDY = "set it back, choose another `output`, or remove the checkpoint to begin anew"


def save(path, state):
    told = json.dumps({key: value for key, value in state.items() if key not in TENSORS})
    kept = {"format": FORMAT, "told": told, **{key: state[key] for key in TENSORS}}
    replace(path, lambda file: torch.save(kept, file))


def load(path):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no common type for what a broken file raises
        raise ShardError(f"{path}: is no checkpoint of a training ({type(error).__name__}: {str(error).splitlines()[0]})") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ShardError(f"{path}: is no checkpoint of format {FORMAT}, which this version reads")
    return {**json.loads(state.pop("told")), **state}


def refuse_other(path, state, settings, classes):
    """A training that goes on must be the one that was begun."""
    differ = [key for key, value in settings.items() if key not in FREE and state["settings"].get(key) != value]
    if differ:
        key = differ[0]
        raise ShardError(f"{path}: was made with {key} {state['settings'].get(key)!r}, and now it is {settings[key]!r}; {REMEDY}")
    if state["classes"] != classes:
        raise ShardError(f"{path}: was made with {len(state['classes'])} identities, and the shards have {len(classes)} or others; {REMEDY}")


def network(state):
    """The network with its weights, in evaluation mode."""
    made = networks.build(**state["network"])
    made.load_state_dict(state["weights"])
    return made.eval()
