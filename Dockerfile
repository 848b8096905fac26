# The image of the platform: nginx, camera-worker and the tools around them.
#
#   docker build -t camera-platform .            the image, see compose.yaml
#   docker build --target mock-camera .          a camera that needs no camera
#
# docs/docker.md says how to run it, deploy/image has what it starts.

ARG DEBIAN=debian:bookworm-slim


# what needs a compiler, Node.js and the network

FROM ${DEBIAN} AS build

WORKDIR /src

# packages and the page's dependencies change seldom: layers of their own
COPY deploy/deps deploy/fetch-source deploy/install-packages deploy/
RUN deploy/deps --build

COPY html/package.json html/package-lock.json html/
RUN cd html && npm ci --no-audit --no-fund --loglevel=error

COPY . .
RUN make -j"$(nproc)" build && make install DESTDIR=/image


# a test picture, pushed like any other camera's

FROM ${DEBIAN} AS mock-camera

RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log

COPY deploy/image/mock-camera /usr/local/bin/

USER 10001:10001
ENTRYPOINT ["mock-camera"]


# what runs

FROM ${DEBIAN}

LABEL org.opencontainers.image.title="nginx camera platform" \
      org.opencontainers.image.licenses="BSD-2-Clause"

# psql is for migrations, curl for the health check; no program gives rights
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl openssl postgresql-client \
        libavcodec59 libavformat59 libavutil57 libswscale6 \
        libcurl4 libhiredis0.14 libjansson4 libjwt0 libpq5 libseccomp2 libwslay1 \
        zlib1g \
        libnginx-mod-rtmp nginx \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# a number, so that a cluster can see that it is not root; logs go to whoever
# runs the container
RUN groupadd --gid 10001 camera \
    && useradd --uid 10001 --gid camera --no-create-home \
        --home-dir /nonexistent --shell /usr/sbin/nologin camera \
    && install -d -o camera -g camera -m 0750 \
        /etc/camera /etc/camera-owner /run/camera /run/demo /run/nginx \
        /run/worker /var/lib/camera/recordings \
    && mkdir /run/postgresql /run/redis \
    && ln -sf /dev/stdout /var/log/nginx/access.log \
    && ln -sf /dev/stdout /var/log/nginx/api.log

COPY --from=build /image/usr /usr

USER 10001:10001

EXPOSE 8080 8443 1936

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD curl -fsS -m 4 -o /dev/null "http://127.0.0.1:${HTTP_PORT:-8080}/readyz"

STOPSIGNAL SIGQUIT

ENTRYPOINT ["/usr/local/share/camera/deploy/image/entrypoint"]
CMD ["nginx"]
