"""A small task for tests: it asks for what it is given."""

from pathlib import Path

from ko_synth_llm.tasks import Task, load_task

TOML = """
name = "echo"
version = "1"
language = "{language}"
n_answers = {n_answers}
record = {{ id = "id", text = ["text"] }}
sampling = {{ max_tokens = 64, seed = 1 }}
"""
SCHEMA = '{"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}'


def a_folder(folder: Path, *, n_answers: int = 1, prompt: str = "{{ text }}", language: str = "ko") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.toml").write_text(TOML.format(n_answers=n_answers, language=language), encoding="utf-8")
    block = "{% block user %}" + prompt + "{% endblock %}"
    (folder / "prompt.j2").write_text(block, encoding="utf-8")
    (folder / "schema.json").write_text(SCHEMA, encoding="utf-8")
    return folder


def a_task(folder: Path, *, n_answers: int = 1) -> Task:
    return load_task(a_folder(folder / "echo", n_answers=n_answers))
