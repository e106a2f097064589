"""The CronJob and what it may do."""

from tests.chart.rendering import Chart

RECORDS = ["copa-patched-digests", *(f"copa-patched-digests-{number}" for number in range(1, 8))]


def test_it_runs_every_six_hours_never_twice_at_once_and_ends(chart: Chart) -> None:
    rendering = chart.render()
    spec = rendering.find("CronJob", "copa-image-patcher")["spec"]
    assert spec["schedule"] == "0 */6 * * *"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 3600
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] < 6 * 3600
    read = rendering.container("copa-image-patcher", "patcher")["args"]
    assert f"--run-limit-seconds={job['activeDeadlineSeconds'] - 300}" in read
    assert job["backoffLimit"] == 0
    assert "timeZone" not in spec


def test_it_may_update_its_records_and_nothing_else(chart: Chart) -> None:
    rules = chart.render().find("Role", "copa-patcher")["rules"]
    assert rules == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": RECORDS, "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]


def test_it_and_the_gate_know_the_same_record_configmaps_and_all_are_there_from_the_start(chart: Chart) -> None:
    rendering = chart.render({"recordConfigMaps": 2})
    names = ["copa-patched-digests", "copa-patched-digests-1", "copa-patched-digests-2"]
    assert rendering.find("Role", "copa-patcher")["rules"][1]["resourceNames"] == names
    assert all(rendering.has("ConfigMap", name) for name in names)
    assert not rendering.has("ConfigMap", "copa-patched-digests-3")
    for workload, container in {"patchgate": "gate", "copa-image-patcher": "patcher"}.items():
        assert "--record-configmaps=2" in rendering.container(workload, container)["args"]


def test_its_token_is_its_own_and_ends(chart: Chart) -> None:
    rendering = chart.render()
    assert rendering.find("ServiceAccount", "copa-patcher")["automountServiceAccountToken"] is False
    for workload in ("patchgate", "copa-image-patcher"):
        spec = rendering.pods[workload]["spec"]
        assert spec["automountServiceAccountToken"] is False
        (token,) = [each for each in spec["volumes"] if each["name"] == "token"]
        assert token["projected"]["sources"][0]["serviceAccountToken"] == {"path": "token", "expirationSeconds": 3600}


def test_registries_are_asked_with_the_docker_config_of_a_secret_that_need_not_be_there(chart: Chart) -> None:
    rendering = chart.render()
    (volume,) = [each for each in rendering.pods["copa-image-patcher"]["spec"]["volumes"] if each["name"] == "registry"]
    assert volume["secret"]["secretName"] == "copa-registry-credentials"
    assert volume["secret"]["optional"] is True
    assert volume["secret"]["items"] == [{"key": ".dockerconfigjson", "path": "config.json"}]
    container = rendering.container("copa-image-patcher", "patcher")
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "registry"]
    assert f"--docker-config={mount['mountPath']}" in container["args"]


def test_shards_are_an_indexed_job_that_is_told_how_many_they_are(chart: Chart) -> None:
    rendering = chart.render({"patcher": {"shards": 3}})
    job = rendering.find("CronJob", "copa-image-patcher")["spec"]["jobTemplate"]["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 3, 3)
    assert (job["backoffLimitPerIndex"], job.keys() & {"backoffLimit", "maxFailedIndexes"}) == (0, set())
    environment = rendering.container("copa-image-patcher", "patcher")["env"]
    assert {"name": "JOB_COMPLETIONS", "value": "3"} in environment


def test_each_shard_keeps_a_database_of_its_own_as_trivy_writes_over_one_that_is_read(chart: Chart) -> None:
    cache = "--trivy-cache=/var/cache/patchgate/trivy"
    arguments = {
        shards: chart.render({"patcher": {"shards": shards}}).container("copa-image-patcher", "patcher")["args"]
        for shards in (1, 2)
    }
    assert cache in arguments[1]
    assert f"{cache}-$(JOB_COMPLETION_INDEX)" in arguments[2]


def test_a_cloud_s_identity_is_on_its_service_account(chart: Chart) -> None:
    cloud = {"eks": {"roleArn": "arn:1"}, "gke": {"serviceAccount": "a@b"}, "aks": {"clientId": "0"}}
    rendering = chart.render({"patcher": {"cloud": cloud, "serviceAccount": {"annotations": {"x": "y"}}}})
    assert rendering.find("ServiceAccount", "copa-patcher")["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:1",
        "iam.gke.io/gcp-service-account": "a@b",
        "azure.workload.identity/client-id": "0",
        "x": "y",
    }
    labels = rendering.pods["copa-image-patcher"]["metadata"]["labels"]
    assert labels["azure.workload.identity/use"] == "true"
    assert "annotations" not in chart.render().find("ServiceAccount", "copa-patcher")["metadata"]


def test_its_cache_is_a_claim_where_one_is_asked_for(chart: Chart) -> None:
    rendering = chart.render({"patcher": {"cache": {"type": "pvc", "size": "9Gi"}}})
    assert rendering.find("PersistentVolumeClaim", "patchgate-cache")["spec"]["resources"] == {
        "requests": {"storage": "9Gi"}
    }
    (cache,) = [each for each in rendering.pods["copa-image-patcher"]["spec"]["volumes"] if each["name"] == "cache"]
    assert cache["persistentVolumeClaim"] == {"claimName": "patchgate-cache"}
    assert not chart.render().has("PersistentVolumeClaim", "patchgate-cache")


def test_without_it_there_is_neither_it_nor_buildkit(chart: Chart) -> None:
    rendering = chart.render({"patcher": {"enabled": False}})
    assert rendering.pods.keys() == {"patchgate"}
    assert not rendering.has("Namespace", "copa-buildkit")
    assert rendering.has("ConfigMap", "copa-patched-digests")
