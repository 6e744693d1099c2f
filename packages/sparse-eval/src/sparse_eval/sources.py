"""The files that the command line names, put together: systems from runs and facts, texts for the report.

`NAME=FILE` is how several files of one kind are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparse_eval._files import InputError
from sparse_eval.comparison import System
from sparse_eval.explaining import Explained, Outcome, Texts, explain, outcomes
from sparse_eval.facts import gather_facts, merge_facts
from sparse_eval.records import read_metrics, read_passages, read_queries
from sparse_eval.runs import Qrels, read_qrels, read_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that is known of some systems, by file."""

    runs: Mapping[str, Path]
    metrics: Sequence[Path]
    vectors: Mapping[str, Path]
    query_vectors: Mapping[str, Path]
    timing: Mapping[str, Path]

    def systems(self) -> list[System]:
        """The systems in the order of their runs, with all facts; InputError where a file is for none of them."""
        facts = {metrics.system: metrics.facts for metrics in map(read_metrics, self.metrics)}
        for name in [*facts, *self.vectors, *self.query_vectors, *self.timing]:
            if name not in self.runs:
                raise InputError(f"found facts of the system {name!r}: wanted one of {', '.join(self.runs)}")
        return [
            System(name=name, run=read_run(run), facts=merge_facts(facts.get(name, {}), self._gathered(name)))
            for name, run in self.runs.items()
        ]

    def paths(self) -> list[Path]:
        """Every file, in order."""
        groups = (self.runs, self.vectors, self.query_vectors, self.timing)
        return [*self.metrics, *(path for group in groups for path in group.values())]

    def _gathered(self, name: str) -> dict[str, float | None]:
        return gather_facts(
            vectors=self.vectors.get(name), query_vectors=self.query_vectors.get(name), timing=self.timing.get(name)
        )


def named_files(arguments: Sequence[str]) -> dict[str, Path]:
    """The file of each `NAME=FILE`, in order; InputError where one is otherwise or a name repeats.

    >>> {name: path.as_posix() for name, path in named_files(["v1=runs/v1.trec"]).items()}
    {'v1': 'runs/v1.trec'}
    """
    files: dict[str, Path] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not (name and equals and path):
            raise InputError(f"found {argument!r}: wanted NAME=FILE, such as v1=runs/v1.trec")
        if name in files:
            raise InputError(f"found {name!r} twice: wanted a different name for each file")
        files[name] = Path(path)
    return files


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which two systems a report holds against each other."""

    better: str = ""
    """The last run where it is empty."""
    than: str = ""
    """The run before `better` where it is empty, or after it where it is the first."""
    n_shown: int = 10


def explain_runs(
    runs: Mapping[str, Path], qrels: Path, *, queries: Path | None, passages: Path | None, question: Question
) -> Explained:
    """Explains the queries on which two systems differ; InputError where there are not two, or one is not a run."""
    better, than = _sides(list(runs), question)
    judged = read_qrels(qrels)
    found = outcomes([System(name=name, run=read_run(path)) for name, path in runs.items()], judged)
    explanation = explain(found, better, than, n_shown=question.n_shown)
    texts = Texts(
        queries=read_queries(queries) if queries else {},
        passages=read_passages(passages, _mentioned(found, judged)) if passages else {},
    )
    return Explained(explanation=explanation, outcomes=found, texts=texts)


def _sides(names: Sequence[str], question: Question) -> tuple[str, str]:
    if len(names) < 2:
        raise InputError(f"found {len(names)} run: wanted two at least, to hold one against the other")
    better = question.better or names[-1]
    for name in filter(None, (better, question.than)):
        if name not in names:
            raise InputError(f"found no run of the system {name!r}: wanted one of {', '.join(names)}")
    place = names.index(better)
    than = question.than or names[place - 1 if place else 1]
    if than == better:
        raise InputError(f"found {better!r} against itself: wanted two systems")
    return better, than


def _mentioned(found: Sequence[Outcome], qrels: Qrels) -> frozenset[str]:
    relevant = {doc_id for judged in qrels.values() for doc_id in judged}
    return frozenset(relevant.union(*(outcome.first.values() for outcome in found)))
