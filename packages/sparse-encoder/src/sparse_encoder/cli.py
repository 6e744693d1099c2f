"""The command line: a verb each; heavy imports inside the commands, so that help and refusals are quick."""

import os
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparse_encoder._files import InputError, Manifest, Output, exit_on_error, read_jsonl, write_json
from sparse_encoder._options import grouped
from sparse_encoder.cli_encode import encode
from sparse_encoder.cli_pretrain import pretrain
from sparse_encoder.cli_publish import card, push, shrink
from sparse_encoder.cli_tokenizer import adapt, compare, morphemes, noise
from sparse_encoder.cli_train import curve, train
from sparse_encoder.cli_vectors import Asked, vectors
from sparse_encoder.output_folder import check_output_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
tokenizer_app = typer.Typer(no_args_is_help=True, help="Tokenizers made of morphemes.")
app.add_typer(tokenizer_app, name="tokenizer")
app.command()(encode)
app.command()(shrink)
app.command()(card)
app.command()(push)
for command in (compare, adapt, noise, morphemes, vectors):
    tokenizer_app.command()(command)
app.command()(pretrain)
app.command()(train)
app.command()(curve)

PACKAGE = "sparse-encoder"
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]
ModelFolder = Annotated[Path, typer.Argument(help="A model folder, as train writes it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What becomes a token."""

    vocab_size: Annotated[int, typer.Option(help="Most tokens, at most 32,768.")] = 8000
    min_count: Annotated[int, typer.Option(help="Times a morpheme must occur to be a token.")] = 1
    min_characters: Annotated[int, typer.Option(help="Times a character must occur, syllables apart.")] = 1
    common_syllables: Annotated[bool, typer.Option(help="Cover all 2,350 syllables of KS X 1001.")] = False
    general: Annotated[float, typer.Option(min=0, help="Pieces of general Korean to each of the passages.")] = 0.0


@tokenizer_app.command("build")
@grouped
def build(
    passages: Annotated[list[Path], typer.Argument(help="BEIR folders or JSON Lines files of passages.")],
    output: Folder,
    *,
    tokens: Tokens,
    pairs: Annotated[list[Path] | None, typer.Option(help="Queries that are counted beside the passages.")] = None,
    max_tokens: Annotated[int, typer.Option(min=3, help="Tokens that the tokenizer keeps of a text.")] = 512,
) -> None:
    """Builds a morpheme-aware WordPiece tokenizer that serves without kiwi."""
    from sparse_encoder._kiwi import analysis
    from sparse_encoder.passages import passage_text, passages_file, read_passages
    from sparse_encoder.tokenizer_build import Choice, build_tokenizer, save_tokenizer

    choice = Choice(**asdict(tokens))
    files = [passages_file(path) for path in passages]
    check_output_folder(output, inputs=[*files, *(pairs or [])])
    asked = (pair.query for path in pairs or [] for pair in read_jsonl(path, Asked))
    texts = chain((passage_text(p, title=True) for file in files for p in read_passages(file)), asked)
    manifest = _manifest(
        [*files, *(pairs or [])],
        [Output(path=output, format="tokenizer")],
        **asdict(choice),
        analysis=analysis(),
    )
    tokenizer = build_tokenizer(texts, choice)
    save_tokenizer(tokenizer, output, max_tokens=max_tokens)
    manifest.write()
    typer.echo(f"{tokenizer.get_vocab_size()} tokens: {output}", err=True)


@tokenizer_app.command("take")
def take(
    model: Annotated[Path, typer.Argument(help="A model folder, or one of a masked language model.")],
    output: Folder,
    idf: Annotated[
        Path | None, typer.Option(help="Also write the weights of the model's queries, as idf.json.")
    ] = None,
) -> None:
    """Takes the tokenizer out of a model, and the weights of its queries, to go on from it with other texts."""
    from sparse_encoder.query_side import read_query_side, write_idf
    from sparse_encoder.tokenizer_build import copy_tokenizer

    check_output_folder(output, inputs=[model])
    side = read_query_side(model) if idf else None
    copy_tokenizer(model, output)
    _manifest([model], [Output(path=output, format="tokenizer")]).write()
    if idf and side:
        write_idf(side, idf)
        _manifest([model], [Output(path=idf, format="idf", n_records=len(side.idf))]).write()
    typer.echo(f"{output}{f' and {idf}' if idf else ''}", err=True)


@app.command()
def explain(
    model: ModelFolder,
    text: Annotated[str, typer.Argument(help="The document's text.")],
    query: Annotated[str, typer.Option(help="Also show what this query scores, and by which terms.")] = "",
    compare: Annotated[Path | None, typer.Option(help="A second model: what changed from MODEL to it.")] = None,
    n: Annotated[int, typer.Option("--terms", "-n", min=1, help="Terms shown.")] = 30,
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of bars.")] = False,
) -> None:
    """Shows a document's terms with their weights, expansions marked with +."""
    import json

    import msgspec

    from sparse_encoder.explaining import bars, explain
    from sparse_encoder.model_folder import read_model
    from sparse_encoder.term_changes import change_bars, changes

    one = explain(read_model(model), text, query=query)
    both = changes(one, explain(read_model(compare), text, query=query)) if compare else None
    if json_output:
        typer.echo(json.dumps(msgspec.to_builtins(both or one), ensure_ascii=False, indent=2))
    else:
        typer.echo(change_bars(both, n=n) if both else bars(one, n=n))


@app.command()
def inspect(
    model: ModelFolder,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report as JSON.")] = None,
    passages: Annotated[Path | None, typer.Option(help="Texts to try it on.")] = None,
) -> None:
    """Says whether a model is safe for OpenSearch, and why; exit 1 if it is not."""
    from sparse_encoder.inspection import SENTENCES, inspect, table
    from sparse_encoder.model_folder import read_model

    report = inspect(read_model(model), name=model.name, texts=_sample(passages) if passages else SENTENCES)
    typer.echo(table(report))
    if output:
        write_json(output, report)
        _manifest([model], [Output(path=output, format="inspection")]).write()
    if not report.safe_for_opensearch:
        raise InputError(f"{model}: is not safe for OpenSearch; see the checks marked FAIL")


@app.command()
def export(
    model: ModelFolder,
    output: Folder,
    name: Annotated[str, typer.Option(help="The models' name on the server; default the folder's.")] = "",
    passages: Annotated[Path | None, typer.Option(help="Compare with PyTorch on 200 of these texts too.")] = None,
    int8: Annotated[bool, typer.Option(help="Also the ONNX in 8 bits; refused unless it ranks as PyTorch.")] = True,
) -> None:
    """Writes the OpenSearch archives and the pooled ONNX, refused unless they agree with PyTorch."""
    from sparse_encoder.comparison_texts import comparison_texts
    from sparse_encoder.exporting import export
    from sparse_encoder.model_folder import read_model

    check_output_folder(output, inputs=[model, *([passages] if passages else [])])
    texts = [*comparison_texts(), *(_sample(passages) if passages else [])]
    manifest = _manifest([model], [Output(path=output, format="deploy")], name=name or model.name, int8=int8)
    report = export(read_model(model), output, name=name or model.name, texts=texts, int8=int8)
    manifest.write()
    for parity in report.parity:
        typer.echo(
            f"{parity.form}: within {parity.largest_difference} of PyTorch on {parity.n_texts} texts, "
            f"{parity.rank_agreement:.1%} of the best ten the same",
            err=True,
        )


def _sample(passages: Path) -> list[str]:
    from sparse_encoder.passages import read_passages

    texts = [p.text for p in read_passages(passages)]
    if not texts:
        raise InputError(f"{passages}: holds no passage; wanted at least one to try the model on")
    return texts[:: max(1, len(texts) // 200)][:200]


def _manifest(
    files: "Sequence[Path]", outputs: "Sequence[Output]", *, seed: int | None = None, **parameters: object
) -> Manifest:
    from importlib.metadata import version

    return Manifest(
        package=PACKAGE,
        package_version=version(PACKAGE),
        parameters=parameters,
        seed=seed,
        inputs=files,
        outputs=outputs,
    )


def main() -> None:
    """The entry point of `sparse-encoder`; what is set here holds only where the environment says nothing else."""
    # threads that spin while they wait make a step five times as slow on a machine that has other work too
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    exit_on_error(app)
