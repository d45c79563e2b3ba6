"""Several processes on one machine at once: all get answers, and the order of changes explains them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.runtime_company import CHANGES, Answered, company, contradictions
from benchmarks.runtime_requests import Packages
from snnir.runtime.fsck import findings
from snnir.runtime.store import Store
from tests.runtime.applications import sample_application, sample_package

REQUESTS = 15


@pytest.fixture(scope="module")
def packages() -> Packages:
    return Packages.load([sample_package("mesh2x2-32")])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("company") / "machine.db"


@pytest.fixture(scope="module")
def answers(path: Path) -> list[list[Answered]]:
    Store.create(path, sample_application("mesh2x2-32").platform).close()
    return company(path, [sample_package("mesh2x2-32")], 3, 0, REQUESTS)


def test_every_request_gets_a_true_answer(path: Path, packages: Packages, answers: list[list[Answered]]) -> None:
    assert [len(said) for said in answers] == [REQUESTS] * 3
    assert not [each for said in answers for each in said if each.kind == "ERROR"]
    with closing(Store(path)) as store:
        assert not list(findings(store))
        assert not list(contradictions(store, packages, answers, 1000))
        assert len(store.events()) >= 3


def test_a_false_answer_is_found(path: Path, packages: Packages, answers: list[list[Answered]]) -> None:
    admitted = next((r, n) for r, said in enumerate(answers) for n, each in enumerate(said) if each.kind == "admitted")
    rank, number = admitted
    last = max(each.after for said in answers for each in said)
    changes = {
        "promised": replace(answers[rank][number], answer="admitted: period 1, latency 1"),
        "lost": replace(answers[rank][number], answer="refused: link x would have 2 flows"),
        "late": replace(answers[rank][number], before=last, after=last),
    }
    with closing(Store(path)) as store:
        for name, false in changes.items():
            said = [list(each) for each in answers]
            said[rank][number] = false
            assert list(contradictions(store, packages, said, 1000)), name
        more = [[*answers[0], next(each for each in answers[rank] if each.kind in CHANGES)], *answers[1:]]
        assert any("there was no change" in each for each in contradictions(store, packages, more, 0))
