"""The README's example runs as it stands, but for the server's address."""

import re
from pathlib import Path

import pytest
from ko_synth_llm.new_task import write_new_task
from model_server import Behaviour, ModelServer

README = Path(__file__).parents[1] / "README.md"


def test_the_example_classifies_support_tickets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    write_new_task(Path("tickets"))
    answer = '{"label":"bug","reason":"오류를 알린다."}'
    with ModelServer(Behaviour(answer=lambda _: answer, model="qwen3:8b")) as server:
        exec(compile(found[1].replace("http://localhost:11434/v1", server.url), "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "t1 {'label': 'bug', 'reason': '오류를 알린다.'}",
        "t2 {'label': 'bug', 'reason': '오류를 알린다.'}",
    ]
