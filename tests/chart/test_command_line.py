"""Every argument and variable of the chart is one that the program knows, and reads as it is meant."""

import pytest

from patchgate.cli.commands import load_command
from patchgate.cli.environment import PREFIX
from tests.chart.matrix import MATRIX
from tests.chart.rendering import Chart

CONTAINERS = {"patchgate": "gate", "copa-image-patcher": "patcher"}


@pytest.mark.parametrize("name", MATRIX)
def test_the_program_reads_the_arguments_of_every_container(chart: Chart, name: str) -> None:
    rendering = chart.render(MATRIX[name])
    for workload in rendering.pods.keys() & CONTAINERS.keys():
        command, *arguments = rendering.container(workload, CONTAINERS[workload])["args"]
        load_command(command).make_context(command, arguments)


def test_no_variable_of_ours_is_set_behind_the_arguments(chart: Chart) -> None:
    for name, values in MATRIX.items():
        for pod in chart.render(values).pods.values():
            names = [each["name"] for container in pod["spec"]["containers"] for each in container.get("env", [])]
            assert not [each for each in names if each.startswith(PREFIX)], name


def test_the_gate_is_told_what_the_values_say(chart: Chart) -> None:
    values = {"gate": {"port": 10250, "scope": "rollouts", "onError": "allow"}, "recordConfigMaps": 3}
    command, *arguments = chart.render(values).container("patchgate", "gate")["args"]
    read = load_command(command).make_context(command, arguments).params
    assert (read["listen"].host, read["listen"].port) == ("::", 10250)
    assert (read["ops_listen"].host, read["ops_listen"].port) == ("::", 8080)
    assert read["kubernetes"] is True
    assert read["system_namespace"] == "copa-system"
    assert (read["scope"], read["on_error"], read["record_configmaps"]) == ("rollouts", "allow", 3)
    assert (read["tls_secret"], read["issue_certificates"]) == ("patchgate-certificate", True)
    assert (read["webhook_configuration"], read["webhooks"]) == ("patchgate", "patchgate-webhooks")
