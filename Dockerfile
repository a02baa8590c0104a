# syntax=docker/dockerfile:1

# Both stages are of one Debian release: the program is linked to its C library.
ARG DEBIAN=trixie

FROM rust:1-${DEBIAN} AS build
# Cargo features to add, for example FEATURES=postgres-tls.
ARG FEATURES=""
WORKDIR /build
COPY . .
# The target directory outlives the build, and Cargo goes by the age of the source files:
# renew it, so that the program itself, with its migrations, is always compiled anew.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --release --bin jianjian --features "${FEATURES}" \
    && cp target/release/jianjian /usr/local/bin/jianjian

FROM debian:${DEBIAN}-slim
LABEL org.opencontainers.image.title="jianjian" \
    org.opencontainers.image.description="REST API that drives the proposals of a consultative assembly from submission to close-out" \
    org.opencontainers.image.licenses="Apache-2.0"

# The certificates are for a file storage that is reached over TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 jianjian \
    && useradd --uid 10001 --gid jianjian --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin jianjian \
    && install --directory --owner=jianjian --group=jianjian --mode=0750 /data

COPY --from=build /usr/local/bin/jianjian /usr/local/bin/jianjian
COPY LICENSE NOTICE /usr/share/doc/jianjian/

# A relative SQLite path ends up in the volume, with the directory of files beside it.
WORKDIR /data
VOLUME /data
USER jianjian

# Inside a container, the loopback address would be out of everyone's reach.
ENV JIANJIAN_SERVER__BIND=0.0.0.0:8080
# Memory that the start needed for a moment is given back at once, not when there is work again.
ENV MIMALLOC_PURGE_DELAY=0 MIMALLOC_ALLOW_THP=0
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["jianjian", "health"]

ENTRYPOINT ["jianjian"]
CMD ["serve"]
