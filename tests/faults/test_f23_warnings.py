"""F23: warnings are what kube-apiserver passes on whole: printable, short, few."""

from tests.conftest import WORKER, Gate, change


def warnings_of(gate: Gate, *images: str) -> list[str]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers}}
    response = gate.review(change("pod-create", object=pod), mode="warn").json["response"]
    assert response["allowed"] is True
    warnings: list[str] = response["warnings"]
    return warnings


def test_of_hostile_images_each_warning_is_one_short_printable_line(gate: Gate) -> None:
    warnings = warnings_of(gate, "nginx\nWarning: all is well", "nginx\0", "\x1b[2J", "\u202ex", "a" * 5000)
    assert warnings
    assert all(line.isprintable() for line in warnings)
    assert max(map(len, warnings)) <= 120


def test_of_many_images_few_warnings_come_and_fewer_than_kube_apiserver_would_cut(gate: Gate) -> None:
    warnings = warnings_of(gate, *(f"{WORKER}-{number}" for number in range(200)))
    assert 1 < len(warnings) <= 12
    assert sum(map(len, warnings)) < 4096
