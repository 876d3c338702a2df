"""The training itself: batches, steps, an epoch's end. What is computed is a function of the settings and the shards; a training
that was broken off goes on from its last checkpoint to the same numbers."""
import math
import pathlib
import signal
import time

import numpy
import torch

from faceshard_training import checkpoint, export, log, losses, networks, samplers, targets, verification
from faceshard_training.networks import onnx_weights
from faceshard_training.shards import ShardDataset, as_input

TOLD_EVERY_S = 30
PRECISIONS = {"float32": None, "float16": torch.float16, "bfloat16": torch.bfloat16}


def device_of(settings):
    if settings.device != "auto":
        return torch.device(settings.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision_of(settings, device):
    """The type of mixed precision; None for float32 throughout."""
    if settings.precision == "auto":
        return torch.float16 if device.type == "cuda" else None
    return PRECISIONS[settings.precision]


def sampler_of(data, dataset, seed, rows):
    more = {"seed": seed, "window": data.window, "per_class": data.per_class, "epoch": data.epoch, "rows": rows}
    if data.batches == "identities":
        return samplers.Identities(dataset, data.people, data.pictures, **more)
    kind = samplers.Halves if data.batches == "halves" else samplers.Shuffled
    return kind(dataset, data.batch, **more)


def optimizer_of(settings, modules):
    """Norms and biases, which have one dimension, do not decay."""
    parameters = [one for module in modules for one in module.parameters()]
    groups = [{"params": [one for one in parameters if one.ndim > 1], "weight_decay": settings.weight_decay},
              {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0}]
    if settings.kind == "sgd":
        return torch.optim.SGD(groups, settings.rate, momentum=settings.momentum)
    return torch.optim.AdamW(groups, settings.rate)


def rate_at(settings, epochs, epoch):
    """The learning rate at a place of the training, in epochs."""
    schedule, highest = settings.schedule, settings.optimizer.rate
    if epoch < schedule.warm_up:
        return highest * epoch / schedule.warm_up
    if schedule.kind == "cosine":
        return highest * (1 + math.cos(math.pi * (epoch - schedule.warm_up) / max(epochs - schedule.warm_up, 1e-9))) / 2
    if schedule.kind == "step":
        return highest * schedule.factor ** ((epoch - schedule.warm_up) // schedule.every)
    return highest


def seed_step(*key):
    torch.manual_seed(int(numpy.random.SeedSequence(key).generate_state(1)[0]))


def mirrored(pictures):
    """Every other picture, at random, as its mirror image."""
    chosen = torch.rand(len(pictures), device="cpu") < 0.5
    return torch.where(chosen.to(pictures.device)[:, None, None, None], pictures.flip(3), pictures)


def stay(_worker):
    """A reader does not end by what a terminal or an engine sends to all processes: the training does, at its next batch, and takes it along."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


class Training:
    def __init__(self, settings, tell=print):
        self.settings, self.tell, self.stopped = settings, tell, False
        self.output = pathlib.Path(settings.output)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.device = device_of(settings)
        self.autocast = precision_of(settings, self.device)
        self.prepare_data()
        self.prepare_network()
        self.epoch, self.step, self.sum, self.seen, self.seconds, self.history = 0, 0, 0.0, 0, 0.0, []
        self.begin()

    def prepare_data(self):
        settings = self.settings
        self.dataset = ShardDataset(settings.data.index)
        distils = settings.loss.kind == "distil"
        self.targets = targets.load(self.dataset, settings.loss.targets) if distils else None
        rows = self.targets.rows() if distils else None
        if distils and len(rows) < len(self.dataset):
            self.tell(f"{len(self.dataset) - len(rows)} of {len(self.dataset)} pictures have no target and are left out")
        self.sampler = sampler_of(settings.data, self.dataset, settings.seed, rows)
        self.loader = torch.utils.data.DataLoader(
            self.dataset, sampler=self.sampler, batch_size=None, num_workers=settings.data.workers, worker_init_fn=stay,
            persistent_workers=settings.data.workers > 0, pin_memory=self.device.type == "cuda")
        self.verifier = None
        if settings.verify.index:
            pairs = verification.read_pairs(settings.verify.pairs)
            self.verifier = verification.Verifier(ShardDataset(settings.verify.index), pairs)

    def prepare_network(self):
        settings = self.settings
        torch.manual_seed(settings.seed)
        self.shape = {**vars(settings.network), "size": self.dataset.size}
        self.network = networks.build(**self.shape).to(self.device, memory_format=torch.channels_last)
        self.loss = losses.build(settings.loss, settings.network.dimension, len(self.dataset.names),
                                 self.targets.dimension if self.targets else None).to(self.device)
        self.optimizer = optimizer_of(settings.optimizer, (self.network, self.loss))
        self.scaler = torch.cuda.amp.GradScaler(enabled=self.device.type == "cuda" and self.autocast == torch.float16)

    def begin(self):
        path = self.output / "checkpoint.pt"
        if path.exists():
            self.restore(path, checkpoint.load(path))
        elif self.settings.start.endswith(".onnx"):
            onnx_weights.put(self.network, self.settings.start)
        elif self.settings.start:
            self.network.load_state_dict(checkpoint.load(self.settings.start)["weights"])

    def restore(self, path, state):
        checkpoint.refuse_other(path, state, self.settings.flat, self.dataset.names)
        self.network.load_state_dict(state["weights"])
        self.loss.load_state_dict(state["loss"])
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state["optimizer"]})
        self.scaler.load_state_dict(state["scaler"])
        for key in ("epoch", "step", "sum", "seen", "seconds", "history"):
            setattr(self, key, state[key])
        self.tell(f"going on from {path}: epoch {self.epoch + 1}, batch {self.step}")

    def save(self):
        checkpoint.save(self.output / "checkpoint.pt", {
            "settings": self.settings.flat, "network": self.shape, "weights": self.network.state_dict(), "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict()["state"], "scaler": self.scaler.state_dict(), "classes": self.dataset.names,
            "epoch": self.epoch, "step": self.step, "sum": self.sum, "seen": self.seen, "seconds": self.seconds, "history": self.history})

    def run(self):
        """True where all epochs are done, False where it was stopped."""
        while self.epoch < self.settings.epochs and not self.stopped:
            self.run_epoch()
            if not self.stopped:
                self.end_epoch()
            self.save()
        if not self.stopped:
            self.finish()
        return not self.stopped

    def run_epoch(self):
        self.sampler.set_epoch(self.epoch, self.step)
        steps, told, began = self.step + len(self.sampler), time.monotonic(), time.monotonic() - self.seconds
        self.network.train()
        for rows, (pictures, labels) in zip(self.sampler, self.loader):
            self.learn(rows, pictures, labels, steps)
            self.seconds = time.monotonic() - began
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                self.tell(f"epoch {self.epoch + 1:3d}  batch {self.step} of {steps}  loss {self.sum / self.seen:.4f}  "
                          f"{self.seen / self.seconds:.1f} pictures/s")
            if self.stopped:
                break
            if self.settings.checkpoint_steps and self.step % self.settings.checkpoint_steps == 0 and self.step < steps:
                self.save()

    def learn(self, rows, pictures, labels, steps):
        """One step."""
        seed_step(self.settings.seed, self.epoch, self.step)
        rate = rate_at(self.settings, self.settings.epochs, self.epoch + (self.step + 1) / steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pictures = as_input(pictures, self.device, *networks.input_of(self.network))
        wanted = self.targets.of(rows).to(self.device) if self.targets else None
        with torch.autocast(self.device.type, dtype=self.autocast or torch.bfloat16, enabled=self.autocast is not None):
            embeddings = self.network(mirrored(pictures) if self.settings.data.flip else pictures)
        loss = self.loss(embeddings.float(), labels.to(self.device), wanted)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"epoch {self.epoch + 1}, batch {self.step}: the loss is {loss.item()}; a lower optimizer.rate or a "
                                     "longer schedule.warm_up helps")
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step, self.sum, self.seen = self.step + 1, self.sum + loss.item() * len(rows), self.seen + len(rows)

    def end_epoch(self):
        self.epoch += 1
        row = {"epoch": self.epoch, "batches": self.step, "pictures": self.seen, "loss": self.sum / self.seen,
               "rate": self.optimizer.param_groups[0]["lr"], "seconds": round(self.seconds, 2)}
        if self.verifier and (self.epoch % self.settings.verify.every == 0 or self.epoch == self.settings.epochs):
            found = self.verifier(self.network, self.device, self.settings.verify.flip)
            row.update({key: found[key] for key in ("accuracy", "standard_error", "auc")})
        self.history.append(row)
        self.step, self.sum, self.seen, self.seconds = 0, 0.0, 0, 0.0
        log.write_csv(self.output / "train.csv", self.history)
        log.write_svg(self.output / "train.svg", self.history)
        self.tell(log.told(row))

    def finish(self):
        path = self.output / self.settings.export.name
        export.write(self.network, path, self.dataset.size, *about(self.settings.flat, self.history, self.dataset.size))
        self.tell(f"{path}.yaml: a card with ONNX and TorchScript beside it; `faceshard embed` and `clean` take it as --model")


def about(settings, history, size):
    """Title and further keys of the card."""
    title = f"{settings['network.name']}, width {settings['network.width']:g}, {size} x {size} px; {len(history)} epochs of {settings['loss.kind']}"
    keys = {key: settings[f"export.{key}"] for key in ("licence", "source", "detector") if settings[f"export.{key}"]}
    if history and history[-1].get("accuracy") is not None:
        keys["accuracy"] = (f"{100 * history[-1]['accuracy']:.2f} % on the pairs of {pathlib.Path(settings['verify.pairs']).name}, threshold from "
                            "the other folds")
    return title, keys


def train(settings, tell=print):
    """Runs or continues a training; SIGINT and SIGTERM let it end at the next batch with a checkpoint."""
    training = Training(settings, tell)

    def stop(_number, _frame):
        training.stopped = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return training.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
