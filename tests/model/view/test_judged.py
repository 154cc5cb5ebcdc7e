"""The verdict above structures and maps, as the record beside them has it."""

import json
from pathlib import Path

from dsfu.model.view.judged import judgement_in, judgement_on
from dsfu.model.view.opening import page_of

ATOMS = "1\n\nAu 0 0 0\n"


def _record(folder: Path, name: str, **more: object) -> None:
    (folder / name).write_text(json.dumps({"verdict": "doubtful", **more}))


def test_the_verdict_stands_above_the_atoms(tmp_path: Path) -> None:
    for name in ("01-old.xyz", "02-best.xyz"):
        (tmp_path / name).write_text(ATOMS)
    _record(tmp_path, "result.json", reasons=["R_w <is> high."], candidates=[{"file": "02-best.xyz"}])
    page = page_of(str(tmp_path))()
    assert page[0].object == "**doubtful**: R_w &lt;is&gt; high."
    assert page[2].options == ["02-best.xyz", "01-old.xyz"], "what the verdict is about comes first"
    assert page_of(str(tmp_path / "02-best.xyz"))()[0].object.startswith("**doubtful**")
    assert judgement_on(tmp_path / "01-old.xyz") is None


def test_records_of_each_problem_are_understood(tmp_path: Path) -> None:
    _record(tmp_path, "answer.json", reason="Two fit.", candidates=[{"cif": "out/a.cif", "map": "out/a.ccp4"}])
    found = judgement_in(tmp_path)
    assert found
    assert (found.sentence, found.names) == ("**doubtful**: Two fit.", ("a.cif", "a.ccp4"))
    (tmp_path / "answer.json").unlink()
    _record(tmp_path, "x.json", reasons=[], map="out/x.ccp4", cif="out/x-peaks.cif")
    found = judgement_in(tmp_path)
    assert found
    assert (found.sentence, found.names) == ("**doubtful**", ("x-peaks.cif", "x.ccp4"))


def test_of_several_records_the_one_that_is_about_the_file_counts(tmp_path: Path) -> None:
    _record(tmp_path, "a.json", reasons=["Of a."], map="a.ccp4")
    _record(tmp_path, "b.json", reasons=["Of b."], map="b.ccp4")
    told = [judgement_on(tmp_path / f"{name}.ccp4") for name in "ab"]
    assert [each.reasons for each in told if each] == [("Of a.",), ("Of b.",)]


def test_other_json_is_no_record(tmp_path: Path) -> None:
    for name, text in (("a.json", "{"), ("b.json", "[1]"), ("c.json", '{"verdict": 3}')):
        (tmp_path / name).write_text(text)
    assert judgement_in(tmp_path) is None
