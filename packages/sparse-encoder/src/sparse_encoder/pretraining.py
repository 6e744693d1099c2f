"""Masked language modelling on passages: the loop, its losses and what it leaves behind.

The same rule as in training: every step is a function of the seed and its number, so that a killed run goes on to the
same bytes. The loss multiplies only the states of masked places with the vocabulary.
"""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from sparse_encoder._files import InputError
from sparse_encoder.adamw import AdamW, clip
from sparse_encoder.backbone import Backbone
from sparse_encoder.bert import THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from sparse_encoder.devices import choose_device, choose_precision
from sparse_encoder.failed_batch import LOWER, failure, reason, write_failed_texts
from sparse_encoder.identity import run_identity
from sparse_encoder.masking import MaskedText, Text, masked
from sparse_encoder.network import padded
from sparse_encoder.pretraining_recipe import Pretraining, pretraining_files
from sparse_encoder.pretraining_texts import Schedule, Texts, read_texts
from sparse_encoder.retromae import Decoder
from sparse_encoder.starting import read_start
from sparse_encoder.tokenizer_build import ROLES
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary

REPORT_EVERY = 20
"""Steps between entries of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrained:
    """A masked language model, its tokenizer, and how it came about."""

    backbone: Backbone
    vocabulary: Vocabulary
    history: list[dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How well masked tokens were told."""

    loss: Tensor
    """Mean cross-entropy, in nats."""
    accuracy: float
    """Share told right."""


def pretrain(settings: Pretraining, *, work: Path, log: Callable[[str], None]) -> Pretrained:
    """Pretrains by located settings; partial work goes into `work`, and a second call goes on from there."""
    device = choose_device(settings.device)
    vocabulary = read_vocabulary(Path(settings.model.tokenizer))
    identity = run_identity(settings, pretraining_files(settings))
    texts = read_texts(settings, vocabulary, work=work, identity=identity)
    run = PretrainingRun(settings, texts, vocabulary=vocabulary, identity=identity, work=work, device=device)
    started = read_checkpoint(work, identity)
    if started is not None:
        run.restore(started)
        log(f"goes on after step {started.step} of {settings.steps}")
    run.go(log)
    return Pretrained(backbone=run.backbone.eval().cpu(), vocabulary=vocabulary, history=run.history)


def start(settings: Pretraining, vocabulary: Vocabulary) -> Backbone:
    """The model before the first step: another's weights, or from scratch with the lexical start of `train`."""
    if settings.model.start_from:
        return read_start(Path(settings.model.start_from), vocabulary, max_tokens=settings.model.max_tokens)
    model = settings.model
    bert = Bert(bert_config(model.size, vocab_size=len(vocabulary.tokens), max_tokens=model.max_tokens))
    twins, silent = vocabulary.twins(), vocabulary.special_ids
    start_lexical(bert, twins=twins, silent=silent, threshold=THRESHOLD, seed=settings.seed)
    return bert


