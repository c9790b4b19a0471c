"""SARIF 2.1.0: what its schema requires, and what it is read for."""

import json
from pathlib import Path
from typing import Any

import pytest

from s2mlp_dsl.diagnostics import CODES, SpecError
from s2mlp_dsl.diagnostics.sarif import as_sarif
from tests.diagnostics.examples import check_files, example
from tests.diagnostics.running import Checker


def hold_region(region: dict[str, Any]) -> None:
    """SARIF 2.1.0, 3.30: lines and columns from 1, the end behind the start."""
    keys = ("startLine", "startColumn", "endLine", "endColumn")
    assert set(region) == set(keys)
    assert all(type(region[key]) is int and region[key] >= 1 for key in keys)
    start, end = (
        (region["startLine"], region["startColumn"]),
        (
            region["endLine"],
            region["endColumn"],
        ),
    )
    assert start <= end


def hold_location(location: dict[str, Any]) -> None:
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert uri and " " not in uri and "\\" not in uri
    if "region" in physical:
        hold_region(physical["region"])


def hold(log: dict[str, Any]) -> list[dict[str, Any]]:
    """The required properties of every object that is written; the results."""
    assert log["version"] == "2.1.0" and log["$schema"].endswith("2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "s2mlp-dsl" and driver["version"]
    identities = [rule["id"] for rule in driver["rules"]]
    assert len(set(identities)) == len(identities)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["help"]["text"]
    for result in run["results"]:
        assert identities[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "note") and result["message"]["text"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            hold_location(location)
        for related in result.get("relatedLocations", ()):
            assert related["message"]["text"]
        for fix in result.get("fixes", ()):
            assert fix["description"]["text"]
            for change in fix["artifactChanges"]:
                assert change["artifactLocation"]["uri"]
                for replacement in change["replacements"]:
                    hold_region(replacement["deletedRegion"])
                    assert isinstance(replacement["insertedContent"]["text"], str)
    results: list[dict[str, Any]] = run["results"]
    return results


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code(code: str, tmp_path: Path) -> None:
    one = example(code)
    found = check_files(tmp_path / "p", one.wrong, one.given)
    log = json.loads(json.dumps(as_sarif(found, "1.0")))
    assert [result["ruleId"] for result in hold(log)] == [code]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a b.arch"
    path.write_text("edition 1\nmodel m {\n    image(3, 8, 8)\n    lineer(4)\n}\n")
    check = Checker(capsys)
    run = check(path, "--format", "sarif")
    assert run.code == 1
    (result,) = hold(json.loads(run.out))
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 4,
        "startColumn": 5,
        "endLine": 4,
        "endColumn": 11,
    }
    assert "help: did you mean `linear`?" in result["message"]["text"]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "linear"}
    path.write_text(path.read_text().replace("lineer", "linear"))
    run = check(path, "--format", "sarif")
    assert run.code == 0 and hold(json.loads(run.out)) == []
    run = check(tmp_path / "none.arch", "--format", "sarif")
    assert run.code == 2
    assert [one["ruleId"] for one in hold(json.loads(run.out))] == ["A0701"]


def test_a_file_that_cannot_be_read_has_no_region(tmp_path: Path) -> None:
    path = tmp_path / "x.arch"
    path.write_bytes(b"\xff")
    with pytest.raises(SpecError) as error:
        from s2mlp_dsl.elaborate.spec import load

        load(path)
    (result,) = hold(as_sarif(error.value.diagnostics, "1.0"))
    assert "region" not in result["locations"][0]["physicalLocation"]
