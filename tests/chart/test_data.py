"""What outlives the chart: the ConfigMaps of data, and our own CA."""

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.image_list import read_main_list
from tests.chart.rendering import Chart

KEPT = {
    "ConfigMap/copa-image-list",
    "ConfigMap/copa-exceptions",
    "ConfigMap/copa-patched-digests",
    *(f"ConfigMap/copa-patched-digests-{number}" for number in range(1, 8)),
    "Secret/patchgate-certificate",
}


def test_they_alone_are_kept(chart: Chart) -> None:
    kept = {
        f"{each['kind']}/{each['metadata']['name']}"
        for each in chart.render().objects
        if each["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }
    assert kept == KEPT


def test_helm_says_nothing_of_their_content_so_that_an_upgrade_leaves_it(chart: Chart) -> None:
    rendering = chart.render()
    for kind, _, name in (each.partition("/") for each in KEPT):
        assert not {"data", "binaryData", "stringData"} & rendering.find(kind, name).keys()


def test_a_list_that_helm_says_nothing_of_names_no_image_which_is_no_fault(chart: Chart) -> None:
    data = chart.render().find("ConfigMap", "copa-image-list").get("data", {})
    part = read_main_list(ConfigMap("copa-image-list", {}, data), None)
    assert (part.lines, part.problems) == ({}, ())


def test_what_the_values_say_of_it_is_said_as_text(chart: Chart) -> None:
    values = {"data": {"imageList": {"images.txt": "a:1\nb:2\n", "patch_sla_hours": 48, "require_digest": False}}}
    rendering = chart.render(values)
    assert rendering.find("ConfigMap", "copa-image-list")["data"] == {
        "images.txt": "a:1\nb:2\n",
        "patch_sla_hours": "48",
        "require_digest": "false",
    }
    assert "data" not in rendering.find("ConfigMap", "copa-exceptions")
