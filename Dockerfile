# One image, many commands: `cloud web`, `cloud ingest`, `station_agent run`, `simulator run` ...
# Runs as nobody in particular and writes to /var/lib/baywatt alone: fit for a read-only file system.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim

# --- the pages' JavaScript
FROM ${NODE_IMAGE} AS pages
WORKDIR /opt/baywatt
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# --- the Python packages, hashes checked
FROM ${PYTHON_IMAGE} AS packages
WORKDIR /opt/baywatt
COPY requirements.lock ./
RUN python -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --no-deps --require-hashes --only-binary :all: --no-binary http-ece -r requirements.lock
COPY . .
COPY --from=pages /opt/baywatt/node_modules node_modules
RUN python tools/setup.py layout \
 && rm -rf node_modules \
 && .venv/bin/python -m compileall -q contracts cloud station_agent firmware_bridge simulator

# --- what runs
FROM ${PYTHON_IMAGE}
# receipts as PDF are written in any letters by this font; without it in Latin ones only
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
# volumes take their owner from the folders they are mounted on
RUN useradd --uid 10001 --create-home --home-dir /var/lib/baywatt --shell /usr/sbin/nologin baywatt \
 && install -d -o 10001 -g 10001 \
      /var/lib/baywatt/cloud /var/lib/baywatt/agent /var/lib/baywatt/site /mosquitto/users
COPY --from=packages /opt/baywatt /opt/baywatt
ENV PATH=/opt/baywatt/.venv/bin:$PATH \
    PYTHONPATH=/opt/baywatt \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CLOUD_DATA_DIR=/var/lib/baywatt/cloud \
    AGENT_DATA_DIR=/var/lib/baywatt/agent
WORKDIR /opt/baywatt
USER 10001:10001
EXPOSE 8000 9000
ENTRYPOINT ["python", "-m"]
CMD ["cloud", "serve"]
