#!/usr/bin/env bash
# Test deploy/compose.yaml: start it, seed it, follow a write to its last effect, stop it, and check
# that the products are still there after a restart. Takes about two minutes. The ports PORT (8000)
# and 4566 must be free.
#
#   deploy/compose_test.sh             with docker and the images of compose.yaml
#   deploy/compose_test.sh stand-in    without a container registry, as root, with podman. It uses the
#                                      base and the image of `make image-test BASE=stand-in`. Debian's
#                                      PostgreSQL, DynamoDB Local from npm, and osmem-server replace
#                                      the engines, under their image names
set -euo pipefail
cd "$(dirname "$0")/.."
export PORT=${PORT:-8000}
engines=(postgres dynamodb aws opensearch) servers=(web worker scheduler)
scratch=$(mktemp -d)

build_stand_in() { # folder, base, name of the image
  buildah build --format docker --isolation chroot --network host --pull-never "${@:4}" \
    --build-arg "PYTHON_IMAGE=$2" -f "$1/Dockerfile" -t "$3" "$1" >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log" && exit 1; }
}

# Build a replacement for an engine's image, under the name in compose.yaml: Debian packages and one
# file or folder.
stand_in() { # service, packages, what to copy, where to; stdin has the rest of the Dockerfile
  local folder=$scratch/$1 name
  name=$(sed -nE "s|^    image: (docker.io/.*$1.*)|\1|p" deploy/compose.yaml)
  mkdir "$folder" && cp -r "$3" "$folder/copied"
  {
    echo "FROM $base"
    echo "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $2"
    echo "COPY copied $4"
    cat
  } >"$folder/Dockerfile"
  build_stand_in "$folder" "$base" "$name"
  echo "$name" >>"$scratch/replaced"
}

stand_in_engines() {
  local base=localhost/bbws-products-base:stand-in conf=${PIP_CONFIG_FILE:-$HOME/.config/pip/pip.conf} secret=()
  [[ -f $conf ]] && secret=(--secret "id=pip.conf,src=$conf")
  build_stand_in deploy/local "$base" localhost/bbws-products-aws:local "${secret[@]}"
  buildah tag localhost/bbws-products:test localhost/bbws-products:local
  stand_in opensearch curl "$(echo .venv-engines/lib/python3*/site-packages/osmem_server/bin/osmem-server*)" \
    /usr/local/bin/osmem-server <<<'CMD ["osmem-server", "-addr", "0.0.0.0:9200", "-no-ja", "-no-stdin-watch"]'
  stand_in dynamodb "curl default-jre-headless" .dynamodb-local/package/emulator /home/dynamodblocal <<<'
WORKDIR /home/dynamodblocal
RUN mkdir data
ENTRYPOINT ["java"]'
  cat >"$scratch/start" <<'START'
#!/bin/sh
set -e
if [ ! -e "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl --wait -o "-c listen_addresses=" start >/dev/null
  PGPASSWORD=$POSTGRES_PASSWORD createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl --wait stop >/dev/null
fi
exec postgres -c "listen_addresses=*"
START
  chmod +x "$scratch/start"
  stand_in postgres postgresql "$scratch/start" /usr/local/bin/start <<<'
RUN mkdir -p /var/lib/postgresql/data && chown postgres: /var/lib/postgresql/data && ln -s /usr/lib/postgresql/*/bin /usr/local/postgres
USER postgres
ENV PGDATA=/var/lib/postgresql/data/db PATH=/usr/local/postgres:/usr/local/bin:/usr/bin:/bin
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["/usr/local/bin/start"]'
}

if [[ ${1:-} == stand-in ]]; then
  # What is allowed inside another container: no raised limits, and control groups version 1.
  printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]\n[engine]\nruntime = "runc"\n' >"$scratch/containers.conf"
  printf 'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n' >>"$scratch/containers.conf"
  export CONTAINERS_CONF=$scratch/containers.conf
  stand_in_engines
  building=--no-build
  compose() { .venv-lint/bin/podman-compose -f deploy/compose.yaml "$@" 2>>"$scratch/compose.log"; }
  healthy() { podman healthcheck run "bbws-products_$1_1" &>/dev/null; } # without systemd podman does not run it
  ended_with() { podman inspect "bbws-products_$1_1" --format '{{.State.ExitCode}}'; }
else
  building=--build
  compose() { docker compose -f deploy/compose.yaml "$@" 2>>"$scratch/compose.log"; }
  healthy() { [[ $(docker inspect --format '{{.State.Health.Status}}' "bbws-products-$1-1") == healthy ]]; }
  ended_with() { docker inspect "bbws-products-$1-1" --format '{{.State.ExitCode}}'; }
fi

finish() {
  local code=$?
  ((code)) && tail -n 40 "$scratch/compose.log" && compose logs --tail 20
  compose down --volumes >/dev/null || true
  # The replacements must not stay under the engines' names.
  [[ ! -f $scratch/replaced ]] || xargs buildah rmi <"$scratch/replaced" >/dev/null || true
  rm -rf "$scratch"
  exit "$code"
}
trap finish EXIT

await() {
  for service in "$@"; do
    for second in {1..120}; do
      healthy "$service" && break
      ((second < 120)) || { echo "$service does not become healthy." && return 1; }
      sleep 1
    done
  done
}

# Start the services step by step, because not every compose implementation waits for health checks.
bring_up() {
  compose up --detach "$building" "${engines[@]}" >/dev/null && await "${engines[@]}"
  for service in migrate resources; do compose run --rm --no-deps -T "$service" >/dev/null; done
  compose up --detach "$building" --no-deps "${servers[@]}" >/dev/null && await "${servers[@]}"
  curl --silent --fail "http://127.0.0.1:$PORT/readyz" && echo
}

manage() { compose run --rm --no-deps -T -e DJANGO_SUPERUSER_PASSWORD=rehearsal-only-1 migrate manage "$@"; }

bring_up
manage seed_products | tail -n 1
manage createsuperuser --no-input --username root --email root@example.com
SMOKE_TOKEN=$(manage issue_token root --days 1 | tail -n 1) python3 deploy/smoke.py "http://127.0.0.1:$PORT/v1.0"

compose stop "${servers[@]}" >/dev/null
for service in "${servers[@]}"; do
  [[ $(ended_with "$service") == 0 ]] || { echo "$service did not stop cleanly." && exit 1; }
done
compose down >/dev/null
bring_up
count=$(curl --silent --fail "http://127.0.0.1:$PORT/v1.0/products" | jq .count)
[[ $count == 5 ]] || { echo "There are $count products after the restart instead of 5." && exit 1; }
echo "The product started, wrote a product, stopped cleanly, and kept its data."
