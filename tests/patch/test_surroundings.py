"""S20 with the real Trivy: its settings in the directory where patch is started, and in HOME, hide nothing."""

import contextlib

from tests.patch.bench import Bench
from tests.patch.scanner import Scanner
from tests.patch.site import Site


def test_an_ignore_file_of_the_directory_hides_no_vulnerability(site: Site, bench: Bench, scanner: Scanner) -> None:
    image = bench.push("tls", "surroundings/tls", "1.0")
    found = sorted({finding.partition("/")[2] for finding in scanner.find(image, bench.make_folder())})
    place = bench.make_folder()
    for name in (".trivyignore", "home/.trivyignore"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("\n".join(found), encoding="utf-8")
    (place / "trivy.yaml").write_text("severity: [UNKNOWN]\n", encoding="utf-8")
    site.list_images(image)
    with contextlib.chdir(place):
        run = site.patch(HOME=str(place / "home"), TRIVY_SEVERITY="UNKNOWN")
    assert (run.exit_code, run.results) == (0, {image: "patched"}), run.text
    assert sum(site.read_record(image)["fixable_before"].values()) > 0
    assert [each.name for each in (place / "home").iterdir()] == [".trivyignore"]
