# The API: unit tests run in the build, and fail it. `development` has the toolchain; the last stage is what runs.

ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim
ARG NGINX_IMAGE=nginx:1.30

FROM ${SWIFT_IMAGE} AS development
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libfcgi-dev libpq-dev make pkg-config \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /src

# The build's folder is kept between builds: a change of the sources compiles what it touches, and fetches nothing.
FROM development AS build
COPY Package.swift .
RUN --mount=type=cache,target=/src/.build,sharing=locked swift package resolve
COPY . .
RUN --mount=type=cache,target=/src/.build,sharing=locked scripts/test unit
# TRAITS=JWT adds AUTH=jwt.
ARG TRAITS
RUN --mount=type=cache,target=/src/.build,sharing=locked scripts/build \
    && install -D .build/release/aktify /out/bin/aktify \
    && install -D .build/release/swift-backtrace-static /out/libexec/aktify/swift-backtrace-static \
    # Line numbers stay, for backtraces.
    && objcopy --compress-debug-sections=zlib /out/bin/aktify && strip /out/libexec/aktify/swift-backtrace-static

# What /docs/ shows the operations with, by the index that PIP_INDEX_URL names. Without it all else works, and the page says so.
FROM ${RUNTIME_IMAGE} AS swagger-ui
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3-pip \
    && rm -rf /var/lib/apt/lists/*
COPY scripts/swagger-ui scripts/swagger-ui-requirements.txt /scripts/
ARG PIP_INDEX_URL
RUN mkdir /swagger-ui && { /scripts/swagger-ui /swagger-ui || echo "Swagger UI could not be downloaded for /docs/: try again with docker-compose build --no-cache nginx" >&2; }

FROM ${NGINX_IMAGE} AS nginx
# What the volume of docker-compose.tls.yml begins with: nginx's user writes a certificate into it.
RUN install -d -o 101 -g 101 -m 700 /etc/nginx/tls
COPY --from=swagger-ui /swagger-ui /etc/nginx/aktify/swagger-ui

# A node of docker-compose.cluster.yml: Patroni with its Postgres, or a member of etcd. Patroni makes the cluster, not Debian's scripts.
FROM ${RUNTIME_IMAGE} AS cluster
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates curl etcd-server pgbackrest postgresql-15 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install -d -o etcd -g etcd -m 700 /var/lib/etcd \
    # A tmpfs there is root's, and has the mode that is found here.
    && chmod 1777 /run/postgresql
COPY scripts/patroni-requirements.txt /opt/
ARG PIP_INDEX_URL
RUN python3 -m venv /opt/patroni && /opt/patroni/bin/pip install -q --no-cache-dir --disable-pip-version-check -r /opt/patroni-requirements.txt
COPY docs/cluster/patroni.yml /etc/aktify/patroni/
COPY docs/cluster/*.yml /etc/aktify/patroni-restore/

FROM ${RUNTIME_IMAGE} AS runtime
ARG TRAITS
# With the trait JWT, curl fetches the identity provider's keys.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libfcgi0ldbl libpq5 \
        ${TRAITS:+ca-certificates curl} \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin aktify
COPY --from=build /out /usr/local
COPY migrations /app/migrations
WORKDIR /app
USER aktify
# The last one: glibc keeps freed blocks of up to 16 KiB at hand for each thread, as libfcgi takes and frees them for every request.
ENV LISTEN=0.0.0.0:9000 \
    STATUS_LISTEN=0.0.0.0:9001 \
    PID_FILE=/tmp/aktify.pid \
    GLIBC_TUNABLES=glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --start-interval=500ms \
    CMD ["aktify", "healthcheck", "--target", "/readyz"]
CMD ["aktify", "serve"]
