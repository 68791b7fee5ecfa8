"""What findings cost by figures, what goes quiet and what never does, and the order by cost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mlsys_advise import cost
from mlsys_advise.cost import Target, at_size, costs_on, priced, ranked, settle
from mlsys_advise.finding import Finding
from mlsys_advise.heat import ITEM, SERVING, STEP, TRAINING, Heat
from mlsys_calibration.figures import Figure, FigurePoint, Figures
from tests.command import scripted


def figure(*points: tuple[int, float, float], **more: Any) -> Figure:
    fields: dict[str, Any] = {
        "status": "measured",
        "quantity": "seconds",
        "per": "element",
        "axis": "elements",
        "typical": 100,
        "date": "2026-01-31",
        "points": tuple(FigurePoint(size, slow, fast, slow / fast, size) for size, slow, fast in points),
    }
    return Figure(**(fields | more))


def target(named: bool = True, name: str = "box", **figures: Figure) -> Target:
    measurements = {key.replace("_", "-").replace("-on-", "."): value for key, value in figures.items()}
    return Target(Figures(1, name, measurements), named=named)


def finding(evidence: str = "walk", **more: Any) -> Finding:
    return msgspec.structs.replace(
        scripted.finding("train.py"), evidence=evidence, **({"category": "performance"} | more)
    )


WALK = figure((10, 1e-5, 1e-6), (1000, 1e-2, 1e-4))


def test_a_size_that_was_measured_gives_its_own_figures() -> None:
    (found,) = costs_on(target(walk=WALK), "walk", 1000)
    assert (found.ratio, found.slow, found.fast) == pytest.approx((100.0, 1e-5, 1e-7))
    assert found.loss == pytest.approx(9.9e-6)
    assert found.how == "measured on 2026-01-31, at 1,000 elements"


def test_between_two_sizes_the_figures_are_interpolated_as_powers() -> None:
    point, how = at_size(WALK, 100)
    assert point.slow == pytest.approx((1e-5 * 1e-2) ** 0.5)
    assert point.fast == pytest.approx(1e-5)
    assert point.occurrences == 100
    assert how == "interpolated for 100 elements"


def test_beyond_the_sweep_the_nearest_size_stands_and_says_so() -> None:
    assert at_size(WALK, 5)[1] == "at 10 elements, the size measured that is nearest"
    assert at_size(WALK, 10**6)[0].size == 1000


def test_without_a_size_the_usual_one_stands() -> None:
    point, how = at_size(figure((90, 1.0, 0.5), (1000, 1.0, 0.1)), 0)
    assert (point.size, how) == (90, "at 90 elements, a usual size")
    assert at_size(figure((100, 1.0, 0.5)), 0)[1] == "at 100 elements"


def test_variants_for_other_devices_are_costs_of_their_own() -> None:
    machine = target(walk=WALK, walk_on_cuda=figure((10, 1e-3, 1e-5), device="cuda"))
    assert [(one.device, round(one.ratio or 0)) for one in costs_on(machine, "walk", 10)] == [
        ("cpu", 10),
        ("cuda", 100),
    ]


@pytest.mark.parametrize(
    ("absent", "how"),
    [
        (figure(status="not-applicable", notes="needs a CUDA device"), "not measured: needs a CUDA device"),
        (figure((10, 1.0, 0.5), status="unstable"), "not measured: the figures did not settle"),
        (figure(status="failed", notes="SIGSEGV"), "not measured: the benchmark failed"),
    ],
)
def test_where_there_are_no_figures_the_reason_is_said(absent: Figure, how: str) -> None:
    (found,) = costs_on(target(walk=absent), "walk")
    assert (found.ratio, found.how) == (None, how)
    assert costs_on(target(), "walk")[0].how == "not measured"


LITTLE = figure((100, 1.05, 1.0))


def test_what_costs_little_on_the_target_goes_quiet() -> None:
    kept, quiet = settle(priced([finding()], [target(walk=LITTLE)]))
    assert kept == []
    assert quiet[0].reason == "costs 1.05x on box, and 1.1x is the least reported"


@pytest.mark.parametrize("category", ["correctness", "reliability", "security", "reproducibility"])
def test_what_is_not_about_cost_is_never_silenced(category: str) -> None:
    kept, quiet = settle(priced([finding(category=category)], [target(walk=LITTLE)]))
    assert len(kept) == 1
    assert quiet == []


def test_a_machine_that_was_not_named_silences_nothing() -> None:
    assert settle(priced([finding()], [target(named=False, walk=LITTLE)]))[1] == []


def test_several_targets_must_agree() -> None:
    other = target(name="other", walk=WALK)
    assert settle(priced([finding()], [target(walk=LITTLE), other]))[1] == []
    assert len(settle(priced([finding()], [target(walk=LITTLE), target(name="third", walk=LITTLE)]))[1]) == 1


def test_what_was_not_measured_silences_nothing() -> None:
    assert settle(priced([finding()], [target(walk=figure((100, 1.0, 1.0), status="unstable"))]))[1] == []
    assert settle(priced([finding()], [target()]))[1] == []
    cuda = figure((100, 9.0, 1.0), device="cuda")
    assert settle(priced([finding()], [target(walk=LITTLE, walk_on_cuda=cuda)]))[1] == []


def test_a_rule_without_a_benchmark_has_no_cost() -> None:
    (found,) = priced([finding(evidence="")], [target(walk=WALK)])
    assert found.costs == ()


def test_the_order_follows_severity_then_cost_and_heat() -> None:
    def one(path: str, slow: float, heat: Heat, severity: str = "warning") -> Finding:
        walk = figure((100, slow * 100, 1e-9), per="call")
        given = finding(path=path, heat=heat, severity=severity)
        return priced([given], [target(walk=walk)])[0]

    step, item = Heat.of(TRAINING, STEP), Heat.of(SERVING, ITEM)
    dear, cheap = one("dear.py", 1e-3, step), one("cheap.py", 1e-6, step)
    hot, wrong = one("hot.py", 1e-4, item), one("wrong.py", 1e-9, step, "error")
    unpriced = finding(path="unpriced.py", evidence="", heat=step, severity="warning")
    order = [found.path for found in ranked([cheap, unpriced, dear, hot, wrong])]
    assert order[:3] == ["wrong.py", "hot.py", "dear.py"]
    assert set(order[3:]) == {"cheap.py", "unpriced.py"}


def test_figures_of_a_machine_that_was_not_named_push_nothing_down() -> None:
    tiny = figure((100, 1e-9, 0.9e-9))
    (found,) = priced([finding(heat=Heat.of(TRAINING, STEP))], [target(named=False, walk=tiny)])
    assert cost.expected_loss(found) == cost.UNKNOWN * 1e4
    (found,) = priced([finding(heat=Heat.of(TRAINING, STEP))], [target(walk=tiny)])
    assert cost.expected_loss(found) < cost.UNKNOWN
