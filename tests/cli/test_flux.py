"""`patchgate flux`: what is printed for Flux."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import run_patchgate
from tests.conftest import API_DIGEST, write_configmaps
from tests.world import FIXTURES, clean, digest, image_list, patched, record, records

SOURCE = FIXTURES / "configmaps"
API = "registry.example.com/myapp/api"


def flux(capsys: pytest.CaptureFixture[str], source: Path, *more: str) -> tuple[list[dict[str, Any]], str, str]:
    """Run `patchgate flux`; gives the objects, the comments before them, and standard error."""
    at = ("--now", "2026-05-09T12:00:00Z") if source == SOURCE else ()
    code, out, err = run_patchgate(capsys, "flux", "--source", str(source), *at, *more)
    assert not code, err
    return list(yaml.safe_load_all(out)), out.partition("---")[0], err


def names(objects: list[dict[str, Any]], kind: str) -> list[str]:
    return [each["metadata"]["name"] for each in objects if each["kind"] == kind]


def test_the_contracts_example(capsys: pytest.CaptureFixture[str]) -> None:
    objects, comments, err = flux(capsys, SOURCE)
    assert {each["apiVersion"] for each in objects} == {"image.toolkit.fluxcd.io/v1"}
    assert {each["metadata"]["namespace"] for each in objects} == {"flux-system"}
    assert [len(names(objects, kind)) for kind in ("ImageRepository", "ImagePolicy", "ImageUpdateAutomation")] == [
        4,
        4,
        1,
    ]
    policy = next(each for each in objects if each["metadata"]["name"] == "api-1-4-2-8ea21d75")
    assert policy["spec"] == {
        "imageRepositoryRef": {"name": "myapp-api-5bf40ec3"},
        "filterTags": {"pattern": r"^1\.4\.2-patched-(?P<ts>[0-9]{8}(?:\.[0-9]{2})?)$", "extract": "$ts"},
        "policy": {"numerical": {"order": "asc"}},
        "digestReflectionPolicy": "IfNotPresent",
    }
    marker = '# {"$imagepolicy": "flux-system:api-1-4-2-8ea21d75"}'
    assert f"image: {API}:1.4.2-patched-20260509@{API_DIGEST} {marker}\n" in comments
    assert "line 6, registry.example.com/shared/python-base:3.12.*: the patcher has not expanded it yet" in err


def test_every_object_names_one_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    objects, _, _ = flux(capsys, SOURCE)
    repositories = names(objects, "ImageRepository")
    referred = [each["spec"]["imageRepositoryRef"]["name"] for each in objects if each["kind"] == "ImagePolicy"]
    assert set(referred) == set(repositories)
    automation = objects[-1]
    assert automation["spec"]["policySelector"]["matchLabels"] == objects[0]["metadata"]["labels"]


def test_one_repository_object_for_all_its_tags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_configmaps(tmp_path, image_list(f"{API}:1", f"{API}:2"))
    objects, _, _ = flux(capsys, source)
    assert [len(names(objects, kind)) for kind in ("ImageRepository", "ImagePolicy")] == [1, 2]


def test_a_pattern_becomes_the_tags_that_it_stands_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {f"{API}:3.12.{number}": record(source_digest=digest(str(number))) for number in (1, 2)}
    objects, _, err = flux(capsys, write_configmaps(tmp_path, image_list(f"{API}:3.12.*"), records(found)))
    patterns = [each["spec"]["filterTags"]["pattern"] for each in objects if each["kind"] == "ImagePolicy"]
    assert [pattern.partition("-patched")[0] for pattern in patterns] == [r"^3\.12\.1", r"^3\.12\.2"]
    assert err == ""


def test_a_push_target_is_what_is_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = "registry.example.com/patched/nginx"
    source = write_configmaps(
        tmp_path,
        image_list("nginx:1.25", push_to="docker.io/library = registry.example.com/patched"),
        records({"docker.io/library/nginx:1.25": patched(f"{target}:1.25-patched-20260509")}),
    )
    objects, comments, _ = flux(capsys, source)
    assert [each["spec"]["image"] for each in objects if each["kind"] == "ImageRepository"] == [target]
    assert f"image: {target}:1.25-patched-20260509@" in comments


def test_a_line_with_a_digest_is_followed_by_its_tag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_configmaps(tmp_path, image_list(f"{API}:1@{digest('one')}"))
    objects, comments, _ = flux(capsys, source)
    (policy,) = (each for each in objects if each["kind"] == "ImagePolicy")
    assert policy["spec"]["filterTags"]["pattern"].startswith("^1-patched-")
    assert f"image: {API}:1@{digest('one')} # " in comments


def test_what_is_clean_is_named_as_it_is_approved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_configmaps(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": clean(f"{API}:1")}))
    _, comments, _ = flux(capsys, source)
    assert f"image: {API}:1@{digest('source')} # " in comments


def test_a_name_stays_when_others_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, _, _ = flux(capsys, write_configmaps(tmp_path, image_list(f"{API}:1")))
    many, _, _ = flux(capsys, write_configmaps(tmp_path, image_list(f"{API}:0", f"{API}:1", f"{API}:1.0", "nginx:1")))
    assert set(names(few, "ImagePolicy")) < set(names(many, "ImagePolicy"))
    assert set(names(few, "ImageRepository")) < set(names(many, "ImageRepository"))


def test_the_options_are_in_the_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--namespace", "apps", "--interval", "1h30m", "--git-repository", "fleet", "--branch", "main")
    more = ("--path", "./clusters/one", "--registry-secret", "registry")
    objects, comments, _ = flux(capsys, write_configmaps(tmp_path, image_list(f"{API}:1")), *options, *more)
    repository, _, automation = objects
    assert repository["spec"] == {"image": API, "interval": "1h30m", "secretRef": {"name": "registry"}}
    assert automation["spec"]["sourceRef"] == {"kind": "GitRepository", "name": "fleet"}
    assert automation["spec"]["git"]["checkout"] == {"ref": {"branch": "main"}}
    assert automation["spec"]["git"]["push"] == {"branch": "main"}
    assert automation["spec"]["update"] == {"strategy": "Setters", "path": "./clusters/one"}
    assert {each["metadata"]["namespace"] for each in objects} == {"apps"}
    assert '{"$imagepolicy": "apps:' in comments


def test_without_a_branch_the_git_repositorys_own_is_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    objects, _, _ = flux(capsys, SOURCE)
    assert objects[-1]["spec"]["git"].keys() == {"commit"}


@pytest.mark.parametrize(
    ("option", "wrong", "said"),
    [
        ("--namespace", "Flux", "write the name of an object"),
        ("--interval", "10", "write a duration as Go does"),
        ("--git-repository", "a b", "write the name of an object"),
        ("--registry-secret", "../x", "write the name of an object"),
    ],
)
def test_what_no_cluster_would_take_is_refused(
    capsys: pytest.CaptureFixture[str], option: str, wrong: str, said: str
) -> None:
    code, out, err = run_patchgate(capsys, "flux", "--source", str(SOURCE), option, wrong)
    assert (code, out) == (2, "")
    assert said in err


def test_texts_that_another_reader_of_yaml_takes_for_numbers_are_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_configmaps(tmp_path, image_list(f"{API}:1"))
    code, out, _ = run_patchgate(capsys, "flux", "--source", str(source), "--branch", "1e3", "--namespace", "0x10")
    assert not code
    assert "branch: '1e3'" in out
    assert "namespace: '0x10'" in out


def test_an_empty_list_is_an_automation_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects, _, _ = flux(capsys, write_configmaps(tmp_path, image_list()))
    assert [each["kind"] for each in objects] == ["ImageUpdateAutomation"]
