# Polder's own image: the operator and its command line in one binary, and what is to be told of its parts
# (dev/notices): /usr/share/sbom, where scanners find it, and the licences in /usr/share/doc.
#
#   docker build -t polder .                            compiles here, on distroless
#   docker build -t polder --build-arg BINARY_FROM=prebuilt .
#                                                       takes target/release/polder and target/notices
#
# Every base image is an argument, so that a mirror or a local image can stand in for it.
ARG RUST_IMAGE=docker.io/library/rust:1.95-bookworm
# Has to bring glibc, libgcc_s, CA certificates and /usr/share/zoneinfo (schedules have time zones).
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot
# The stage that the binary comes from: build or prebuilt. buildah before 1.29 does not see this
# default when it looks for the stages it needs: give it --build-arg BINARY_FROM=build.
ARG BINARY_FROM=build

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
RUN dev/release && install -D target/release/polder /image/usr/local/bin/polder && dev/notices /image/usr/share

FROM scratch AS prebuilt
COPY target/release/polder /image/usr/local/bin/polder
COPY target/notices/ /image/usr/share/

FROM ${BINARY_FROM} AS binary

FROM ${RUNTIME_IMAGE}
COPY --from=binary /image/ /
LABEL org.opencontainers.image.title="polder" \
      org.opencontainers.image.description="A Kubernetes operator for Spark data domains" \
      org.opencontainers.image.source="https://github.com/polder-dev/polder" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/polder"]
