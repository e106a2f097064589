# Two images from one file: `--target gate` (Python and the package), `--target patcher` (with Trivy and Copa).
#
# For linux/amd64 and linux/arm64, by a machine of either: nothing of another platform is run, so nothing is emulated.
# Bases are pinned by digest (`make pins` renews them), and are arguments, so that you can name a mirror or a base of
# your own. The tools are built from the pinned modules in tools/; where they are built already,
# `--build-context tools=DIR` takes them from there: trivy, copa, and native/trivy, which is of the machine that builds.
# A pip.conf or GOPROXY of yours: `--secret id=pip.conf,src=FILE`, `--build-arg GOPROXY=…`; neither is left in an image.
ARG PYTHON_IMAGE=docker.io/library/python:3.13.16-slim-bookworm@sha256:a1165e272e578941b84abc79e4ab38a0305cd12803a5c4247979ac7655f4d641
ARG GO_IMAGE=docker.io/library/golang:1.26.9-bookworm@sha256:d9c68c2c51161e12fd77e4c6320687c9cd86e1af1e3ad6e6cd63ff970641453c

FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS tools
ARG GOPROXY
ARG TARGETOS
ARG TARGETARCH
ARG BUILDARCH
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false -trimpath" GOOS=${TARGETOS} GOARCH=${TARGETARCH}
WORKDIR /src
COPY tools/copa tools/copa
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd tools/copa && version=$(go list -m -f '{{.Version}}' github.com/project-copacetic/copacetic) && \
    go build -ldflags "-s -w -X main.version=${version#v}" -o /copa github.com/project-copacetic/copacetic
COPY tools/trivy tools/trivy
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd tools/trivy && version=$(go list -m -f '{{.Version}}' github.com/aquasecurity/trivy) && \
    build() { GOEXPERIMENT=jsonv2 GOARCH=$1 go build -o "$2" \
      -ldflags "-s -w -X github.com/aquasecurity/trivy/pkg/version/app.ver=${version#v}" github.com/aquasecurity/trivy/cmd/trivy; } && \
    mkdir /native && build "${TARGETARCH}" /trivy && \
    if [ "${TARGETARCH}" = "${BUILDARCH}" ]; then ln /trivy /native/trivy; else build "${BUILDARCH}" /native/trivy; fi

# Python's packages are chosen for the target's platform, and only unpacked.
FROM --platform=${BUILDPLATFORM} ${PYTHON_IMAGE} AS package
ARG TARGETARCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/patchgate
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    case "${TARGETARCH}" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; \
      *) echo "no image for ${TARGETARCH}: amd64, arm64" >&2; exit 1 ;; esac && \
    packages=$(echo /opt/patchgate/lib/python3.*/site-packages) && \
    /opt/build/bin/pip install --no-deps --require-hashes -r requirements/build.txt && \
    /opt/build/bin/pip install --no-deps --require-hashes -r requirements/runtime.txt --only-binary=:all: --target "${packages}" \
      --platform "manylinux_2_17_${machine}" --platform "manylinux2014_${machine}" --platform "manylinux_2_28_${machine}" && \
    rm -rf "${packages}/bin"
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY app app
# A wheel first: what builds it is in one environment, where it goes is another.
RUN /opt/build/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . && \
    /opt/build/bin/pip --python /opt/patchgate/bin/python3 install --no-deps --no-index /wheels/*.whl && \
    /opt/patchgate/bin/python3 -m compileall -q /opt/patchgate/lib

FROM ${PYTHON_IMAGE} AS gate-files
COPY --from=package /opt/patchgate /opt/patchgate
ENV PATH=/opt/patchgate/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["patchgate"]
CMD ["--help"]

FROM gate-files AS patcher-files
COPY --from=tools /trivy /copa /usr/local/bin/

# What is in an image is listed in it (CycloneDX), by the Trivy of this repository.
FROM --platform=${BUILDPLATFORM} ${PYTHON_IMAGE} AS gate-list
RUN --mount=from=tools,source=/native/trivy,target=/mnt/trivy --mount=from=gate-files,target=/image \
    /mnt/trivy rootfs --quiet --offline-scan --cache-dir /tmp/trivy --format cyclonedx --output /sbom.cdx.json /image

FROM --platform=${BUILDPLATFORM} ${PYTHON_IMAGE} AS patcher-list
RUN --mount=from=tools,source=/native/trivy,target=/mnt/trivy --mount=from=patcher-files,target=/image \
    /mnt/trivy rootfs --quiet --offline-scan --cache-dir /tmp/trivy --format cyclonedx --output /sbom.cdx.json /image

FROM patcher-files AS patcher
ARG VERSION
ARG REVISION
COPY --from=patcher-list /sbom.cdx.json /usr/share/patchgate/sbom.cdx.json
LABEL org.opencontainers.image.title="patchgate patcher" \
      org.opencontainers.image.description="Makes patched images with Trivy and Copa, and records which are approved" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM gate-files AS gate
ARG VERSION
ARG REVISION
COPY --from=gate-list /sbom.cdx.json /usr/share/patchgate/sbom.cdx.json
LABEL org.opencontainers.image.title="patchgate gate" \
      org.opencontainers.image.description="Keeps unpatched container images out of a Kubernetes cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
