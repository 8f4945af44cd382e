# The detector of a device, for amd64 and arm64 alike: nothing in it is compiled. Build from the repository's root:
#   docker buildx build --platform linux/amd64,linux/arm64 -f deploy/docker/edge.Dockerfile -t foresense-edge .
# It writes to its volume alone, so run it with the rest read-only:
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v ./edge.yaml:/etc/foresense/edge.yaml:ro -v foresense-edge:/var/lib/foresense-edge foresense-edge
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv --without-pip /opt/foresense \
 && pip --python /opt/foresense/bin/python install --no-cache-dir --no-compile \
      -c /source/deploy/constraints.txt '/source[litert,updates]'

FROM python:3.13-slim
COPY --from=build /opt/foresense /opt/foresense
RUN useradd --system --uid 10002 foresense && install -d -o foresense /var/lib/foresense-edge
USER 10002
WORKDIR /var/lib/foresense-edge
VOLUME /var/lib/foresense-edge
HEALTHCHECK --start-period=60s CMD ["/opt/foresense/bin/foresense", "edge", "status", "/etc/foresense/edge.yaml"]
ENTRYPOINT ["/opt/foresense/bin/foresense", "edge"]
CMD ["run", "/etc/foresense/edge.yaml"]
