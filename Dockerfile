# An image that checks what is mounted at /project:
#   docker build -t mlsys-advise . && docker run --rm -v "$PWD:/project:ro" mlsys-advise .
FROM python:3.13-slim AS build
COPY pyproject.toml README.md LICENSE /source/
COPY advisor /source/advisor
COPY rules /source/rules
COPY calibration /source/calibration
RUN python -m venv /opt/mlsys-advise \
    && /opt/mlsys-advise/bin/python -m pip install --no-cache-dir '/source[ruff]'

FROM python:3.13-slim
COPY --from=build /opt/mlsys-advise /opt/mlsys-advise
RUN useradd --create-home --uid 10001 advisor
USER advisor
ENV MLSYS_ADVISE_CACHE_DIR=/tmp/mlsys-advise
WORKDIR /project
ENTRYPOINT ["/opt/mlsys-advise/bin/mlsys-advise"]
CMD ["."]