class PretrainingRun:
    """A run in progress: the state that a checkpoint keeps, and one method a step."""

    def __init__(
        self,
        settings: Pretraining,
        texts: Texts,
        *,
        vocabulary: Vocabulary,
        identity: str,
        work: Path,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.texts = texts
        self.vocabulary = vocabulary
        self.identity = identity
        self.work = work
        self.device = device
        self.products = choose_precision(settings.precision, device)
        self.mask_id = vocabulary.id_of(*ROLES["mask_token"])
        self.backbone = start(settings, vocabulary).to(device).train()
        width = self.backbone.output_weight().shape[1]
        generator = torch.Generator().manual_seed(settings.seed)
        self.decoder = Decoder(width, max_tokens=settings.tokens, generator=generator).to(device)
        named = [*sorted(self.backbone.named_parameters())]
        if settings.decoder.weight:
            named += [("decoder." + name, p) for name, p in sorted(self.decoder.named_parameters())]
        self.names = [name for name, _ in named]
        self.parameters = [parameter for _, parameter in named]
        self.optimizer = AdamW(self.parameters, weight_decay=settings.weight_decay)
        self.done = 0
        self.history: list[dict[str, float]] = []

    def go(self, log: Callable[[str], None]) -> None:
        """Runs the remaining steps."""
        settings = self.settings
        schedule = Schedule(self.texts, settings)
        began, first = time.monotonic(), self.done
        while self.done < settings.steps:
            found = self.step(schedule[self.done])
            if self.done % REPORT_EVERY == 0 or self.done == settings.steps:
                self.history.append({"step": self.done, **found, "rate": self.rate(self.done - 1)})
                pace = (time.monotonic() - began) / (self.done - first)
                told = " ".join(f"{name} {value:.4f}" for name, value in found.items())
                log(f"step {self.done}/{settings.steps} {told} {pace:.2f} s a step")
            if settings.evaluate_every and self.done % settings.evaluate_every == 0 and self.done < settings.steps:
                self.evaluate(log)
            if self.done % settings.checkpoint_every == 0 and self.done < settings.steps:
                write_checkpoint(self.checkpoint(), self.work)
        self.evaluate(log)
        self._refuse_ruin(schedule[settings.steps - 1])

    @torch.no_grad()
    def _refuse_ruin(self, texts: Sequence[Text]) -> None:
        """Whether the last update left a model: no further step's loss says so."""
        self.backbone.eval()
        loss = float(self.losses(texts, random.Random(f"{self.settings.seed}/last"))["mlm"].loss)
        self.backbone.train()
        if not math.isfinite(loss):
            raise InputError(f"the loss after the last step, {self.done}, is {loss}; {LOWER}")

    def step(self, texts: Sequence[Text]) -> dict[str, float]:
        """One update; what it lost, before it."""
        settings = self.settings
        torch.manual_seed(settings.seed * 1_000_003 + self.done)
        chance = random.Random(f"{settings.seed}/step/{self.done}")
        told = self.losses(texts, chance)
        total = told["mlm"].loss
        if "decoder" in told:
            total = total + settings.decoder.weight * told["decoder"].loss
        if not math.isfinite(float(total.detach())):
            raise self._failure(texts, told, gradient_norm=math.nan)
        found = torch.autograd.grad(total, self.parameters, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for g, p in zip(found, self.parameters, strict=True)]
        norm = clip(gradients, largest=settings.clip)
        if not math.isfinite(norm):
            raise self._failure(texts, told, gradient_norm=norm)
        self.optimizer.step(gradients, rate=self.rate(self.done), number=self.done + 1)
        self.done += 1
        losses = {name: round(float(one.loss.detach()), 6) for name, one in told.items()}
        return {"loss": round(float(total.detach()), 6), **losses, "accuracy": round(told["mlm"].accuracy, 4)}

    def _failure(self, texts: Sequence[Text], told: Mapping[str, Told], *, gradient_norm: float) -> InputError:
        """Why the run stops, and where its batch was saved."""
        losses = {name: float(one.loss.detach()) for name, one in told.items()}
        path = self.work / f"failed-step-{self.done + 1}.json"
        header = failure(self.done + 1, losses, gradient_norm=gradient_norm, tensors=self._state())
        write_failed_texts(path, [text.ids for text in texts], self.vocabulary, header=header)
        loss = sum(losses.values())
        return InputError(reason(self.done + 1, losses, loss=loss, gradient_norm=gradient_norm, path=path))

    def losses(self, texts: Sequence[Text], chance: random.Random) -> dict[str, Told]:
        """Masks the texts and tells the masked tokens, by the model and, if there is one, by the decoder."""
        settings = self.settings
        hidden = self._masked(texts, settings.mask, chance)
        ids, mask = padded([text.ids for text in hidden], device=self.device)
        half = self.products != torch.float32
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            states = self.backbone.hidden(ids, mask)
        found = {"mlm": self._told(states, hidden)}
        if settings.decoder.weight:
            bare = self._masked(texts, settings.decoder.mask, chance)
            ids, mask = padded([text.ids for text in bare], device=self.device)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
                words = F.embedding(ids, self.backbone.output_weight())
                rebuilt = self.decoder(states[:, 0], words, mask)
            found["decoder"] = self._told(rebuilt, bare)
        return found

    def _masked(self, texts: Sequence[Text], share: float, chance: random.Random) -> list[MaskedText]:
        n_tokens = len(self.backbone.output_bias())
        return [masked(t, share=share, mask_id=self.mask_id, vocab_size=n_tokens, chance=chance) for t in texts]

    def _told(self, states: Tensor, texts: Sequence[MaskedText]) -> Told:
        """Only the states of masked places meet the vocabulary."""
        rows = torch.tensor([i for i, text in enumerate(texts) for _ in text.places], device=self.device)
        places = torch.tensor([place for text in texts for place in text.places], device=self.device)
        wanted = torch.tensor([token for text in texts for token in text.told], device=self.device)
        weight = self.backbone.output_weight()
        chosen = states[rows, places]
        logits = (chosen.to(self.products) @ weight.to(self.products).T).float() + self.backbone.output_bias()
        right = logits.detach().argmax(dim=1) == wanted
        return Told(loss=F.cross_entropy(logits, wanted), accuracy=float(right.float().mean()))

    @torch.no_grad()
    def evaluate(self, log: Callable[[str], None]) -> None:
        """Tells the masked tokens of the held-out texts, always the same ones, into the history."""
        texts = sorted(self.texts.held_out, key=lambda text: len(text.ids))
        if not texts:
            return
        self.backbone.eval()
        chance = random.Random(f"{self.settings.seed}/held out/masks")
        size = self.settings.batch
        told = [self.losses(texts[i : i + size], chance)["mlm"] for i in range(0, len(texts), size)]
        self.backbone.train()
        loss = sum(float(one.loss) for one in told) / len(told)
        if not math.isfinite(loss):
            raise InputError(f"the loss of the held-out texts after step {self.done} is {loss}; {LOWER}")
        accuracy = sum(one.accuracy for one in told) / len(told)
        self.history.append({"step": self.done, "val_mlm": round(loss, 6), "val_accuracy": round(accuracy, 4)})
        log(f"step {self.done} val_mlm {loss:.4f} val_accuracy {accuracy:.4f}")

    def rate(self, number: int) -> float:
        """The learning rate at step `number`, from 0: up linearly over the warm-up, then down linearly to 0."""
        settings = self.settings
        warmup = max(1, round(settings.warmup * settings.steps))
        if number < warmup:
            return settings.learning_rate * (number + 1) / warmup
        return settings.learning_rate * (settings.steps - number) / max(1, settings.steps - warmup)

    def checkpoint(self) -> Checkpoint:
        """The state after the steps done."""
        return Checkpoint(step=self.done, identity=self.identity, tensors=self._state(), history=self.history)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up a checkpoint's state."""
        with torch.no_grad():
            for name, tensor in self._state().items():
                tensor.copy_(checkpoint.tensors[name])
        self.done = checkpoint.step
        self.history = list(checkpoint.history)

    def _state(self) -> Mapping[str, Tensor]:
        moments = {"mean": self.optimizer.means, "square": self.optimizer.squares}
        lists: dict[str, Sequence[Tensor]] = {"weight": self.parameters, **moments}
        return {f"{k}/{n}": t for k, tensors in lists.items() for n, t in zip(self.names, tensors, strict=True)}
